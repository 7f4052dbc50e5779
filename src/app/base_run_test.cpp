// SPDX-License-Identifier: Apache-2.0
#include "app/base_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "app/reproduce.h"

namespace bowsprit::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Failure failure(std::string test) { return {.test = std::move(test)}; }

TEST(ReproduceCommand, NamesTheKunitconfigsAsSeenFromTheTree) {
  EXPECT_EQ(reproduce_command({.tree = "/src", .kunitconfigs = {"/src/lib/kunit/.kunitconfig", "/etc/my config"}}, {}),
            "./tools/testing/kunit/kunit.py run --kunitconfig=lib/kunit/.kunitconfig --kunitconfig='/etc/my config'");
}

TEST(ReproduceCommand, RunsOneSuiteWhereOnlyOneFailed) {
  const ReproduceInput input{.tree = "/src", .kunitconfigs = {"/src/kunitconfig"}, .boot_limit = seconds(600)};
  EXPECT_EQ(reproduce_command(input, {failure("a.x"), failure("a.y")}),
            "./tools/testing/kunit/kunit.py run --kunitconfig=kunitconfig --timeout=600 a");
  EXPECT_EQ(reproduce_command(input, {failure("a.x"), failure("b.y")}),
            "./tools/testing/kunit/kunit.py run --kunitconfig=kunitconfig --timeout=600");
}

TEST(ReproduceCommand, FetchesTheChangeOfAJob) {
  const ReproduceInput input{
      .tree = "/src",
      .kunitconfigs = {"/src/kunitconfig"},
      .job_spec =
          R"({"refs":{"org":"https://gerrit.example.com","repo":"linux","pulls":[{"number":7,"ref":"refs/changes/07/7/2"}]}})"};
  EXPECT_EQ(reproduce_command(input, {}),
            "git fetch https://gerrit.example.com/linux refs/changes/07/7/2 && git checkout FETCH_HEAD && "
            "./tools/testing/kunit/kunit.py run --kunitconfig=kunitconfig");
}

TEST(ReproduceCommand, SurvivesAJobSpecThatIsNone) {
  for (const char* spec : {"{", "[]", "{\"refs\":{}}", "{\"refs\":{\"pulls\":[{}]}}"})
    EXPECT_EQ(reproduce_command({.tree = "/src", .job_spec = spec}, {}), "./tools/testing/kunit/kunit.py run");
}

RunResult with_suites(const std::map<std::string, std::vector<std::string>>& suites) {
  RunResult result;
  for (const auto& [suite, cases] : suites) {
    ktap::TestNode node{.name = suite};
    for (const auto& name : cases) node.children.push_back({.name = name});
    result.suites.push_back(std::move(node));
  }
  return result;
}

RunResult base_result() {
  return with_suites({{"one", {"first_test", "second_test"}}, {"two", {"first_test", "second_test"}}});
}

TEST(DeletedTests, AreThoseWhoseDefinitionIsGone) {
  EXPECT_THAT(deleted_tests("-static void first_test(struct kunit *test)\n-{\n-}\n", base_result(), {}),
              ElementsAre("one.first_test", "two.first_test"));
  EXPECT_THAT(deleted_tests("-\t.name = \"one\",\n", base_result(), {}), ElementsAre("one"));
}

TEST(DeletedTests, AreNotThoseThatAreOnlyNoLongerRegistered) {
  EXPECT_THAT(deleted_tests("-\tKUNIT_CASE(first_test),\n+\tKUNIT_CASE(second_test),\n", base_result(), base_result()),
              IsEmpty());
  EXPECT_THAT(
      deleted_tests("--- a/x.c\n-static void first_test(struct kunit *test)\n+void first_test(struct kunit *t)\n",
                    base_result(), base_result()),
      IsEmpty());
}

TEST(DeletedTests, AreThoseThatTheChangeMovesToAnotherSuiteWhereTheyRun) {
  const std::string diff = "-\tKUNIT_CASE(only_test),\n+\tKUNIT_CASE_SLOW(only_test),\n";
  const auto base = with_suites({{"one", {"only_test", "other_test"}}, {"two", {"other_test"}}});
  const auto moved = with_suites({{"one", {"other_test"}}, {"two", {"only_test", "other_test"}}});
  EXPECT_THAT(deleted_tests(diff, base, moved), ElementsAre("one.only_test"));
  const auto lost = with_suites({{"one", {"other_test"}}, {"two", {"other_test"}}});
  EXPECT_THAT(deleted_tests(diff, base, lost), IsEmpty()) << "it is registered, and did not run";
  EXPECT_THAT(deleted_tests("", base, moved), IsEmpty()) << "the change does not say that it moves it";
}

TEST(DeletedTests, AreSuitesUnderTheirOldName) {
  EXPECT_THAT(deleted_tests("-\t.name = \"one\",\n+\t.name = \"uno\",\n", base_result(),
                            with_suites({{"uno", {"first_test"}}, {"two", {"first_test"}}})),
              ElementsAre("one"));
}

}  // namespace
}  // namespace bowsprit::app
