// SPDX-License-Identifier: Apache-2.0
/// `sidecar` waits until the job's containers have ended and uploads what they left: build-log.txt of each, the
/// artifacts, sidecar-logs.json and finished.json (Prow's pkg/sidecar).
///
/// As Prow: on SIGTERM, unless told to ignore it, everything is uploaded at once as aborted, and again when the job ends
/// in time. Better than there: censoring fails closed. Files are copied first, and what is uploaded is the copy that
/// was searched; a file that can't be censored is withheld and named in finished.json's metadata ("sidecar-withheld"),
/// and where the secrets themselves can't be read only finished.json is uploaded.
/// Does not: end the job; entrypoint does. Threads: the caller's, and uploads.
#pragma once

#include "podutils/job_spec.h"
#include "podutils/options.h"

namespace bowsprit::podutils {

/// What marker files say together.
struct Verdict {
  bool passed = true;
  bool aborted = false;
  int failures = 0;  ///< entries that ended with something else than 0, or than "not run since a step before failed"
};
/// @param codes  of each entry; nullopt: its marker is missing or unreadable
Verdict verdict_of(const std::vector<std::optional<int>>& codes);

/// The entries' metadata files as one object, later ones winning; what can't be read is named in "sidecar-errors".
/// @param read  gives a file's text, censored
Json combine_metadata(const std::vector<WrapperOptions>& entries,
                      const std::function<Result<std::string>(const std::string&)>& read);

/// Runs to the end. The exit code of this process: 1 where an entry failed and `entry_error`, else 0.
int run_sidecar(const SidecarOptions& options, const JobSpec& spec);

}  // namespace bowsprit::podutils
