// SPDX-License-Identifier: Apache-2.0
/// Whether a job runs on a branch (Prow: Brancher in pkg/config/jobs.go).
/// Pure. Threads: any.
#pragma once

#include <string>
#include <string_view>

#include "prow/job.h"

namespace bowsprit::prow {

/// By `skip_branches`, which win, and `branches`; `why` is filled where it does not.
bool runs_on_branch(const ChangeJob& job, std::string_view branch, std::string* why = nullptr);

/// Whether two jobs can run on the same branch, as far as Prow tells.
bool branches_intersect(const ChangeJob& a, const ChangeJob& b);

}  // namespace bowsprit::prow
