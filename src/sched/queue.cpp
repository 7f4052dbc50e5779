// SPDX-License-Identifier: Apache-2.0
#include "sched/queue.h"

#include <unordered_map>

namespace bowsprit::sched {

std::vector<std::int64_t> startable(const std::vector<QueueEntry>& entries, int capacity) {
  std::unordered_map<std::string, int> running;
  int total = 0;
  for (const auto& entry : entries) {
    if (entry.state != JobState::pending) continue;
    ++running[entry.job];
    ++total;
  }
  std::vector<std::int64_t> out;
  for (const auto& entry : entries) {
    if (total >= capacity) break;
    if (entry.state != JobState::triggered) continue;
    int& of_job = running[entry.job];
    if (entry.max_concurrency > 0 && of_job >= entry.max_concurrency) continue;
    ++of_job;
    ++total;
    out.push_back(entry.id);
  }
  return out;
}

}  // namespace bowsprit::sched
