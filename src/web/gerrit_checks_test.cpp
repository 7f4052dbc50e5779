// SPDX-License-Identifier: Apache-2.0
#include "web/gerrit_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/test_data.h"

namespace bowsprit::web {
namespace {

using sched::JobState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kPages = "https://kunit.example";

store::Run run_in(JobState state) {
  store::Run run = sample_run();
  run.id = 7;
  run.state = state;
  if (state != JobState::triggered) run.started = run.created + std::chrono::seconds(5);
  if (sched::is_final(state)) run.finished = run.created + std::chrono::seconds(65);
  return run;
}
Json check(const store::Run& run, const RunResult* result = nullptr, std::optional<double> forecast = std::nullopt) {
  return check_run(run, 1, result, forecast, kPages);
}
std::vector<std::string> categories(const Json& check) {
  std::vector<std::string> out;
  for (const auto& result : json_get(check, "results")) out.push_back(json_string(result, "category"));
  return out;
}

TEST(GerritChecks, NameStatusAndPatchSetAreAlwaysThere) {
  using enum JobState;
  for (const auto& [state, status] :
       {std::pair(triggered, "SCHEDULED"), std::pair(pending, "RUNNING"), std::pair(success, "COMPLETED"),
        std::pair(failure, "COMPLETED"), std::pair(aborted, "COMPLETED"), std::pair(error, "COMPLETED")}) {
    const Json json = check(run_in(state));
    EXPECT_EQ(json_string(json, "status"), status);
    EXPECT_EQ(json_string(json, "checkName"), "kunit-um");
    EXPECT_EQ(json_int(json, "patchset"), 3);
    EXPECT_EQ(json_int(json, "change"), 4711);
    EXPECT_EQ(json_int(json, "attempt"), 1);
    EXPECT_EQ(json_string(json, "labelName"), "Verified");
    EXPECT_THAT(json_string(json, "checkLink"), StartsWith("https://kunit.example/"));
  }
}

TEST(GerritChecks, ATimeThatIsNotKnownIsAbsentAndARunningOnesEndIsTheForecast) {
  EXPECT_FALSE(check(run_in(JobState::triggered)).contains("startedTimestamp"));
  EXPECT_FALSE(check(run_in(JobState::triggered)).contains("finishedTimestamp"));
  EXPECT_FALSE(check(run_in(JobState::pending)).contains("finishedTimestamp"));
  const auto running = run_in(JobState::pending);
  EXPECT_EQ(json_string(check(running, nullptr, 90), "finishedTimestamp"),
            rfc3339(*running.started + std::chrono::seconds(90)));
  const auto ended = run_in(JobState::failure);
  EXPECT_EQ(json_string(check(ended), "finishedTimestamp"), rfc3339(*ended.finished));
}

TEST(GerritChecks, AnEndWithoutVerdictDoesNotLookLikeAPass) {
  EXPECT_THAT(categories(check(run_in(JobState::error))), ElementsAre("WARNING"));
  EXPECT_THAT(categories(check(run_in(JobState::aborted))), ElementsAre("WARNING"));
  EXPECT_THAT(categories(check(run_in(JobState::failure))), ElementsAre("ERROR"));
  EXPECT_THAT(categories(check(run_in(JobState::success))), ElementsAre("SUCCESS"));
  EXPECT_TRUE(categories(check(run_in(JobState::pending))).empty());
}

TEST(GerritChecks, OwnFailuresAreErrorsOthersAreWarnings) {
  const RunResult result = sample_result();
  const Json json = check(run_in(JobState::failure), &result);
  EXPECT_THAT(categories(json), ElementsAre("ERROR", "WARNING", "WARNING", "INFO"));
  const Json& first = json_get(json, "results").at(0);
  EXPECT_EQ(json_string(first, "summary"), "list_sort.list_sort_test");
  EXPECT_EQ(json_string(json_get(first, "tags").at(1), "name"), "NEW");
  EXPECT_EQ(json_string(json_get(first, "links").at(0), "url"), "https://kunit.example/run/7");
  EXPECT_EQ(json_string(json_get(first, "links").at(1), "url"),
            "https://gerrit.example/c/kernel/linux/+/4711/3/lib/test_list_sort.c#93");
  EXPECT_EQ(json_string(json_get(json, "results").at(3), "summary"), "2 passed, 1 skipped");
  // Only failures of the base: the tab shows them and the run is still no error.
  RunResult mild = sample_result();
  mild.failures.erase(mild.failures.begin());
  EXPECT_THAT(categories(check(run_in(JobState::success), &mild)), ElementsAre("WARNING", "WARNING", "SUCCESS"));
  // A red run whose failures are all of others says why by its verdict.
  EXPECT_THAT(categories(check(run_in(JobState::failure), &mild)), ElementsAre("WARNING", "WARNING", "INFO", "ERROR"));
}

TEST(GerritChecks, TextsAreCutAndFailuresCounted) {
  RunResult result = sample_result();
  result.failures.assign(500, result.failures[0]);
  for (auto& failure : result.failures) {
    failure.test = std::string(1000, 'n');
    failure.message = std::string(100'000, 'm');
  }
  const Json json = check(run_in(JobState::failure), &result);
  EXPECT_EQ(json_get(json, "results").size(), 53U);
  EXPECT_LT(dump_json(json).size(), 400'000U);
  EXPECT_EQ(json_string(json_get(json, "results").at(0), "summary").size(), 80U);
  EXPECT_EQ(json_string(json_get(json, "results").at(50), "summary"), "450 more failures are on the run's page");
}

TEST(GerritChecks, EveryLinkIsHttpOrAbsent) {
  const RunResult result = sample_result();
  const std::string text = dump_json(check_run(run_in(JobState::failure), 1, &result, {}, ""));
  EXPECT_THAT(text, Not(HasSubstr("checkLink")));
  EXPECT_THAT(text, Not(HasSubstr("\"url\":\"/")));
}

}  // namespace
}  // namespace bowsprit::web
