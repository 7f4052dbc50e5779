// SPDX-License-Identifier: Apache-2.0
/// What a job's Pod spec and Prow's decoration mean on one machine: paths, command, environment, limits. Pure.
///
/// Accepted of a container: command, args, env (name and value), workingDir, emptyDir volumes,
/// resources.limits.memory. The image's name chooses a folder where the
/// operator gave one for it; securityContext.privileged is accepted and changes nothing, as no job here is privileged. A volume of another kind or a variable from elsewhere is
/// refused by name. Annotation bowsprit/policy (fair or strict) becomes the variable BOWSPRIT_POLICY.
/// Does not: touch the disk.
/// Source: kubernetes.io "Define a Command and Arguments for a Container" for $(NAME); Prow's decoration as in
/// prow/job_env.h.
#pragma once

#include "exec/executor.h"
#include "exec/local/mirror.h"
#include "os/process.h"

namespace bowsprit::exec {

/// Where a job finds its build folder, also in the environment variable BOWSPRIT_BUILD_DIR. What it writes there is
/// thrown away with it, as BOWSPRIT_BUILD_KEPT=no says; only the making of a warm tree keeps it.
inline constexpr const char* kBuildPath = "/build";
/// What the change changes in C files, as git diff -U0, for jobs on a change: their source has no git. Named by BOWSPRIT_CHANGE_DIFF.
inline constexpr const char* kChangeDiffPath = "/etc/bowsprit/change.diff";

struct JobPlan {
  std::string image;        ///< name of the container's image
  std::string source_path;  ///< absolute, in the sandbox
  std::string cwd;
  std::vector<std::string> argv;
  Environment env;
  std::vector<std::string> empty_folders;
  std::optional<std::uint64_t> memory;
  milliseconds timeout{2 * 60 * 60 * 1000};
  milliseconds grace{15000};
};

/// `env` is added first, so the job's own spec may override it.
/// @error bad_config  the spec asks for what can't be given here, or names no command
Result<JobPlan> plan_job(const RunRequest& request, const MergedSource& source, const Environment& env);

/// Replaces $(NAME) by its value; "$$" is a dollar sign, an unknown name stays as it is.
std::string expand_variables(std::string_view text, const Environment& env);
/// "512Mi", "2G", "1000000" in bytes; nullopt if it is no quantity.
std::optional<std::uint64_t> parse_quantity(std::string_view text);

}  // namespace bowsprit::exec
