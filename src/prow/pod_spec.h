// SPDX-License-Identifier: Apache-2.0
/// Checks of a job's Pod spec: Prow's (validatePodSpec in pkg/config/config.go), and what the executors here can run.
#pragma once

#include "yaml/fields.h"

namespace bowsprit::prow {

void check_pod_spec(const yaml::Cursor& spec);
/// What decoration needs besides: a command or arguments in each container.
void check_decorated_spec(const yaml::Cursor& spec);

}  // namespace bowsprit::prow
