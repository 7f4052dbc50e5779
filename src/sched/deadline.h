// SPDX-License-Identifier: Apache-2.0
/// How long a run may stay where it is, and what it is called when it stays longer (Prow: plank's pod_unscheduled_timeout,
/// pod_pending_timeout, pod_running_timeout). All three are the infrastructure's fault: the limit that is the job's own is its
/// decoration_config.timeout, which the executor keeps.
/// Pure. Does not: end anything. Threads: any.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "sched/job_state.h"

namespace bowsprit::sched {

/// 0: no limit.
struct Deadlines {
  milliseconds scheduling{0};  ///< from the entry into the queue to the start
  milliseconds pending{0};     ///< while its source is made
  milliseconds running{0};     ///< while its program runs
};

struct Stay {
  JobState state = JobState::triggered;
  std::string phase;         ///< while pending: "source", "warm", "run" ...
  milliseconds for_time{0};  ///< in the queue, or in this phase
};

/// "scheduling timeout: ...", "pending timeout: ...", "running timeout: ..."; nullopt: it may stay. Making a warm tree has no limit
/// here: that is a run of the job itself and ends by the job's own timeout.
std::optional<std::string> overdue(const Stay& stay, const Deadlines& limits);

}  // namespace bowsprit::sched
