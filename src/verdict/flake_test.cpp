// SPDX-License-Identifier: Apache-2.0
#include "verdict/flake.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bowsprit {
namespace {

using ktap::TestStatus;

/// One letter for each run, the oldest first, as a person reads time; runs are numbered from 1, each of its own change
/// unless `changes` has a letter for each.
///   . passed  x failed, origin unknown  n new  b also on the base  f flaky  s skipped  m missing  c crashed on the base
std::vector<HistoricOutcome> outcomes_of(std::string_view letters, std::string_view changes) {
  std::vector<HistoricOutcome> out;
  for (std::size_t i = letters.size(); i-- > 0;) {
    HistoricOutcome outcome;
    outcome.run = static_cast<std::int64_t>(i) + 1;
    outcome.change = changes.empty() ? static_cast<int>(i) : changes.at(i);
    outcome.patchset = 1;
    outcome.base = "base";
    switch (letters[i]) {
      case '.': outcome.status = TestStatus::passed; break;
      case 's': outcome.status = TestStatus::skipped; break;
      case 'm': outcome.status = TestStatus::missing; break;
      case 'c': outcome.status = TestStatus::crashed; break;
      default: outcome.status = TestStatus::failed; break;
    }
    if (letters[i] == 'n') outcome.origin = Origin::new_failure;
    if (letters[i] == 'b' || letters[i] == 'c') outcome.origin = Origin::also_on_base;
    if (letters[i] == 'f') outcome.origin = Origin::flaky;
    out.push_back(outcome);
  }
  return out;
}

struct Row {
  const char* name;
  const char* letters;
  const char* changes;
  int ran, failed, flaky, caused;
  int first_bad, last_good;  ///< 0: none
};

class TrendTable : public testing::TestWithParam<Row> {};

TEST_P(TrendTable, SaysWhatTheOutcomesShow) {
  const Row& row = GetParam();
  const auto trend = trend_of(outcomes_of(row.letters, row.changes));
  EXPECT_EQ(trend.ran, row.ran);
  EXPECT_EQ(trend.failed, row.failed);
  EXPECT_EQ(trend.flaky, row.flaky);
  EXPECT_EQ(trend.caused, row.caused);
  EXPECT_EQ(trend.first_bad.value_or(0), row.first_bad);
  EXPECT_EQ(trend.last_good.value_or(0), row.last_good);
  EXPECT_EQ(trend.base_broken, row.first_bad != 0);
  EXPECT_DOUBLE_EQ(trend.rate, row.ran == 0 ? 0.0 : static_cast<double>(row.flaky) / row.ran);
}

INSTANTIATE_TEST_SUITE_P(
    All, TrendTable,
    testing::Values(Row{"nothing", "", "", 0, 0, 0, 0, 0, 0},  //
                    Row{"all_good", "....", "", 4, 0, 0, 0, 0, 0},
                    Row{"not_run_is_not_counted", ".s.m", "", 2, 0, 0, 0, 0, 0},
                    Row{"a_change_broke_it_for_itself", "..n.", "", 4, 1, 0, 1, 0, 0},
                    Row{"one_change_failing_now_is_no_broken_base", "...n", "", 4, 1, 0, 1, 0, 0},
                    Row{"the_base_broke", "..bbb", "", 5, 3, 0, 0, 3, 2},
                    Row{"a_crash_breaks_the_base_too", "..cc", "", 4, 2, 0, 0, 3, 2},
                    Row{"the_base_was_repaired", ".bb..", "", 5, 2, 0, 0, 0, 0},
                    Row{"broken_since_before_all_that_is_known", "bbb", "", 3, 3, 0, 0, 1, 0},
                    Row{"what_says_nothing_does_not_end_the_series", ".bsfmb", "", 4, 3, 1, 0, 2, 1},
                    Row{"a_new_failure_shows_a_good_base", "bbnb", "", 4, 4, 0, 1, 4, 3},
                    Row{"unknown_origin_of_one_change_proves_nothing", "..xx", "abcc", 4, 2, 0, 0, 0, 0},
                    Row{"unknown_origin_of_two_changes_does", "..xx", "abcd", 4, 2, 0, 0, 3, 2},
                    Row{"unknown_origin_beside_a_sure_one", ".xb", "", 3, 2, 0, 0, 2, 1},
                    Row{"a_retry_told_that_it_flakes", "..f.f", "", 5, 2, 2, 0, 0, 0},
                    Row{"two_runs_of_one_patch_set_contradict", ".x.", "abb", 3, 1, 1, 0, 0, 0},
                    Row{"new_and_then_passed_on_the_same_code_is_a_flake", ".n.", "abb", 3, 1, 1, 0, 0, 0}),
    [](const auto& param) { return param.param.name; });

TEST(Trend, AnotherBaseOrPatchSetIsOtherCodeAndNoContradiction) {
  auto outcomes = outcomes_of(".x", "aa");
  EXPECT_EQ(trend_of(outcomes).flaky, 1);
  outcomes[0].base = "moved";
  EXPECT_EQ(trend_of(outcomes).flaky, 0);
  outcomes[0].base = outcomes[1].base;
  outcomes[0].patchset = 2;
  EXPECT_EQ(trend_of(outcomes).flaky, 0);
  outcomes[0].patchset = 1;
  outcomes[0].base = outcomes[1].base = "";  // not known: maybe other code
  EXPECT_EQ(trend_of(outcomes).flaky, 0);
}

}  // namespace
}  // namespace bowsprit
