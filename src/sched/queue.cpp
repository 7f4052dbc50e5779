// SPDX-License-Identifier: Apache-2.0
#include "sched/queue.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

namespace bowsprit::sched {

std::vector<std::int64_t> startable(std::vector<QueueEntry> entries, const QueueLimits& limits) {
  std::unordered_map<std::string, int> of_jobs;
  std::unordered_map<std::string, int> of_queues;
  int total = 0;
  for (const auto& entry : entries) {
    if (entry.state != JobState::pending) continue;
    ++of_jobs[entry.job];
    ++of_queues[entry.queue];
    ++total;
  }
  std::ranges::stable_sort(entries, std::greater(), &QueueEntry::priority);
  std::vector<std::int64_t> out;
  for (const auto& entry : entries) {
    if (total >= limits.capacity) break;
    if (entry.state != JobState::triggered) continue;
    int& of_job = of_jobs[entry.job];
    int& of_queue = of_queues[entry.queue];
    if (entry.max_concurrency > 0 && of_job >= entry.max_concurrency) continue;
    const auto queue = entry.queue.empty() ? limits.queues.end() : limits.queues.find(entry.queue);
    if (queue != limits.queues.end() && queue->second >= 0 && of_queue >= queue->second) continue;
    ++of_job;
    ++of_queue;
    ++total;
    out.push_back(entry.id);
  }
  return out;
}

}  // namespace bowsprit::sched
