// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sched/job_state.h"
#include "sched/queue.h"

namespace bowsprit::sched {
namespace {

using enum JobState;

TEST(JobState, NamesAreReadBack) {
  for (const auto state : {triggered, pending, success, failure, aborted, error})
    EXPECT_EQ(job_state_from_string(to_string(state)), state);
  EXPECT_FALSE(job_state_from_string("done"));
}

TEST(JobState, NothingLeavesAFinalState) {
  for (const auto from : {success, failure, aborted, error}) {
    EXPECT_TRUE(is_final(from));
    for (const auto to : {triggered, pending, success, failure, aborted, error}) EXPECT_FALSE(can_move(from, to));
  }
  EXPECT_TRUE(can_move(pending, triggered));
  EXPECT_FALSE(can_move(triggered, success));
}

TEST(Queue, OldestFirstUpToTheCapacity) {
  const std::vector<QueueEntry> queue{{1, "a", 0, pending}, {2, "a", 0, triggered}, {3, "b", 0, triggered}};
  EXPECT_EQ(startable(queue, 2), (std::vector<std::int64_t>{2}));
  EXPECT_EQ(startable(queue, 3), (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(startable(queue, 1).empty());
}

TEST(Queue, AJobAtItsLimitDoesNotHoldBackOthers) {
  const std::vector<QueueEntry> queue{
      {1, "a", 1, pending}, {2, "a", 1, triggered}, {3, "b", 1, triggered}, {4, "b", 1, triggered}};
  EXPECT_EQ(startable(queue, 9), (std::vector<std::int64_t>{3}));
}

}  // namespace
}  // namespace bowsprit::sched
