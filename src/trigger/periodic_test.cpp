// SPDX-License-Identifier: Apache-2.0
#include "trigger/periodic.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace bowsprit::trigger {
namespace {

SystemTime at(const char* clock) { return *parse_time(fmt::format("2026-11-24T{}Z", clock)); }
using std::chrono::hours;
using std::chrono::minutes;

prow::Periodic by_cron(const char* line) {
  prow::Periodic job;
  job.name = "p";
  job.cron = line;
  return job;
}
prow::Periodic each(milliseconds interval) {
  prow::Periodic job;
  job.interval = interval;
  return job;
}
prow::Periodic pause(milliseconds interval) {
  prow::Periodic job;
  job.minimum_interval = interval;
  return job;
}
prow::Periodic with_retry(prow::Periodic job, int attempts, bool run_all = false) {
  job.retry = prow::Retry{.attempts = attempts, .interval = minutes(10), .run_all = run_all};
  return job;
}

PeriodicState never(SystemTime since) { return {.since = since, .last = std::nullopt}; }
/// A run that started when it was queued.
PeriodicState ran(SystemTime start, std::optional<SystemTime> end, bool succeeded = true, int retry = 0) {
  return {.since = at("00:00:00"), .last = PeriodicState::Run{start, start, end, succeeded, retry}};
}
/// "+ reason" or "- reason"
std::string decided(const prow::Periodic& job, const PeriodicState& state, SystemTime now) {
  const auto decision = decide_periodic(job, state, now);
  EXPECT_EQ(decision.run, !decision.trigger_key.empty());
  return (decision.run ? "+ " : "- ") + decision.reason;
}

TEST(Periodic, CronStartsAtItsTimeOnceAndNotBefore) {
  const auto job = by_cron("30 2 * * *");
  EXPECT_EQ(decided(job, never(at("01:00:00")), at("02:29:59")), "- cron '30 2 * * *' is due at 2026-11-24T02:30:00Z");
  EXPECT_EQ(decided(job, never(at("01:00:00")), at("02:30:00")), "+ cron '30 2 * * *' at 2026-11-24T02:30:00Z");
  EXPECT_EQ(decided(job, ran(at("02:30:00"), at("02:40:00")), at("02:41:00")),
            "- cron '30 2 * * *' is due at 2026-11-25T02:30:00Z");
}

TEST(Periodic, ACronTimeThatPassedWhileTheServerWasDownCountsOnceWithOneKey) {
  const auto job = by_cron("0 * * * *");
  const auto late = decide_periodic(job, ran(at("01:00:00"), at("01:10:00")), at("05:20:00"));
  EXPECT_TRUE(late.run);
  const auto again = decide_periodic(job, ran(at("01:00:00"), at("01:10:00")), at("05:20:01"));
  EXPECT_EQ(late.trigger_key, again.trigger_key);  // so the store takes the row once
  EXPECT_FALSE(decide_periodic(job, ran(at("05:20:00"), at("05:30:00")), at("05:31:00")).run);
}

TEST(Periodic, ACronTimeDuringARunIsLeftOut) {
  const auto job = by_cron("0 * * * *");
  EXPECT_EQ(decided(job, ran(at("01:00:00"), std::nullopt), at("02:00:01")), "- its last run has not ended");
  EXPECT_EQ(decided(job, ran(at("01:00:00"), at("02:10:00")), at("02:10:01")),
            "- cron '0 * * * *' is due at 2026-11-24T03:00:00Z");
}

TEST(Periodic, ANewScheduleCountsFromWhenItWasSeen) {
  auto state = ran(at("01:00:00"), at("01:10:00"));
  state.since = at("04:30:00");
  EXPECT_EQ(decided(by_cron("0 * * * *"), state, at("04:31:00")), "- cron '0 * * * *' is due at 2026-11-24T05:00:00Z");
}

TEST(Periodic, IntervalIsFromStartAndMinimumIntervalFromEnd) {
  EXPECT_EQ(decided(each(hours(1)), never(at("01:00:00")), at("01:00:00")), "+ interval 1h0m0s, first run");
  EXPECT_EQ(decided(pause(hours(1)), never(at("01:00:00")), at("01:00:00")), "+ minimum_interval 1h0m0s, first run");
  const auto state = ran(at("01:00:00"), at("01:30:00"));
  EXPECT_EQ(decided(each(hours(1)), state, at("01:59:59")), "- interval 1h0m0s is due at 2026-11-24T02:00:00Z");
  EXPECT_EQ(decided(each(hours(1)), state, at("02:00:00")), "+ interval 1h0m0s");
  EXPECT_EQ(decided(pause(hours(1)), state, at("02:29:59")),
            "- minimum_interval 1h0m0s is due at 2026-11-24T02:30:00Z");
  EXPECT_EQ(decided(pause(hours(1)), state, at("02:30:00")), "+ minimum_interval 1h0m0s");
  EXPECT_EQ(decided(each(hours(1)), ran(at("01:00:00"), std::nullopt), at("09:00:00")), "- its last run has not ended");
}

TEST(Periodic, AFailureIsTriedAgainAsOftenAsSaid) {
  const auto job = with_retry(each(hours(5)), 2);
  EXPECT_EQ(decided(job, ran(at("01:00:00"), at("01:05:00"), false), at("01:09:59")),
            "- retry 1 of 2 is due at 2026-11-24T01:10:00Z");
  EXPECT_EQ(decided(job, ran(at("01:00:00"), at("01:05:00"), false), at("01:10:00")), "+ retry 1 of 2");
  EXPECT_EQ(decide_periodic(job, ran(at("01:00:00"), at("01:05:00"), false), at("01:10:00")).retry, 1);
  EXPECT_EQ(decided(job, ran(at("01:00:00"), at("01:05:00"), false, 1), at("01:10:00")), "+ retry 2 of 2");
  EXPECT_EQ(decided(job, ran(at("01:00:00"), at("01:05:00"), false, 2), at("01:10:00")),
            "- interval 5h0m0s is due at 2026-11-24T06:00:00Z");
  EXPECT_EQ(decided(job, ran(at("01:00:00"), at("01:05:00")), at("01:10:00")),
            "- interval 5h0m0s is due at 2026-11-24T06:00:00Z");
  EXPECT_EQ(decided(with_retry(each(hours(5)), 2, true), ran(at("01:00:00"), at("01:05:00")), at("01:10:00")),
            "+ retry 1 of 2");
  EXPECT_EQ(decided(with_retry(each(hours(5)), 99), ran(at("01:00:00"), at("01:05:00"), false, 10), at("01:10:00")),
            "- interval 5h0m0s is due at 2026-11-24T06:00:00Z");
  // The regular time comes first: the retry does not put it off.
  EXPECT_EQ(decided(with_retry(each(minutes(5)), 2), ran(at("01:00:00"), at("01:01:00"), false), at("01:02:00")),
            "- interval 5m0s is due at 2026-11-24T01:05:00Z");
  EXPECT_EQ(decided(with_retry(by_cron("0 0 * * *"), 1), ran(at("01:00:00"), at("01:05:00"), false), at("01:10:00")),
            "+ retry 1 of 1");
}

}  // namespace
}  // namespace bowsprit::trigger
