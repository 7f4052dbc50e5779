// SPDX-License-Identifier: Apache-2.0
/// The store's unfinished runs as the queue of sched/queue.h.
///
/// The state of each is read anew at every look; what says how it queues up (job, limits, priority) is in its job, which never changes, and
/// is read once. So a look at 10,000 waiting runs takes milliseconds (`./dev bench`).
/// Does not: start anything. Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "sched/queue.h"
#include "store/store.h"

namespace bowsprit::app {

class RunQueue {
 public:
  struct Look {
    int waiting = 0;
    int running = 0;
    std::vector<std::int64_t> start;  ///< runs to start now, in this order
  };
  /// @param may_start  false for a run that waits for another try; it is passed over
  Result<Look> look(store::Store& store, const sched::QueueLimits& limits,
                    const std::function<bool(std::int64_t)>& may_start);

 private:
  std::unordered_map<std::int64_t, sched::QueueEntry> known_;  ///< of the runs that were unfinished at the last look
};

}  // namespace bowsprit::app
