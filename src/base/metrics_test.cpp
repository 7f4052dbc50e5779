// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, PrintsPrometheusText) {
  Metrics metrics;
  metrics.describe("bowsprit_runs_total", Metrics::Type::counter, "Finished runs.");
  metrics.describe("bowsprit_queue", Metrics::Type::gauge, "Waiting runs.");
  metrics.add("bowsprit_runs_total", {{"job", "a\"b\\c\nd"}});
  metrics.add("bowsprit_runs_total", {{"job", "a\"b\\c\nd"}});
  metrics.set("bowsprit_queue", 3);
  EXPECT_EQ(metrics.text(),
            "# HELP bowsprit_queue Waiting runs.\n# TYPE bowsprit_queue gauge\nbowsprit_queue 3\n"
            "# HELP bowsprit_runs_total Finished runs.\n# TYPE bowsprit_runs_total counter\n"
            "bowsprit_runs_total{job=\"a\\\"b\\\\c\\nd\"} 2\n");
}

TEST(Metrics, CountsAnObservationInEachBucketThatHoldsIt) {
  Metrics metrics;
  metrics.describe("bowsprit_run_seconds", Metrics::Type::histogram, "Length of runs.");
  metrics.observe("bowsprit_run_seconds", 0.02, {{"job", "kunit"}});
  metrics.observe("bowsprit_run_seconds", 100000, {{"job", "kunit"}});
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr("bowsprit_run_seconds_bucket{job=\"kunit\",le=\"0.01\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("bowsprit_run_seconds_bucket{job=\"kunit\",le=\"0.025\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("bowsprit_run_seconds_bucket{job=\"kunit\",le=\"3600\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("bowsprit_run_seconds_bucket{job=\"kunit\",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("bowsprit_run_seconds_count{job=\"kunit\"} 2\n"));
}

TEST(Metrics, DropsWhatNobodyDescribed) {
  Metrics metrics;
  metrics.add("bowsprit_typo_total");
  EXPECT_THAT(metrics.text(), Not(HasSubstr("typo")));
}

}  // namespace
}  // namespace bowsprit
