// SPDX-License-Identifier: Apache-2.0
/// What a job sees of its run: Prow's environment variables and JOB_SPEC (pkg/pod-utils/downwardapi,
/// pkg/pod-utils/decorate). Pure. Does not: add the variables of the job's own spec, which come after these.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "prow/job.h"

namespace bowsprit::prow {

struct JobRun {
  std::string job;  ///< name
  std::string build_id;
  std::string prow_job_id;  ///< UUID
  Refs refs;
  DecorationConfig decoration_config;
  bool decorated = true;
};

/// All of a presubmit's variables, with ARTIFACTS, GOPATH and CI where it is decorated.
std::map<std::string, std::string> job_environment(const JobRun& run);

/// The value of JOB_SPEC.
Json job_spec(const JobRun& run);
Json to_json(const Refs& refs);

/// Below kCodeRoot, where decoration puts the job's tree and starts its program: "/home/prow/go/src/<path>".
std::string clone_path(const Refs& refs);

/// The names that a presubmit's own `env` may not use.
const std::vector<std::string_view>& presubmit_variables();

inline constexpr std::string_view kCodeRoot = "/home/prow/go";
inline constexpr std::string_view kArtifactsPath = "/logs/artifacts";

}  // namespace bowsprit::prow
