// SPDX-License-Identifier: Apache-2.0
/// ProwJob: one run of a job, as the Kubernetes resource prow.k8s.io/v1 (pkg/apis/prowjobs/v1).
/// Does not: keep fields that neither a Pod nor a report needs, such as Tekton's. Threads: values.
#pragma once

#include "base/result.h"
#include "prow/job_env.h"

namespace bowsprit::prow {

struct ProwJob {
  std::string name;  ///< UUID
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;

  JobType type = JobType::presubmit;
  std::string agent;
  std::string cluster;
  std::string job;
  std::string context;
  std::string rerun_command;
  bool report = false;
  std::optional<Refs> refs;
  std::vector<Refs> extra_refs;
  std::optional<DecorationConfig> decoration_config;
  Json pod_spec;

  std::string state;
  std::string description;
  std::string url;
  std::string build_id;
  std::optional<SystemTime> created;
  std::optional<SystemTime> completed;
};

/// Reads a ProwJob as YAML or JSON. `file` is its name in messages.
/// @error bad_config  all problems, one a line
Result<ProwJob> read_prow_job(std::string file, std::string_view text);

}  // namespace bowsprit::prow
