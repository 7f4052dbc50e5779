// SPDX-License-Identifier: Apache-2.0
/// Which waiting runs start now. Pure: the queue and the limits go in, ids come out (Prow: pkg/plank, max_concurrency of all and
/// of each job, job_queue_capacities; there is no priority there, so there the oldest is first).
/// Does not: start, store or time anything.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sched/job_state.h"

namespace bowsprit::sched {

struct QueueEntry {
  std::int64_t id = 0;
  std::string job;
  int max_concurrency = 0;  ///< of that job; 0: no limit
  JobState state = JobState::triggered;
  std::string queue = {};  ///< job_queue_name; empty: none
  int priority = 0;        ///< higher ones start first
};

struct QueueLimits {
  int capacity = 1;                   ///< how many runs may be pending at once
  std::map<std::string, int> queues;  ///< by queue: 0 blocks, below 0 and a queue that is not named here have no limit
};

/// Ids to start, in this order: by priority, then oldest first. A job or queue at its own limit does not hold back others.
/// @param entries  unfinished runs, oldest first
std::vector<std::int64_t> startable(std::vector<QueueEntry> entries, const QueueLimits& limits);

}  // namespace bowsprit::sched
