// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "os/fd.h"
#include "os/files.h"
#include "store/migrations.h"
#include "store/sqlite.h"

namespace bowsprit::store {
namespace {

using sched::JobState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// gtest's Test has a private member Run, which hides the row's name in its fixtures.
using RunRow = Run;

class StoreTest : public testing::Test {
 protected:
  StoreTest() : dir_(std::move(TempDir::create("store").value())), file_(dir_.path() / "state.sqlite") {}
  [[nodiscard]] Store open() const { return Store::open(file_).value(); }
  void create() const { ASSERT_TRUE(Store::open(file_)); }

  static RunRow sample(int change, std::string job, std::string key = "patchset") {
    RunRow run;
    run.prow_job_id = "00000000-0000-4000-8000-000000000001";
    run.gerrit = "https://gerrit.example";
    run.project = "linux";
    run.branch = "master";
    run.change = change;
    run.patchset = 1;
    run.revision = "a1b2";
    run.ref = "refs/changes/01/1/1";
    run.subject = "lib: it's a \"subject\" with \xF0\x9F\x90\xA7";
    run.author = "Ada";
    run.job = std::move(job);
    run.job_json = "{}";
    run.report_label = "Verified";
    run.trigger_key = std::move(key);
    run.reason = "always_run";
    run.created = from_unix_millis(1764000000123);
    return run;
  }
  static Report report(int change, int patchset, std::string label, std::string key) {
    Report report;
    report.gerrit = "https://gerrit.example";
    report.project = "linux";
    report.change = change;
    report.patchset = patchset;
    report.label = std::move(label);
    report.key = std::move(key);
    report.message = "text";
    return report;
  }

  TempDir dir_;
  fs::path file_;
  int next_change_ = 1;
};

TEST_F(StoreTest, GivesARunBackAsItWasAdded) {
  Store store = open();
  RunRow run = sample(7, "kunit");
  run.optional = true;
  run.infra_retries = 2;
  run.started = from_unix_millis(1764000001000);
  const auto id = store.add_run(run).value();
  ASSERT_TRUE(id);
  const auto got = store.run(*id).value();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->subject, run.subject);
  EXPECT_EQ(got->created, run.created);
  EXPECT_EQ(got->started, run.started);
  EXPECT_EQ(got->finished, std::nullopt);
  EXPECT_TRUE(got->optional);
  EXPECT_FALSE(got->skip_report);
  EXPECT_EQ(got->infra_retries, 2);
  EXPECT_EQ(got->state, JobState::triggered);
  EXPECT_FALSE(store.run(*id + 1).value());
}

TEST_F(StoreTest, AddsTheSameTriggerOnce) {
  Store store = open();
  const auto first = store.add_run(sample(7, "kunit")).value();
  EXPECT_TRUE(first);
  EXPECT_FALSE(store.add_run(sample(7, "kunit")).value());
  EXPECT_TRUE(store.add_run(sample(7, "kunit", "message:abc")).value());
  EXPECT_EQ(store.runs({.change = 7}).value().size(), 2U);
  EXPECT_EQ(store.run_events(*first).value().size(), 1U);
}

TEST_F(StoreTest, MovesARunOnlyAlongEdgesAndKeepsAnEventOfEach) {
  Store store = open();
  RunRow run = sample(7, "kunit");
  run.id = store.add_run(run).value().value();
  EXPECT_EQ(store.move_run(run, JobState::success).error().kind, ErrorKind::conflict);
  run.phase = "source";
  ASSERT_TRUE(store.move_run(run, JobState::pending));
  ASSERT_TRUE(store.set_phase(run.id, "build"));
  ASSERT_TRUE(store.set_phase(run.id, "build"));  // the same again is no event
  run.verdict = "failed";
  run.phase.clear();
  run.finished = from_unix_millis(1764000009000);
  ASSERT_TRUE(store.move_run(run, JobState::failure));
  EXPECT_EQ(store.move_run(run, JobState::pending).error().kind, ErrorKind::conflict);
  ASSERT_TRUE(store.set_phase(run.id, "late"));  // a late report of a phase must not touch a finished run

  const auto got = store.run(run.id).value().value();
  EXPECT_EQ(got.state, JobState::failure);
  EXPECT_EQ(got.verdict, "failed");
  EXPECT_EQ(got.phase, "");
  EXPECT_EQ(got.finished, run.finished);
  std::vector<std::string> steps;
  const auto all_events = store.run_events(run.id).value();
  for (const auto& event : all_events)
    steps.push_back(fmt::format("{}>{} {}", event.from ? sched::to_string(*event.from) : "", sched::to_string(event.to),
                                event.phase));
  EXPECT_THAT(steps,
              ElementsAre(">triggered ", "triggered>pending source", "pending>pending build", "pending>failure "));
  EXPECT_EQ(store.events_after(1, 2).value().size(), 2U);
  EXPECT_EQ(store.last_event().value(), 4);
}

TEST_F(StoreTest, MovingAnUnknownRunIsNotFound) {
  Store store = open();
  RunRow run = sample(7, "kunit");
  run.id = 99;
  EXPECT_EQ(store.move_run(run, JobState::pending).error().kind, ErrorKind::not_found);
  EXPECT_EQ(store.set_phase(99, "build").error().kind, ErrorKind::not_found);
}

TEST_F(StoreTest, FiltersAndPages) {
  Store store = open();
  std::vector<std::int64_t> ids;
  for (int change = 1; change <= 5; ++change)
    for (const char* job : {"kunit-um", "kunit-x86"}) ids.push_back(store.add_run(sample(change, job)).value().value());
  RunRow run = store.run(ids[0]).value().value();
  ASSERT_TRUE(store.move_run(run, JobState::aborted));

  EXPECT_EQ(store.runs({.limit = 3}).value().front().id, ids.back());
  EXPECT_EQ(store.runs({.before_id = ids[2]}).value().size(), 2U);
  EXPECT_EQ(store.runs({.job = "kunit-um"}).value().size(), 5U);
  EXPECT_EQ(store.runs({.change = 1, .job = "kunit-um", .state = JobState::aborted}).value().size(), 1U);
  EXPECT_EQ(store.runs({.unfinished = true}).value().size(), 9U);
  EXPECT_EQ(store.runs({.gerrit = "https://other.example"}).value().size(), 0U);
  EXPECT_EQ(store.unfinished_runs().value().front().id, ids[1]);
}

TEST_F(StoreTest, FindsRunsByTheirWords) {
  Store store = open();
  RunRow run = sample(1, "kunit-um");
  run.subject = "lib/list_sort: keep the order in list_sort()";
  run.author = "Zo\xC3\xAB Dijkstra";
  run.id = store.add_run(run).value().value();
  store.add_run(sample(2, "kunit-x86")).value();
  ASSERT_TRUE(store.move_run(run, JobState::pending));
  run.description = "2 of 5 tests failed: hash.test_int_hash";
  ASSERT_TRUE(store.move_run(run, JobState::failure));
  const auto found = [&store](std::string words) { return store.runs({.words = std::move(words)}).value().size(); };
  EXPECT_EQ(found("list_sort()"), 1U);
  EXPECT_EQ(found("LIST ord"), 1U);
  EXPECT_EQ(found("zoe"), 1U);
  EXPECT_EQ(found("test_int"), 1U);  // came with the end of the run
  EXPECT_EQ(found("kunit"), 2U);
  EXPECT_EQ(found("kunit nothing"), 0U);
  EXPECT_EQ(store.runs({.job = "kunit-x86", .words = "kunit"}).value().size(), 1U);
  EXPECT_EQ(store.runs({.words = "kunit", .before_id = run.id}).value().size(), 0U);
  for (const char* odd :
       {"\"", "NOT", "a AND", "(", "*", "x:y", "^", "-kunit \" OR 1", "   ", "()", "'; DROP TABLE runs"})
    EXPECT_TRUE(store.runs({.words = odd})) << odd;
}

TEST_F(StoreTest, NamesAllJobs) {
  Store store = open();
  EXPECT_TRUE(store.jobs().value().empty());
  for (const char* job : {"b", "a", "b", "c"}) store.add_run(sample(next_change_++, job)).value();
  EXPECT_THAT(store.jobs().value(), ElementsAre("a", "b", "c"));
}

TEST_F(StoreTest, LatestRunsAreTheNewestOfEachJobOfThePatchSet) {
  Store store = open();
  store.add_run(sample(3, "b")).value();
  store.add_run(sample(3, "a")).value();
  const auto again = store.add_run(sample(3, "b", "message:1")).value().value();
  RunRow other = sample(3, "c");
  other.patchset = 2;
  store.add_run(other).value();
  const auto latest = store.latest_runs("https://gerrit.example", 3, 1).value();
  ASSERT_EQ(latest.size(), 2U);
  EXPECT_EQ(latest[0].job, "a");
  EXPECT_EQ(latest[1].id, again);
}

TEST_F(StoreTest, RemembersMarksAndPollPositions) {
  Store store = open();
  EXPECT_FALSE(store.change_mark("https://g", 1).value());
  ChangeMark mark{.gerrit = "https://g",
                  .change = 1,
                  .project = "p",
                  .meta_rev = "m",
                  .patchset_triggered = 2,
                  .last_message = "x"};
  ASSERT_TRUE(store.save_change_mark(mark));
  mark.meta_rev = "n";
  ASSERT_TRUE(store.save_change_mark(mark));
  EXPECT_EQ(store.change_mark("https://g", 1).value()->meta_rev, "n");
  EXPECT_FALSE(store.poll_position("https://g", "p").value());
  ASSERT_TRUE(store.save_poll_position("https://g", "p", from_unix_millis(5)));
  ASSERT_TRUE(store.save_poll_position("https://g", "p", from_unix_millis(6)));
  EXPECT_EQ(store.poll_position("https://g", "p").value(), from_unix_millis(6));
  EXPECT_EQ(store.poll_start("https://g", "p").value(), from_unix_millis(5));
}

TEST_F(StoreTest, AReportSupersedesWhatItMakesOutOfDate) {
  Store store = open();
  ASSERT_TRUE(store.add_report(report(1, 1, "Verified", "r1")).value());
  EXPECT_FALSE(store.add_report(report(1, 1, "Verified", "r1")).value());
  ASSERT_TRUE(store.add_report(report(1, 1, "Lint", "r2")).value());
  ASSERT_TRUE(store.add_report(report(2, 1, "Verified", "r3")).value());
  auto open_now = store.open_reports().value();
  open_now[2].state = Report::State::sending;
  open_now[2].tries = 3;
  ASSERT_TRUE(store.save_report(open_now[2]));
  ASSERT_TRUE(store.add_report(report(1, 1, "Verified", "r4")).value());  // r1 never left
  ASSERT_TRUE(store.add_report(report(2, 2, "Verified", "r5")).value());  // r3 may be on its way: it stays
  std::vector<std::string> keys;
  const auto all_open_reports = store.open_reports().value();
  for (const auto& open_report : all_open_reports) keys.push_back(open_report.key);
  EXPECT_THAT(keys, ElementsAre("r2", "r3", "r4", "r5"));
  ASSERT_TRUE(store.add_report(report(1, 2, "Verified", "r6")).value());
  EXPECT_EQ(store.open_reports().value().size(), 3U);
  EXPECT_EQ(store.save_report(Report{.id = 77}).error().kind, ErrorKind::not_found);
}

TEST_F(StoreTest, RemembersWhatWasSaidOnLinesOnceTheReportIsSent) {
  Store store = open();
  Report one = report(1, 1, "Verified", "r1");
  one.findings = R"([{"file":"lib/x.c"}])";
  ASSERT_TRUE(store.add_report(one).value());
  one = store.open_reports().value().at(0);
  EXPECT_EQ(one.findings, R"([{"file":"lib/x.c"}])");
  one.comment_keys = {"b", "a"};
  one.state = Report::State::waiting;
  ASSERT_TRUE(store.save_report(one));
  EXPECT_THAT(store.comment_keys(one.gerrit, 1).value(), IsEmpty());
  one.state = Report::State::sent;
  ASSERT_TRUE(store.save_report(one));
  ASSERT_TRUE(store.save_report(one)) << "the same again is no conflict";
  EXPECT_THAT(store.comment_keys(one.gerrit, 1).value(), ElementsAre("a", "b"));
  EXPECT_THAT(store.comment_keys(one.gerrit, 2).value(), IsEmpty());
  EXPECT_THAT(store.comment_keys("https://other", 1).value(), IsEmpty());
}

TEST_F(StoreTest, ATransactionIsAllOrNothing) {
  Store store = open();
  {
    Store::Transaction transaction(store);
    ASSERT_TRUE(store.add_run(sample(1, "a")));
    ASSERT_TRUE(store.save_poll_position("https://g", "p", from_unix_millis(5)));
  }
  EXPECT_TRUE(store.runs({}).value().empty());
  EXPECT_FALSE(store.poll_position("https://g", "p").value());
  Store::Transaction transaction(store);
  RunRow run = sample(1, "a");
  run.id = store.add_run(run).value().value();
  EXPECT_FALSE(store.move_run(run, JobState::success));  // a failing call inside takes back only itself
  EXPECT_TRUE(transaction.commit());
  EXPECT_EQ(store.runs({}).value().size(), 1U);
}

TEST_F(StoreTest, TheFileIsForItsOwnerOnly) {
  Store store = open();
  ASSERT_TRUE(store.add_run(sample(1, "a")));
  for (const auto& entry : fs::directory_iterator(dir_.path()))
    EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write) << entry.path();
}

TEST_F(StoreTest, APostsubmitOfTheSameNameIsAnotherJob) {
  Store store = open();
  RunRow merged = sample(7, "kunit", "merged");
  merged.type = "postsubmit";
  EXPECT_TRUE(store.add_run(sample(7, "kunit")).value());
  EXPECT_TRUE(store.add_run(merged).value());
  const auto latest = store.latest_runs(merged.gerrit, 7, 1).value();
  ASSERT_EQ(latest.size(), 2U);
  EXPECT_EQ(latest[0].type, "postsubmit");
  EXPECT_EQ(latest[1].type, "presubmit");
}

TEST_F(StoreTest, WhatIsToldToEndStaysToldForItsFirstReason) {
  Store store = open();
  RunRow run = sample(7, "kunit");
  run.id = store.add_run(run).value().value();
  ASSERT_TRUE(store.move_run(run, JobState::pending));
  ASSERT_TRUE(store.ask_abort(run.id, "first"));
  ASSERT_TRUE(store.ask_abort(run.id, "second"));
  EXPECT_EQ(store.run(run.id).value()->abort_reason, "first");
  ASSERT_TRUE(store.move_run(run, JobState::aborted));
  EXPECT_EQ(store.ask_abort(run.id, "third").error().kind, ErrorKind::not_found);
  EXPECT_EQ(store.ask_abort(run.id + 1, "none").error().kind, ErrorKind::not_found);
}

TEST_F(StoreTest, ADecisionIsKeptAndNeverOverwritten) {
  Store store = open();
  Decision decision{.gerrit = "g", .change = 7, .patchset = 1, .job = "kunit", .cause = "patchset", .run = true};
  decision.reason = "new patch set 1, always_run";
  ASSERT_TRUE(store.add_decision(decision));
  ASSERT_TRUE(store.add_decision(decision));  // the same look again, after a crash
  Decision later = decision;
  later.run = false;
  later.cause = "message:m1";
  later.reason = "only on command";
  ASSERT_TRUE(store.add_decision(later));
  ASSERT_TRUE(store.add_decision(decision));
  std::vector<std::string> reasons;
  const auto kept = store.decisions(7).value();
  for (const auto& one : kept) reasons.push_back(one.reason);
  EXPECT_THAT(reasons, ElementsAre(decision.reason, later.reason, decision.reason));
  EXPECT_TRUE(store.decisions(8).value().empty());
}

TEST_F(StoreTest, APeriodicIsKnownSinceItsScheduleIs) {
  Store store = open();
  const auto early = from_unix_millis(1000);
  const auto late = from_unix_millis(9000);
  EXPECT_EQ(store.periodic_since("g", "p", "cron 0 * * * *", early).value(), early);
  EXPECT_EQ(store.periodic_since("g", "p", "cron 0 * * * *", late).value(), early);
  EXPECT_EQ(store.periodic_since("g", "p", "cron 5 * * * *", late).value(), late);
  RunRow run = sample(0, "p", "cron:1");
  run.type = "periodic";
  EXPECT_FALSE(store.latest_periodic(run.gerrit, "p").value());
  run.id = store.add_run(run).value().value();
  EXPECT_EQ(store.latest_periodic(run.gerrit, "p").value()->id, run.id);
}

TEST_F(StoreTest, OldRunsGoWithTheirEventsAndTheKeptOnesStay) {
  Store store = open();
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 4; ++i) {
    RunRow run = sample(i, "kunit");
    run.id = store.add_run(run).value().value();
    ids.push_back(run.id);
    if (i == 3) continue;  // has not ended
    run.finished = from_unix_millis(1000 + i);
    ASSERT_TRUE(store.move_run(run, JobState::aborted));
  }
  const auto removed = store.remove_runs(from_unix_millis(1002), {ids[1]}).value();
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed[0].id, ids[0]);
  EXPECT_FALSE(store.run(ids[0]).value());
  EXPECT_TRUE(store.run_events(ids[0]).value().empty());
  for (const int kept : {1, 2, 3}) EXPECT_TRUE(store.run(ids[static_cast<std::size_t>(kept)]).value());
}

TEST_F(StoreTest, RefusesAFileOfANewerProgramAndAFileThatIsNoDatabase) {
  {
    create();
  }
  {
    auto database = Database::open(file_).value();
    ASSERT_TRUE(database->run("INSERT INTO schema_version (version) VALUES (?)", 4711));
  }
  EXPECT_THAT(Store::open(file_).error().text(), HasSubstr("schema version 4711"));
  const auto other = dir_.path() / "other";
  ASSERT_TRUE(write_file(other, std::string(8192, 'x')));
  EXPECT_EQ(Store::open(other).error().kind, ErrorKind::bad_data);
}

TEST_F(StoreTest, BringsEveryOlderSchemaUpToDateAndKeepsItsRows) {
  std::vector<int> versions{0};
  for (const Step& step : migrations()) versions.push_back(step.version);
  for (const int from : versions) {
    const auto file = dir_.path() / fmt::format("v{}", from);
    {
      auto database = Database::open(file).value();
      ASSERT_TRUE(migrate(*database, from));
      if (from > 0) {
        ASSERT_TRUE(
            database->run("INSERT INTO poll_positions (gerrit, project, start, updated) VALUES ('g', 'p', 1, 42)"));
        ASSERT_TRUE(database->run(
            "INSERT INTO runs (id, prow_job_id, gerrit, project, branch, change, patchset, revision, ref, "
            "subject, author, job, job_json, report_label, optional, skip_report, attempt, trigger_key, "
            "reason, state, verdict, description, base_sha, merged_sha, artifacts, phase, infra_retries, "
            "created) VALUES (1, '', 'g', 'p', 'b', 7, 1, 'r', 'ref', 'an old subject', 'a', "
            "'j', '{}', '', 0, 0, 1, 'patchset', '', 'triggered', '', '', '', '', '', '', 0, 5)"));
      }
    }
    auto store = Store::open(file);
    ASSERT_TRUE(store) << store.error().text();
    EXPECT_EQ(store->poll_position("g", "p").value().has_value(), from > 0);
    EXPECT_EQ(store->runs({.words = "old"}).value().size(), from > 0 ? 1U : 0U);
    EXPECT_TRUE(store->add_run(sample(1, "a")).value());
  }
}

TEST_F(StoreTest, TwoThreadsWriteThroughTheirOwnConnections) {
  {
    create();
  }
  constexpr int kEach = 100;
  const auto write = [this](int thread) {
    Store store = open();
    for (int i = 0; i < kEach; ++i) {
      RunRow run = sample(thread * kEach + i, "job");
      run.id = store.add_run(run).value().value();
      ASSERT_TRUE(store.move_run(run, JobState::pending));
    }
  };
  {
    std::jthread first(write, 1);
    std::jthread second(write, 2);
    Store reader = open();
    while (reader.runs({.state = JobState::pending, .limit = 1000}).value().size() < 2 * kEach)
      std::this_thread::yield();
  }
  EXPECT_EQ(open().last_event().value(), 4 * kEach);
}

/// Writes for ever and says on a pipe which rows it was told are done.
[[noreturn]] void write_until_killed(const fs::path& file, const Fd& done) {
  Store store = Store::open(file).value();
  for (int change = 1;; ++change) {
    RunRow run;
    run.change = change;
    run.job = "kunit";
    run.trigger_key = "patchset";
    Store::Transaction both(store);
    run.id = store.add_run(run).value().value();
    store.move_run(run, JobState::pending).value();
    store.save_poll_position("g", "p", from_unix_millis(change)).value();
    both.commit().value();
    const std::string line = fmt::format("{}\n", change);
    if (!done.write_all(line)) _exit(0);
  }
}

TEST_F(StoreTest, AWriterKilledAtAnyInstantLosesNothingThatItWasToldIsDone) {
  {
    create();
  }
  std::int64_t before = 0;
  for (int round = 1; round <= 5; ++round) {
    const auto file = dir_.path() / fmt::format("round{}", round);
    Pipe pipe = Pipe::create().value();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      pipe.reader.reset();
      write_until_killed(file, pipe.writer);
    }
    pipe.writer.reset();
    std::string said;
    std::array<char, 4096> buffer{};
    while (std::ranges::count(said, '\n') < 10 * round)
      said.append(buffer.data(), pipe.reader.read(buffer.data(), buffer.size()).value());
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (true) {
      const auto count = pipe.reader.read(buffer.data(), buffer.size()).value();
      if (count == 0) break;
      said.append(buffer.data(), count);
    }
    const auto told = std::ranges::count(said, '\n');

    Store store = Store::open(file).value();
    const auto rows = static_cast<std::int64_t>(store.runs({.limit = 1000000}).value().size());
    EXPECT_GE(rows, told);
    EXPECT_LE(rows, told + 1);  // committed, and killed before it could say so
    EXPECT_EQ(store.last_event().value(), 2 * rows);
    EXPECT_EQ(static_cast<std::int64_t>(store.unfinished_runs().value().size()), rows);
    EXPECT_EQ(unix_millis(store.poll_position("g", "p").value().value()), rows);
    auto database = Database::open(file).value();
    Query check = database->query("PRAGMA integrity_check").value();
    ASSERT_TRUE(check.next().value());
    EXPECT_EQ(check.text(), "ok");
    before += rows;
  }
  EXPECT_GT(before, 0);
}

}  // namespace
}  // namespace bowsprit::store
