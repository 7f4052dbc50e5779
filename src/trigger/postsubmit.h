// SPDX-License-Identifier: Apache-2.0
/// Which postsubmits a merged change starts, and why (Prow: Postsubmit.ShouldRun in pkg/config/jobs.go). Pure.
/// Does not: know whether the merge was handled before.
#pragma once

#include <vector>

#include "trigger/trigger.h"

namespace bowsprit::trigger {

/// One decision per job, in their order; cause and key are "merged".
std::vector<Decision> decide_postsubmits(const gerrit::Change& change, const std::vector<prow::Postsubmit>& jobs);

}  // namespace bowsprit::trigger
