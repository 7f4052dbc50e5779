// SPDX-License-Identifier: Apache-2.0
#include "store/test_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <span>

#include "os/files.h"
#include "store/sqlite.h"

namespace bowsprit::store {
namespace {

using ktap::TestStatus;
using testing::ElementsAre;
using testing::IsEmpty;

class TestHistoryTest : public testing::Test {
 protected:
  TestHistoryTest()
      : dir_(std::move(TempDir::create("history").value())),
        file_(dir_.path() / "db"),
        store_(std::move(Store::open(file_).value())),
        history_(store_) {}

  std::int64_t add_run(const std::string& job = "kunit", SystemTime created = from_unix_millis(1'764'000'000'000)) {
    store::Run run;
    run.gerrit = "https://gerrit.example";
    run.change = ++changes_;
    run.job = job;
    run.created = created;
    return store_.add_run(run).value().value();
  }
  std::int64_t run_with(std::vector<TestResult> results, const std::string& job = "kunit",
                        SystemTime created = from_unix_millis(1'764'000'000'000)) {
    const auto id = add_run(job, created);
    EXPECT_TRUE(history_.save(id, job, created, std::move(results)));
    return id;
  }
  static std::vector<std::int64_t> ids(const TestRuns& part) {
    std::vector<std::int64_t> out;
    for (const auto& entry : part.entries) out.push_back(entry.run.id);
    return out;
  }

  TempDir dir_;
  std::filesystem::path file_;
  Store store_;
  TestHistory history_;
  int changes_ = 0;
};

TEST_F(TestHistoryTest, EveryStatusOriginAndTimeComesBack) {
  using enum TestStatus;
  std::vector<TestResult> results;
  for (const auto status : {passed, failed, skipped, expected_failure, crashed, timed_out, missing})
    for (const auto origin : {Origin::unknown, Origin::new_failure, Origin::also_on_base, Origin::flaky})
      for (const std::optional<double> seconds :
           {std::optional<double>(), std::optional(0.0), std::optional(0.0123), std::optional(86400.5)})
        results.push_back({fmt::format("s.t{}", results.size()), {status, origin, seconds}});
  const auto run = run_with(results);
  for (const auto& expected : results) {
    const auto part = history_.of_test(expected.test, "kunit", 0, 10).value();
    ASSERT_THAT(ids(part), ElementsAre(run)) << expected.test;
    EXPECT_EQ(part.entries[0].outcome.status, expected.outcome.status) << expected.test;
    EXPECT_EQ(part.entries[0].outcome.origin, expected.outcome.origin) << expected.test;
    ASSERT_EQ(part.entries[0].outcome.seconds.has_value(), expected.outcome.seconds.has_value()) << expected.test;
    if (expected.outcome.seconds) {
      EXPECT_NEAR(*part.entries[0].outcome.seconds, *expected.outcome.seconds, 0.00005);
    }
  }
}

TEST_F(TestHistoryTest, AHistoryIsOfOneJobNewestFirstAndInParts) {
  std::vector<std::int64_t> runs;
  for (int i = 0; i < 5; ++i) {
    runs.push_back(run_with({{"a.x", {TestStatus::passed}}, {"a.y", {TestStatus::failed}}}));
    run_with({{"a.x", {TestStatus::passed}}}, "other");
    run_with({{"b.z", {TestStatus::passed}}});  // the test is not there
    add_run();                                  // ended without results
  }
  const auto first = history_.of_test("a.y", "kunit", 0, 3).value();
  EXPECT_THAT(ids(first), ElementsAre(runs[4], runs[3], runs[2]));
  ASSERT_NE(first.next_before, 0);
  const auto second = history_.of_test("a.y", "kunit", first.next_before, 3).value();
  EXPECT_THAT(ids(second), ElementsAre(runs[1], runs[0]));
  EXPECT_EQ(second.next_before, 0);
  EXPECT_THAT(history_.jobs_of("a.x").value(), ElementsAre("kunit", "other"));
  EXPECT_THAT(ids(history_.of_test("a.none", "kunit", 0, 3).value()), IsEmpty());
}

TEST_F(TestHistoryTest, OfOneNameTwiceTheWorseOutcomeStays) {
  run_with({{"a.x", {TestStatus::failed, Origin::flaky, {}}}, {"a.x", {TestStatus::passed}}});
  run_with({{"a.x", {TestStatus::passed}}, {"a.x", {TestStatus::crashed}}});
  const auto part = history_.of_test("a.x", "kunit", 0, 9).value();
  ASSERT_EQ(part.entries.size(), 2U);
  EXPECT_EQ(part.entries[0].outcome.status, TestStatus::crashed);
  EXPECT_EQ(part.entries[1].outcome.origin, Origin::flaky);
}

TEST_F(TestHistoryTest, AGridHasTheNotableTestsOrAll) {
  const auto old = run_with({{"a.good", {TestStatus::passed}}, {"a.bad", {TestStatus::passed}}});
  const auto bare = add_run();
  const auto last = run_with({{"a.good", {TestStatus::passed}}, {"a.bad", {TestStatus::failed}}});
  const auto grid = history_.of_job("kunit", 0, 10, false).value();
  ASSERT_EQ(grid.runs.size(), 3U);
  EXPECT_EQ(grid.runs[0].id, last);
  EXPECT_EQ(grid.runs[1].id, bare);
  EXPECT_EQ(grid.left_out, 1U);
  ASSERT_EQ(grid.rows.size(), 1U);
  EXPECT_EQ(grid.rows[0].test, "a.bad");
  EXPECT_EQ(grid.rows[0].outcomes[0]->status, TestStatus::failed);
  EXPECT_FALSE(grid.rows[0].outcomes[1]);
  EXPECT_EQ(grid.rows[0].outcomes[2]->status, TestStatus::passed);
  EXPECT_EQ(history_.of_job("kunit", 0, 10, true).value().rows.size(), 2U);
  const auto part = history_.of_job("kunit", 0, 2, true).value();
  EXPECT_EQ(part.next_before, bare);
  EXPECT_EQ(history_.of_job("kunit", part.next_before, 2, true).value().runs.at(0).id, old);
}

TEST_F(TestHistoryTest, AGridOfManyTestsComesInParts) {
  std::vector<TestResult> results;
  for (int i = 0; i < 1100; ++i) results.push_back({fmt::format("flood.{}", i), {TestStatus::failed}});
  run_with(results);
  std::set<std::string> seen;
  std::int64_t after = 0;
  int parts = 0;
  do {
    const auto grid = history_.of_job("kunit", 0, 10, false, after).value();
    for (const auto& row : grid.rows) EXPECT_TRUE(seen.insert(row.test).second) << row.test;
    after = grid.next_test;
  } while (++parts < 10 && after != 0);
  EXPECT_EQ(parts, 3);
  EXPECT_EQ(seen.size(), 1100U);
}

TEST_F(TestHistoryTest, NamesAreFoundByWordsAsTextAndInParts) {
  const std::string hostile = "x.'; DROP TABLE tests; --%_\\" + std::string(1000, 'n');
  run_with({{"list_sort.stable", {}}, {"List.Sort", {}}, {"list%sort.x", {}}, {hostile, {TestStatus::failed}}});
  EXPECT_THAT(history_.search("SORT list", "", 9).value(), ElementsAre("List.Sort", "list%sort.x", "list_sort.stable"));
  EXPECT_THAT(history_.search("t%s", "", 9).value(), ElementsAre("list%sort.x"));
  EXPECT_THAT(history_.search("t_s", "", 9).value(), ElementsAre("list_sort.stable"));
  EXPECT_THAT(history_.search("sort", "List.Sort", 1).value(), ElementsAre("list%sort.x"));
  EXPECT_EQ(history_.search("DROP", "", 9).value().size(), 1U);
  EXPECT_EQ(history_.of_test(hostile, "kunit", 0, 9).value().entries.size(), 1U);  // found by its whole name
}

TEST_F(TestHistoryTest, OldResultsGoAndNamesThatNothingUses) {
  const auto day = [](int number) { return from_unix_millis(number * 86'400'000LL); };
  for (int i = 0; i < 3; ++i) run_with({{"old.x", {}}, {"both.x", {}}}, "kunit", day(100 + i));
  const auto young = run_with({{"both.x", {}}}, "kunit", day(200));
  EXPECT_EQ(history_.prune(day(150), 2).value(), 2);
  EXPECT_EQ(history_.search("old", "", 9).value().size(), 1U);  // a run still has it
  EXPECT_EQ(history_.prune(day(150), 2).value(), 1);
  EXPECT_EQ(history_.prune(day(150), 2).value(), 0);
  EXPECT_THAT(history_.search("", "", 9).value(), ElementsAre("both.x"));
  EXPECT_THAT(ids(history_.of_test("both.x", "kunit", 0, 9).value()), ElementsAre(young));
  EXPECT_EQ(store_.runs({}).value().size(), 4U);  // the runs themselves stay
}

TEST_F(TestHistoryTest, SavingAgainReplacesAndOfAnUnknownRunFailsWhole) {
  const auto run = run_with({{"a.x", {TestStatus::failed}}});
  ASSERT_TRUE(history_.save(run, "kunit", from_unix_millis(0), {{"a.x", {TestStatus::passed}}}));
  const auto part = history_.of_test("a.x", "kunit", 0, 9).value();
  ASSERT_EQ(part.entries.size(), 1U);
  EXPECT_EQ(part.entries[0].outcome.status, TestStatus::passed);
  EXPECT_FALSE(history_.save(4711, "kunit", from_unix_millis(0), {{"never.seen", {}}}));
  EXPECT_THAT(history_.search("never", "", 9).value(), IsEmpty());
}

TEST_F(TestHistoryTest, ABrokenRowEndsWhereItIsBroken) {
  const auto run = run_with({{"a.x", {TestStatus::failed}}, {"a.y", {TestStatus::failed}}});
  auto database = Database::open(file_).value();
  for (const std::string_view bytes :
       {"", "\x03", "\x03\x07", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x03\x21\xff"}) {
    ASSERT_TRUE(database->run("UPDATE run_tests SET results = ? WHERE run = ?", Blob{bytes}, run));
    EXPECT_THAT(ids(history_.of_test("a.y", "kunit", 0, 9).value()), IsEmpty());
    EXPECT_TRUE(history_.of_job("kunit", 0, 9, true));
  }
}

/// The goal is 50 million results in one file, so a result may not cost much more than its packed bytes.
TEST_F(TestHistoryTest, AResultTakesAFewBytesOnDisk) {
  constexpr int kRuns = 60;
  constexpr int kTests = 500;
  const auto file_size = [&] {
    auto database = Database::open(file_).value();
    Query row = database->query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").value();
    EXPECT_TRUE(row.next().value());
    return row.integer();
  };
  for (const bool timed : {false, true}) {
    const std::string job = timed ? "timed" : "plain";
    std::vector<std::int64_t> runs;
    {
      Store::Transaction all(store_);
      for (int i = 0; i < kRuns; ++i) runs.push_back(add_run(job));
      ASSERT_TRUE(all.commit());
    }
    std::int64_t before = 0;
    // The names are written with the first run, and are not what is measured.
    for (const bool first : {true, false}) {
      if (!first) before = file_size();
      Store::Transaction all(store_);
      for (const auto run : first ? std::span(runs).first(1) : std::span(runs).subspan(1)) {
        std::vector<TestResult> results;
        for (int i = 0; i < kTests; ++i) {
          TestOutcome outcome{.status = i % 100 == run % 100 ? TestStatus::failed : TestStatus::passed,
                              .origin = i % 100 == run % 100 ? Origin::also_on_base : Origin::unknown,
                              .seconds = {}};
          if (timed) outcome.seconds = 0.0003 * i;
          results.push_back({fmt::format("suite_{}.some_longer_name_of_a_case_{}", i / 20, i), outcome});
        }
        ASSERT_TRUE(history_.save(run, job, from_unix_millis(0), std::move(results)));
      }
      ASSERT_TRUE(all.commit());
    }
    const double each = static_cast<double>(file_size() - before) / (kRuns - 1) / kTests;
    RecordProperty(job + "_bytes_per_result", fmt::format("{:.2f}", each));
    EXPECT_LT(each, timed ? 5.0 : 2.0);
    EXPECT_GT(each, 1.0);  // it is there
  }
}

}  // namespace
}  // namespace bowsprit::store
