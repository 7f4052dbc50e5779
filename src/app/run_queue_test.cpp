// SPDX-License-Identifier: Apache-2.0
#include "app/run_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "os/files.h"

namespace bowsprit::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RunQueueTest : public ::testing::Test {
 protected:
  RunQueueTest()
      : dir_(TempDir::create("run-queue-test").value()), store_(store::Store::open(dir_.path() / "db").value()) {}

  std::int64_t add(const std::string& job, const std::string& type = "presubmit", const Json& fields = Json::object()) {
    store::Run run;
    run.gerrit = "http://gerrit";
    run.change = ++changes_;
    run.job = job;
    run.type = type;
    run.job_json = dump_json(fields);
    run.trigger_key = "patchset";
    return store_.add_run(run).value().value();
  }
  void move(std::int64_t id, sched::JobState to) {
    auto run = store_.run(id).value().value();
    ASSERT_TRUE(store_.move_run(run, to));
  }
  RunQueue::Look look(int capacity, std::int64_t waits = 0) {
    return queue_.look(store_, {.capacity = capacity, .queues = {}}, [&](std::int64_t id) { return id != waits; })
        .value();
  }

  TempDir dir_;
  store::Store store_;
  RunQueue queue_;
  int changes_ = 0;
};

TEST_F(RunQueueTest, StartsPresubmitsFirstAndWhatWaitsForAnotherTryNotYet) {
  const auto postsubmit = add("publish", "postsubmit");
  const auto first = add("unit");
  const auto second = add("unit");
  EXPECT_THAT(look(3).start, ElementsAre(first, second, postsubmit));
  EXPECT_THAT(look(3, first).start, ElementsAre(second, postsubmit));
  EXPECT_EQ(look(3).waiting, 3);
}

TEST_F(RunQueueTest, SeesEachStateAsItIsNow) {
  const auto first = add("unit", "presubmit", {{"max_concurrency", 1}});
  const auto second = add("unit", "presubmit", {{"max_concurrency", 1}});
  EXPECT_THAT(look(2).start, ElementsAre(first));
  move(first, sched::JobState::pending);
  EXPECT_THAT(look(2).start, IsEmpty()) << "the job's own limit";
  EXPECT_EQ(look(2).running, 1);
  move(first, sched::JobState::success);
  EXPECT_THAT(look(2).start, ElementsAre(second));
}

TEST_F(RunQueueTest, StartsNothingWhereAllProcessorsAreTaken) {
  move(add("unit"), sched::JobState::pending);
  add("unit");
  const auto seen = look(1);
  EXPECT_THAT(seen.start, IsEmpty());
  EXPECT_EQ(seen.waiting, 1);
  EXPECT_EQ(seen.running, 1);
}

}  // namespace
}  // namespace bowsprit::app
