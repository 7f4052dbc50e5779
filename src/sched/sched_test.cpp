// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sched/deadline.h"
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
  EXPECT_EQ(startable(queue, {2}), (std::vector<std::int64_t>{2}));
  EXPECT_EQ(startable(queue, {3}), (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(startable(queue, {1}).empty());
}

TEST(Queue, AJobAtItsLimitDoesNotHoldBackOthers) {
  const std::vector<QueueEntry> queue{
      {1, "a", 1, pending}, {2, "a", 1, triggered}, {3, "b", 1, triggered}, {4, "b", 1, triggered}};
  EXPECT_EQ(startable(queue, {9}), (std::vector<std::int64_t>{3}));
}

TEST(Queue, AQueueHasItsOwnLimitAcrossJobs) {
  const std::vector<QueueEntry> queue{{1, "a", 0, pending, "heavy"},
                                      {2, "b", 0, triggered, "heavy"},
                                      {3, "c", 0, triggered, "light"},
                                      {4, "d", 0, triggered, "unknown"},
                                      {5, "e", 0, triggered, "closed"}};
  const auto ids = [&queue](std::map<std::string, int> limits) { return startable(queue, {9, std::move(limits)}); };
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(ids({{"heavy", 1}, {"light", -1}, {"closed", 0}}), (Ids{3, 4}));
  EXPECT_EQ(ids({{"heavy", 2}, {"light", 1}, {"closed", -1}}), (Ids{2, 3, 4, 5}));
}

TEST(Queue, HigherPriorityFirstThenOldest) {
  const std::vector<QueueEntry> queue{{1, "a", 0, triggered, "", 0},
                                      {2, "b", 0, triggered, "", 20},
                                      {3, "c", 0, triggered, "", 20},
                                      {4, "d", 0, pending, "", -5}};
  EXPECT_EQ(startable(queue, {3}), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(startable(queue, {9}), (std::vector<std::int64_t>{2, 3, 1}));
}

TEST(Deadline, TellsSchedulingPendingAndRunningApart) {
  const Deadlines limits{.scheduling = seconds(30), .pending = seconds(20), .running = seconds(10)};
  struct Case {
    JobState state;
    const char* phase;
    int stays;
    const char* said;  ///< empty: nothing
  };
  for (const Case& one : std::vector<Case>{{triggered, "", 29, ""},
                                           {triggered, "", 30, "scheduling timeout: it waited in the queue for 30s"},
                                           {pending, "source", 19, ""},
                                           {pending, "source", 21, "pending timeout: its source was not there for 21s"},
                                           {pending, "warm", 99, ""},
                                           {pending, "run", 9, ""},
                                           {pending, "run", 10, "running timeout: it ran for 10s"},
                                           {success, "", 99, ""}})
    EXPECT_EQ(overdue({one.state, one.phase, seconds(one.stays)}, limits).value_or(""), one.said);
  EXPECT_FALSE(overdue({triggered, "", seconds(1'000'000)}, {}));
}

}  // namespace
}  // namespace bowsprit::sched
