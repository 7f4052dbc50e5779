// SPDX-License-Identifier: Apache-2.0
/// From what the executor saw and what the job left behind to the state of the run and its result.
///
/// The executor's word counts more than the job's files, as the job ran code under test: a run that was killed is never green, and an
/// exit code of 0 beside a result.json that says otherwise is not either. Pure. Threads: any.
#pragma once

#include <limits>
#include <optional>

#include "exec/executor.h"
#include "sched/job_state.h"
#include "verdict/run_result.h"

namespace bowsprit::app {

inline constexpr int kAsOftenAsAllowed = std::numeric_limits<int>::max();

struct Judged {
  sched::JobState state = sched::JobState::error;
  RunResult result;
  /// How often the run may be tried again: only where the infrastructure is at fault; once where the job met a limit of its sandbox,
  /// which may have been bad luck; else as often as the server's own limit allows.
  int retries = 0;
};

/// @param from_job  result.json of the job's artifacts, where it was there and readable
Judged judge_outcome(const exec::RunOutcome& outcome, const std::optional<RunResult>& from_job);

}  // namespace bowsprit::app
