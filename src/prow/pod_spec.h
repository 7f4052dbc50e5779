// SPDX-License-Identifier: Apache-2.0
/// Checks of a job's Pod spec: Prow's (validatePodSpec in pkg/config/config.go).
/// Does not: know all of Kubernetes' fields, or what an executor can run.
#pragma once

#include "prow/job_env.h"
#include "yaml/fields.h"

namespace bowsprit::prow {

void check_pod_spec(const yaml::Cursor& spec, JobType type);
/// What decoration needs besides: a command or arguments in each container.
void check_decorated_spec(const yaml::Cursor& spec);
/// What only decoration allows: several containers.
void check_undecorated_spec(const yaml::Cursor& spec);

}  // namespace bowsprit::prow
