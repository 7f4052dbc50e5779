// SPDX-License-Identifier: Apache-2.0
/// Upload of a run's files to where Prow's readers look for them (pkg/gcsupload, pkg/pod-utils/gcs).
///
/// A bucket gets the run's folder by the path strategy, the alias and latest-build.txt; `local_output_dir` gets the run's
/// files alone, at its top, as in Prow. Artifacts go first, then the files named by the caller (build-log.txt,
/// finished.json), so that a reader who sees finished.json sees all. Four at a time, four tries of what may work later.
/// Symbolic links of artifacts are followed within their folder only, since a job made them; devices and FIFOs are
/// passed over. A name loses ".gz", as Prow's uploads do (packing.h).
/// Buckets: "s3://BUCKET", "gs://BUCKET" or the name alone, "file:///folder" and "/folder"; s3_credentials_file and
/// gcs_credentials_file as in Prow, or what artifact/store_url.h finds without them.
/// Threads: called by one; uses four.
#pragma once

#include <filesystem>
#include <map>

#include "podutils/job_spec.h"
#include "podutils/options.h"
#include "podutils/packing.h"

namespace bowsprit::podutils {

using Targets = std::map<std::string, Content>;  ///< by name below the bucket, or below the run's folder

/// What belongs to the run beside what the caller adds: alias, latest-build.txt, artifacts. Reads the artifact folders.
Targets artifact_targets(const UploadOptions& options, const JobSpec& spec);
/// The run's folder; empty in local mode.
std::string run_prefix(const UploadOptions& options, const JobSpec& spec);

/// Uploads `artifacts` (as artifact_targets() has them), then `extra` into the run's folder. All are tried; the error names each that failed.
Result<> upload(const UploadOptions& options, const JobSpec& spec, const Targets& artifacts, const Targets& extra);

}  // namespace bowsprit::podutils
