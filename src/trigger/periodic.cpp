// SPDX-License-Identifier: Apache-2.0
#include "trigger/periodic.h"

#include <algorithm>

#include "base/strings.h"
#include "prow/cron.h"

namespace bowsprit::trigger {
namespace {

constexpr int kMostRetries = 10;  // Prow's own limit

std::string minute_text(SystemTime time) { return rfc3339(std::chrono::floor<seconds>(time)).substr(0, 19) + "Z"; }

PeriodicDecision waits(std::string reason, std::optional<SystemTime> next) {
  PeriodicDecision out;
  out.reason = std::move(reason);
  out.next = next;
  return out;
}

PeriodicDecision starts(std::string reason, std::string key, SystemTime now, int retry = 0) {
  return {.run = true, .reason = std::move(reason), .trigger_key = std::move(key), .retry = retry, .next = now};
}

/// The retry that the last run deserves; nullopt where it deserves none.
std::optional<PeriodicDecision> retry_of(const prow::Periodic& job, const PeriodicState::Run& last, SystemTime now) {
  if (!job.retry || (last.succeeded && !job.retry->run_all)) return std::nullopt;
  const int attempts = std::min(job.retry->attempts, kMostRetries);
  const int number = last.retry + 1;
  if (number > attempts) return std::nullopt;
  const std::string what = fmt::format("retry {} of {}", number, attempts);
  const SystemTime due = last.started.value_or(last.queued) + job.retry->interval;
  if (now < due) return waits(fmt::format("{} is due at {}", what, minute_text(due)), due);
  return starts(what, fmt::format("retry:{}:{}", unix_millis(last.queued), number), now, number);
}

PeriodicDecision by_cron(const prow::Periodic& job, const PeriodicState& state, SystemTime now) {
  const auto cron = prow::Cron::parse(job.cron);
  if (!cron) return waits(cron.error().text(), std::nullopt);
  SystemTime from = state.since;
  if (state.last) from = std::max({from, state.last->queued, state.last->finished.value_or(from)});
  const auto due = cron->next(from);
  if (!due) return waits(fmt::format("cron '{}' names no time within five years", job.cron), std::nullopt);
  if (now < *due) return waits(fmt::format("cron '{}' is due at {}", job.cron, minute_text(*due)), due);
  return starts(fmt::format("cron '{}' at {}", job.cron, minute_text(*due)), fmt::format("cron:{}", unix_millis(*due)),
                now);
}

PeriodicDecision by_interval(const prow::Periodic& job, const PeriodicState& state, SystemTime now) {
  const std::string text = schedule_text(job);
  if (!state.last)
    return starts(fmt::format("{}, first run", text), fmt::format("first:{}", unix_millis(state.since)), now);
  const auto& last = *state.last;
  const SystemTime due = job.minimum_interval
                             ? last.finished.value_or(now) + *job.minimum_interval
                             : last.started.value_or(last.queued) + job.interval.value_or(milliseconds(0));
  if (now < due) return waits(fmt::format("{} is due at {}", text, minute_text(due)), due);
  return starts(text, fmt::format("after:{}", unix_millis(last.queued)), now);
}

}  // namespace

std::string schedule_text(const prow::Periodic& job) {
  if (!job.cron.empty()) return "cron " + job.cron;
  if (job.minimum_interval) return "minimum_interval " + format_duration(*job.minimum_interval);
  return "interval " + format_duration(job.interval.value_or(milliseconds(0)));
}

PeriodicDecision decide_periodic(const prow::Periodic& job, const PeriodicState& state, SystemTime now) {
  if (state.last && !state.last->finished) return waits("its last run has not ended", std::nullopt);
  PeriodicDecision regular = job.cron.empty() ? by_interval(job, state, now) : by_cron(job, state, now);
  if (regular.run || !state.last) return regular;
  auto retry = retry_of(job, *state.last, now);
  if (!retry) return regular;
  // Whatever comes first.
  if (!retry->run && regular.next && *regular.next < retry->next) return regular;
  return std::move(*retry);
}

}  // namespace bowsprit::trigger
