// SPDX-License-Identifier: Apache-2.0
#include "app/run_limits.h"

#include <algorithm>

#include "app/run_files.h"
#include "base/strings.h"

namespace bowsprit::app {
namespace {

constexpr milliseconds kPending{2 * 3600 * 1000};
constexpr milliseconds kRunning{48 * 3600 * 1000};  // as Prow

int priority_of(prow::JobType type) {
  switch (type) {
    case prow::JobType::presubmit: return 0;
    case prow::JobType::batch:
    case prow::JobType::postsubmit: return -10;
    case prow::JobType::periodic: return -20;
  }
  return 0;
}

}  // namespace

sched::QueueLimits queue_limits(const prow::Settings& settings, int capacity) {
  const int most = settings.plank.max_concurrency;
  return {.capacity = most > 0 ? std::min(most, capacity) : capacity, .queues = settings.plank.job_queue_capacities};
}

sched::Deadlines deadlines(const prow::Settings& settings, const TimeoutsConfig& timeouts) {
  return {.scheduling = timeouts.scheduling,
          .pending = timeouts.pending.value_or(settings.plank.pod_pending_timeout.value_or(kPending)),
          .running = timeouts.running.value_or(settings.plank.pod_running_timeout.value_or(kRunning))};
}

sched::QueueEntry queue_entry(const store::Run& run) {
  sched::QueueEntry entry{.id = run.id, .job = run.job, .state = run.state};
  entry.priority = priority_of(type_of(run));
  const auto job = parse_json(run.job_json);
  if (!job) return entry;
  entry.max_concurrency = static_cast<int>(json_int(*job, "max_concurrency"));
  entry.queue = json_string(*job, "job_queue_name");
  if (const auto given = parse_int(json_string(json_get(*job, "annotations"), "bowsprit/priority")))
    entry.priority = static_cast<int>(std::clamp<std::int64_t>(*given, -1'000'000, 1'000'000));
  return entry;
}

}  // namespace bowsprit::app
