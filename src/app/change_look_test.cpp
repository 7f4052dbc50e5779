// SPDX-License-Identifier: Apache-2.0
#include "app/change_look.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/clean_up.h"
#include "app/periodics.h"
#include "app/run_limits.h"
#include "os/files.h"

namespace bowsprit::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kGerrit = "https://g.example";
constexpr const char* kJobs = R"(
plank: {max_concurrency: 2, job_queue_capacities: {heavy: 1}, pod_pending_timeout: 7m}
presubmits:
  https://g.example/linux:
  - {name: unit, always_run: true, decorate: true, spec: {containers: [{command: [run]}]}}
  - {name: manual, decorate: true, spec: {containers: [{command: [run]}]}}
postsubmits:
  https://g.example/linux:
  - {name: publish, decorate: true, spec: {containers: [{command: [run]}]}}
  - {name: docs, run_if_changed: ^Documentation/, decorate: true, spec: {containers: [{command: [run]}]}}
periodics:
- {name: nightly, interval: 1h, decorate: true, job_queue_name: heavy, extra_refs: [{org: https://g.example, repo: linux, base_ref: main}], spec: {containers: [{command: [run]}]}}
- {name: elsewhere, interval: 1h, decorate: true, extra_refs: [{org: https://other, repo: linux, base_ref: main}], spec: {containers: [{command: [run]}]}}
)";

/// The server's table and store, and a change that a test moves on.
class ChangeLook : public testing::Test {
 protected:
  ChangeLook()
      : dir_(std::move(TempDir::create("look").value())), store_(store::Store::open(dir_.path() / "db").value()) {
    EXPECT_TRUE(write_file(dir_.path() / "jobs.yaml", kJobs));
    ServerConfig config;
    config.gerrit.url = kGerrit;
    config.repos = {{.project = "linux", .prow = {}, .gerrit = {}}};
    config.prow = {dir_.path() / "jobs.yaml"};
    jobs_ = JobTable::load(std::move(config)).value();
    change_.number = 7;
    change_.project = "linux";
    change_.branch = "main";
    change_.status = "NEW";
    change_.owner = change_.uploader = {.id = 1, .name = "Ada", .email = {}, .username = "ada"};
    change_.patchset = 1;
    change_.revision = std::string(40, 'a');
    change_.ref = "refs/changes/07/7/1";
    change_.patchset_created = from_unix_millis(2000);
    change_.files = {{.path = "lib/x.c"}};
    polled_.project = "linux";
    polled_.start = from_unix_millis(1000);
  }

  /// Something happened; the server looks.
  std::vector<RunToEnd> look() {
    change_.meta_rev = fmt::format("{}", ++meta_);
    return look_at_change(store_, *jobs_, {.gerrit = kGerrit, .default_label = "Verified", .who = who_}, polled_,
                          change_)
        .value();
  }
  void say(int account, std::string text) {
    change_.messages.push_back({.id = fmt::format("m{}", change_.messages.size()),
                                .author = account,
                                .patchset = change_.patchset,
                                .date = from_unix_millis(3000),
                                .tag = {},
                                .text = std::move(text)});
  }
  std::vector<std::string> decisions() {
    std::vector<std::string> out;
    const auto decided = store_.decisions(7).value();
    for (const auto& one : decided)
      out.push_back(fmt::format("{}{} {}: {}", one.run ? "+" : "-", one.patchset, one.job, one.reason));
    return out;
  }
  std::vector<std::string> runs() {
    std::vector<std::string> out;
    const auto unfinished = store_.unfinished_runs().value();
    for (const auto& run : unfinished) out.push_back(run.type + " " + run.job);
    return out;
  }

  TempDir dir_;
  store::Store store_;
  std::unique_ptr<JobTable> jobs_;
  gerrit::Change change_;
  Polled polled_;
  trigger::Who who_ = trigger::Who::anyone;
  int meta_ = 0;
};

TEST_F(ChangeLook, ALaterLookAddsDecisionsAndChangesNone) {
  look();
  const std::vector<std::string> first{"+1 unit: new patch set 1, always_run",
                                       "-1 manual: only on command (/test manual)"};
  EXPECT_EQ(decisions(), first);
  look();  // somebody voted
  say(2, "nice");
  look();
  EXPECT_EQ(decisions(), first);
  say(2, "/test manual");
  look();
  EXPECT_THAT(decisions(), ElementsAre(first[0], first[1], "+1 manual: /test manual"));
  change_.patchset = 2;
  look();
  EXPECT_EQ(decisions().size(), 5U);
  EXPECT_EQ(decisions()[0], first[0]);
}

TEST_F(ChangeLook, WorkInProgressIsKeptAsTheReasonAlsoAfterItRan) {
  change_.work_in_progress = true;
  look();
  look();
  change_.work_in_progress = false;
  look();
  EXPECT_THAT(decisions(),
              ElementsAre("-1 unit: the change is work in progress", "-1 manual: only on command (/test manual)",
                          "+1 unit: new patch set 1, always_run"));
}

TEST_F(ChangeLook, AnUntrustedChangeWaitsAcrossLooksAndIsToldSoOnce) {
  who_ = trigger::Who::group;
  polled_.trusted = {9};
  look();
  say(1, "please test this");
  look();
  EXPECT_THAT(runs(), IsEmpty());
  EXPECT_EQ(store_.open_reports().value().size(), 1U);
  say(9, "/ok-to-test");
  look();
  EXPECT_THAT(runs(), ElementsAre("presubmit unit"));
  change_.patchset = 2;
  look();
  EXPECT_THAT(runs(), ElementsAre("presubmit unit", "presubmit unit")) << "it holds for later patch sets";
}

TEST_F(ChangeLook, PostsubmitsRunOnceOnMergeWithTheChangeInTheirRefs) {
  look();
  change_.status = "MERGED";
  change_.submitted = from_unix_millis(4000);
  look();
  say(1, "it is in");
  look();
  EXPECT_THAT(runs(), ElementsAre("presubmit unit", "postsubmit publish"));
  EXPECT_THAT(decisions(), testing::Contains("-1 docs: run_if_changed '^Documentation/' matches no changed file"));
  const auto run = store_.unfinished_runs().value()[1];
  EXPECT_EQ(run.trigger_key, "merged");
  EXPECT_EQ(run.revision, change_.revision);
}

TEST_F(ChangeLook, AMergeFromBeforeOurTimeStartsNothing) {
  change_.status = "MERGED";
  change_.submitted = from_unix_millis(500);
  look();
  EXPECT_THAT(runs(), IsEmpty());
}

TEST_F(ChangeLook, AbortIsKeptWithTheLook) {
  look();
  say(1, "/test manual");
  look();
  say(1, "/abort manual");
  const auto ends = look();
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].why, "/abort by account 1");
  EXPECT_EQ(store_.run(ends[0].run).value()->job, "manual");
  EXPECT_EQ(store_.run(ends[0].run).value()->abort_reason, "/abort by account 1");
  change_.patchset = 2;
  EXPECT_EQ(look().size(), 2U) << "both are of the old patch set";
}

TEST_F(ChangeLook, APeriodicStartsOnceForAnOccasionAndOnlyWhereItsSourceIsOurs) {
  const auto periodics = jobs_->periodics();
  const auto queue = [&](std::int64_t hour) {
    ASSERT_TRUE(queue_due_periodics(store_, *periodics, kGerrit, from_unix_millis(hour * 3'600'000)));
  };
  queue(10);
  queue(10);  // as after a restart
  EXPECT_THAT(runs(), ElementsAre("periodic nightly"));
  auto run = store_.unfinished_runs().value()[0];
  EXPECT_EQ(run.project, "linux");
  EXPECT_EQ(run.branch, "main");
  EXPECT_EQ(queue_entry(run).queue, "heavy");
  EXPECT_EQ(queue_entry(run).priority, -20);
  run.started = run.created;
  ASSERT_TRUE(store_.move_run(run, sched::JobState::pending));
  queue(12);
  EXPECT_EQ(runs().size(), 1U) << "it has not ended";
  run.finished = from_unix_millis(10 * 3'600'000 + 1000);
  ASSERT_TRUE(store_.move_run(run, sched::JobState::success));
  queue(12);
  EXPECT_EQ(store_.unfinished_runs().value()[0].attempt, 2);
}

TEST_F(ChangeLook, CleaningUpKeepsTheLastRunOfALivePeriodic) {
  const auto periodics = jobs_->periodics();
  const auto end = [&] {
    auto run = store_.unfinished_runs().value()[0];
    run.finished = run.created;
    EXPECT_TRUE(store_.move_run(run, sched::JobState::aborted));
    return run.id;
  };
  ASSERT_TRUE(queue_due_periodics(store_, *periodics, kGerrit, from_unix_millis(3'600'000)));
  const auto periodic = end();
  look();
  const auto presubmit = end();
  const auto left = dir_.path() / "runs" / "4711";
  ASSERT_TRUE(make_dirs(left));
  CleanUp what{.gerrit = kGerrit, .work = dir_.path() / "runs"};
  const auto later = SystemClock::now() + std::chrono::hours(2);
  ASSERT_TRUE(clean_up(store_, *periodics, what, later));
  EXPECT_TRUE(store_.run(presubmit).value()) << "no age is configured";
  EXPECT_TRUE(fs::exists(left));
  what.runs = std::chrono::hours(1);
  what.folders = std::chrono::hours(1);
  ASSERT_TRUE(clean_up(store_, *periodics, what, later));
  EXPECT_FALSE(store_.run(presubmit).value());
  EXPECT_TRUE(store_.run(periodic).value());
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(ChangeLook, LimitsComeFromProwsSettingsUnlessOursSayOtherwise) {
  const auto settings = jobs_->settings();
  EXPECT_EQ(queue_limits(*settings, 8).capacity, 2);
  EXPECT_EQ(queue_limits(*settings, 1).capacity, 1);
  EXPECT_EQ(queue_limits(*settings, 8).queues.at("heavy"), 1);
  EXPECT_EQ(deadlines(*settings, {}).pending, std::chrono::minutes(7));
  EXPECT_EQ(deadlines(*settings, {}).running, std::chrono::hours(48));
  EXPECT_EQ(deadlines(*settings, {}).scheduling, milliseconds(0));
  EXPECT_EQ(deadlines(*settings, {.pending = seconds(3)}).pending, seconds(3));
}

}  // namespace
}  // namespace bowsprit::app
