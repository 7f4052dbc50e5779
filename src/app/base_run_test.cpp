// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/base_run.h"
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

RunResult base_result() {
  RunResult result;
  for (const char* suite : {"one", "two"}) {
    ktap::TestNode node{.name = suite};
    for (const char* name : {"first_test", "second_test"}) node.children.push_back({.name = name});
    result.suites.push_back(std::move(node));
  }
  return result;
}

TEST(DeletedTests, AreThoseWhoseDefinitionIsGone) {
  EXPECT_THAT(deleted_tests("-static void first_test(struct kunit *test)\n-{\n-}\n", base_result()),
              ElementsAre("one.first_test", "two.first_test"));
  EXPECT_THAT(deleted_tests("-\t.name = \"one\",\n", base_result()), ElementsAre("one"));
}

TEST(DeletedTests, AreNotThoseThatAreOnlyNoLongerRegisteredOrWereMoved) {
  EXPECT_THAT(deleted_tests("-\tKUNIT_CASE(first_test),\n+\tKUNIT_CASE(second_test),\n", base_result()), IsEmpty());
  EXPECT_THAT(
      deleted_tests("--- a/x.c\n-static void first_test(struct kunit *test)\n+void first_test(struct kunit *t)\n",
                    base_result()),
      IsEmpty());
}

}  // namespace
}  // namespace bowsprit::app
