// SPDX-License-Identifier: Apache-2.0
/// Which waiting runs start now. Pure: the queue and the limits go in, ids come out (Prow: pkg/plank, oldest first,
/// max_concurrency per job). Does not: start, store or time anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sched/job_state.h"

namespace bowsprit::sched {

struct QueueEntry {
  std::int64_t id = 0;
  std::string job;
  int max_concurrency = 0;  ///< of that job; 0: no limit
  JobState state = JobState::triggered;
};

/// Ids to start, in this order. A job at its own limit does not hold back the others behind it.
/// @param entries   unfinished runs, oldest first
/// @param capacity  how many runs may be pending at once
std::vector<std::int64_t> startable(const std::vector<QueueEntry>& entries, int capacity);

}  // namespace bowsprit::sched
