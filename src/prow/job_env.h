// SPDX-License-Identifier: Apache-2.0
/// What a job sees of its run: Prow's environment variables and JOB_SPEC (pkg/pod-utils/downwardapi, pkg/pod-utils/decorate).
/// Pure. Does not: add the variables of the job's own spec, which come after these.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "prow/job.h"

namespace bowsprit::prow {

enum class JobType { presubmit, postsubmit, periodic, batch };
std::string_view to_string(JobType type);

struct JobRun {
  JobType type = JobType::presubmit;
  std::string job;  ///< name
  std::string build_id;
  std::string prow_job_id;  ///< UUID
  Refs refs;                ///< without org and repo: none
  std::vector<Refs> extra_refs;
  DecorationConfig decoration_config;
  bool decorated = true;
  std::string agent = "kubernetes";

  [[nodiscard]] bool has_refs() const { return !refs.org.empty() || !refs.repo.empty(); }
};

/// All variables of the job's type, with ARTIFACTS and GOPATH where it is decorated.
std::map<std::string, std::string> job_environment(const JobRun& run);

/// The value of JOB_SPEC.
Json job_spec(const JobRun& run);
Json to_json(const Refs& refs);

inline constexpr std::string_view kCodeRoot = "/home/prow/go";
inline constexpr std::string_view kArtifactsPath = "/logs/artifacts";

/// Where decoration puts a repository: "/home/prow/go/src/<path>".
std::string clone_path(const Refs& refs, std::string_view root = kCodeRoot);
/// The same on this machine, where the colon of "host:port" becomes '_': a kernel's Makefile refuses to build below a colon.
std::string local_clone_path(const Refs& refs);

/// The names that `env` of such a job may not use.
const std::vector<std::string_view>& reserved_variables(JobType type);

}  // namespace bowsprit::prow
