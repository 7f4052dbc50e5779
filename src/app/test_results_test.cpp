// SPDX-License-Identifier: Apache-2.0
#include "app/test_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::app {
namespace {

using ktap::TestStatus;

ktap::TestNode node(std::string name, TestStatus status, std::vector<ktap::TestNode> children = {}) {
  ktap::TestNode out;
  out.name = std::move(name);
  out.status = status;
  out.children = std::move(children);
  return out;
}

TEST(TestResults, AreTheLeavesWithOriginsAndTheFailuresThatNoLeafTells) {
  RunResult result;
  result.suites = {
      node("list", TestStatus::failed,
           {node("sort", TestStatus::failed),
            node("add", TestStatus::passed, {node("one", TestStatus::passed), node("two", TestStatus::skipped)})})};
  result.suites[0].children[0].seconds = 0.25;
  result.failures = {{.test = "list.sort", .status = TestStatus::failed, .origin = Origin::flaky},
                     {.test = "gone.case", .status = TestStatus::missing, .origin = Origin::new_failure}};
  std::vector<std::string> told;
  for (const auto& entry : test_results(result))
    told.push_back(fmt::format("{} {} {} {}", entry.test, ktap::to_string(entry.outcome.status),
                               to_string(entry.outcome.origin), entry.outcome.seconds.value_or(-1)));
  EXPECT_THAT(told, testing::ElementsAre("list.sort failed flaky 0.25", "list.add.one passed unknown -1",
                                         "list.add.two skipped unknown -1", "gone.case missing new -1"));
}

}  // namespace
}  // namespace bowsprit::app
