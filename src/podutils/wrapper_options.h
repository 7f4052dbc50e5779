// SPDX-License-Identifier: Apache-2.0
/// Options of entrypoint, and the part of them that sidecar shares (pkg/entrypoint/options.go, pkg/pod-utils/wrapper).
/// Apart from options.h since the entrypoint that runs in foreign images is linked without anything of Prow's jobs.
/// Threads: values.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "podutils/json_members.h"

namespace bowsprit::podutils {

/// One container's wrapped process, as both entrypoint and sidecar know it.
struct WrapperOptions {
  std::vector<std::string> args;
  std::string container_name;
  std::string process_log;
  std::string marker_file;
  std::string metadata_file;
};

struct EntrypointOptions {
  milliseconds timeout{0};       ///< 0: Prow's default, 2 h
  milliseconds grace_period{0};  ///< 0: Prow's default, 15 s
  std::string artifact_dir;
  std::string previous_marker;  ///< not empty: wait for it, and run only after a 0
  bool always_zero = false;
  bool propagate_error_code = false;
  bool copy_mode_only = false;
  std::string copy_dst;
  WrapperOptions wrapper;
};

void read_wrapper(const JsonMembers& from, WrapperOptions& to);
/// @error bad_config  not JSON, or a member of another type; all problems in one text
Result<EntrypointOptions> read_entrypoint_options(std::string_view json);

// What Prow's Validate demands, after options came from JSON or flags.
Result<> validate(const WrapperOptions& options);
Result<> validate(const EntrypointOptions& options);

}  // namespace bowsprit::podutils
