// SPDX-License-Identifier: Apache-2.0
#include "exec/local/warm_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::exec {
namespace {

using ::testing::ElementsAre;

/// The hooks, which note what they are asked and answer as told.
class WarmKeeperTest : public ::testing::Test {
 protected:
  static constexpr milliseconds kNever{3'600'000};

  static RunRequest request(const std::string& branch) {
    RunRequest out;
    out.refs.repo = "linux";
    out.refs.base_ref = branch;
    return out;
  }
  void start(WarmKeeper::Times times = {kNever, kNever, kNever, milliseconds(5)}) {
    keeper_ =
        std::make_unique<WarmKeeper>(WarmKeeper::Hooks{.may_start =
                                                           [this] {
                                                             const std::scoped_lock lock(mutex_);
                                                             ++asked_;
                                                             changed_.notify_all();
                                                             return free_;
                                                           },
                                                       .bring_to_tip = [this](const RunRequest& wanted) -> Result<> {
                                                         const std::scoped_lock lock(mutex_);
                                                         seen_.push_back(wanted.refs.base_ref);
                                                         changed_.notify_all();
                                                         if (--failures_ >= 0)
                                                           return fail(ErrorKind::unavailable, "away");
                                                         return {};
                                                       }},
                                     times);
  }
  std::vector<std::string> seen_when(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return seen_.size() >= count; }));
    return seen_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool free_ = true;
  int asked_ = 0;
  int failures_ = 0;
  std::vector<std::string> seen_;
  std::unique_ptr<WarmKeeper> keeper_;
};

TEST_F(WarmKeeperTest, BringsAllThatIsWantedToItsTipOnceAndAgainWhenItsBranchMoves) {
  start();
  keeper_->want({request("a"), request("b"), request("a")});
  EXPECT_THAT(seen_when(2), ElementsAre("a", "b"));
  keeper_->branch_moved("other", "b");
  keeper_->branch_moved("linux", "c");
  keeper_->branch_moved("linux", "b");
  EXPECT_THAT(seen_when(3), ElementsAre("a", "b", "b"));
  keeper_->want({request("a"), request("b"), request("c")});
  EXPECT_THAT(seen_when(4), ElementsAre("a", "b", "b", "c")) << "what was wanted before keeps its state";
}

TEST_F(WarmKeeperTest, TakesHeadForAnyBranchThatMoves) {
  start();
  keeper_->want({request("")});
  seen_when(1);
  keeper_->branch_moved("linux", "main");
  EXPECT_THAT(seen_when(2), ElementsAre("", ""));
}

TEST_F(WarmKeeperTest, WaitsUntilAJobMoreCouldRun) {
  free_ = false;
  start();
  keeper_->want({request("a")});
  std::unique_lock lock(mutex_);
  ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return asked_ >= 3; }));
  EXPECT_TRUE(seen_.empty());
  free_ = true;
  lock.unlock();
  EXPECT_THAT(seen_when(1), ElementsAre("a"));
}

TEST_F(WarmKeeperTest, TriesAFailureAgainAndLooksAtAllFromTimeToTime) {
  failures_ = 2;
  start({.recheck = kNever, .first_retry = milliseconds(1), .longest_retry = milliseconds(2), .look = milliseconds(1)});
  keeper_->want({request("a")});
  EXPECT_THAT(seen_when(3), ElementsAre("a", "a", "a"));
  keeper_.reset();
  EXPECT_EQ(seen_.size(), 3U);
  start({.recheck = milliseconds(1), .first_retry = kNever, .longest_retry = kNever, .look = milliseconds(1)});
  keeper_->want({request("b")});
  seen_when(6);
}

}  // namespace
}  // namespace bowsprit::exec
