// SPDX-License-Identifier: Apache-2.0
#include "app/run_queue.h"

#include <algorithm>

#include "app/run_limits.h"

namespace bowsprit::app {

Result<RunQueue::Look> RunQueue::look(store::Store& store, const sched::QueueLimits& limits,
                                      const std::function<bool(std::int64_t)>& may_start) {
  TRY_ASSIGN(const auto unfinished, store.unfinished());
  Look look;
  look.waiting =
      static_cast<int>(std::ranges::count(unfinished, sched::JobState::triggered, &store::UnfinishedRun::state));
  look.running = static_cast<int>(unfinished.size()) - look.waiting;
  // Mostly so: all processors are busy, or nothing waits.
  if (look.waiting == 0 || look.running >= limits.capacity) return look;
  std::unordered_map<std::int64_t, sched::QueueEntry> known;
  std::vector<sched::QueueEntry> entries;
  entries.reserve(unfinished.size());
  for (const auto& one : unfinished) {
    auto node = known_.extract(one.id);
    if (node.empty()) {
      TRY_ASSIGN(const auto run, store.run(one.id));
      if (!run) continue;  // removed meanwhile
      known_.emplace(one.id, queue_entry(*run));
      node = known_.extract(one.id);
    }
    node.mapped().state = one.state;
    if (may_start(one.id)) entries.push_back(node.mapped());
    known.insert(std::move(node));
  }
  known_ = std::move(known);
  look.start = sched::startable(std::move(entries), limits);
  return look;
}

}  // namespace bowsprit::app
