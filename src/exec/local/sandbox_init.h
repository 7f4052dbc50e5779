// SPDX-License-Identifier: Apache-2.0
/// Process 1 of a sandbox (`bowsprit sandbox-init`): starts the job's program, ends it when told, takes its artifacts
/// out.
///
/// It talks with the server over one socket, descriptor kControlFd: out go the line "started", at the end the line
/// "exit CODE DISK_FULL" and then the artifacts folder as a tar stream; in comes one byte, which means "end now".
/// When the server is gone the socket ends, and everything here is killed: a job never outlives its server. Since it
/// is process 1 of its namespace the job can't kill or stop it, and it has itself made undumpable, so that the job
/// can't trace it. Nothing of the job runs any more while artifacts are read.
/// Does not: judge what it streams; the server treats all of it as hostile (artifact_stream.h).
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace bowsprit::exec {

inline constexpr int kControlFd = 3;

struct InitOptions {
  std::vector<std::string> argv;
  milliseconds grace{15000};  ///< between TERM and KILL
  std::string artifacts = "/logs/artifacts";
};

/// Returns the exit code of process 1; the job's own goes over the socket.
int sandbox_init(const InitOptions& options);

}  // namespace bowsprit::exec
