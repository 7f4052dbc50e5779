// SPDX-License-Identifier: Apache-2.0
#include "app/warm_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::app {
namespace {

using ::testing::ElementsAre;

TEST(WarmJobs, KnowTheBranchThatAnExpressionCanOnlyMean) {
  EXPECT_EQ(plain_branch("master"), "master");
  EXPECT_EQ(plain_branch("^linux-6\\.12\\.y$"), "linux-6.12.y");
  EXPECT_EQ(plain_branch("for-next/kunit"), "for-next/kunit");
  for (const char* several : {"linux-.*", "(a|b)", "release-[0-9]+", "^$", "feature/?"})
    EXPECT_EQ(plain_branch(several), std::nullopt) << several;
}

TEST(WarmJobs, AreThoseThatStartByThemselvesOnTheirPlainBranchesOrHead) {
  ServerConfig config;
  config.gerrit.url = "https://gerrit.example";
  config.repos = {{.project = "linux"}, {.project = "linux", .prow = "https://other/linux"}};
  prow::Presubmit everywhere;
  everywhere.name = "everywhere";
  everywhere.always_run = true;
  prow::Presubmit branches = everywhere;
  branches.name = "branches";
  branches.branches = {"^stable$", "feature-.*"};
  prow::Presubmit by_hand;
  by_hand.name = "by-hand";
  const auto requests = warm_requests(config, [&](const std::string& project) {
    EXPECT_EQ(project, "linux");
    return std::vector{everywhere, branches, by_hand};
  });
  std::vector<std::string> found;
  for (const auto& request : requests) {
    EXPECT_TRUE(request.refs.pulls.empty());
    EXPECT_EQ(request.refs.clone_uri, "https://gerrit.example/linux") << "as of the job's own runs";
    found.push_back(request.job.name + " " + request.refs.base_ref);
  }
  EXPECT_THAT(found, ElementsAre("everywhere ", "branches stable"));
}

}  // namespace
}  // namespace bowsprit::app
