// SPDX-License-Identifier: Apache-2.0
/// `entrypoint` wraps a job's program: its output goes to stdout and a log, its exit code to a marker file that sidecar
/// waits for (Prow's pkg/entrypoint).
///
/// As Prow: timeout or a signal to us -> SIGINT (and that signal), after the grace period SIGKILL; marker 127 after a
/// timeout or where the program could not start, 130 after a signal, 1130 where the previous step failed, else the exit
/// code (-1: killed by a signal).
/// Better than there: signals go to the whole process group, and what the job left behind, also daemons that left
/// that group, is ended with it; how the job ended is written into its metadata file (member "entrypoint"), which sidecar,
/// ours or Prow's, merges into finished.json.
/// Does not: limit memory or time of the wrapped program's children apart from it.
/// Threads: none; SIGINT, SIGTERM and SIGCHLD are blocked and read by signalfd.
#pragma once

#include "podutils/wrapper_options.h"

namespace bowsprit::podutils {

inline constexpr int kInternalErrorCode = 127;
inline constexpr int kAbortedCode = 130;
inline constexpr int kPreviousErrorCode = 1130;

/// Why a wrapped program ended; the words are those in finished.json.
enum class End { exited, signalled, timed_out, aborted, not_started, skipped, internal_error };
std::string_view to_string(End end);

/// Runs to the end and gives the exit code of this process. Expects validated options.
int run_entrypoint(const EntrypointOptions& options);

/// Copies this program (or `entrypoint` beside it, which needs no libraries) to `destination`, which runs in images of
/// other systems.
Result<> place_entrypoint(const std::string& destination);

}  // namespace bowsprit::podutils
