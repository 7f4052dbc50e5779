// SPDX-License-Identifier: Apache-2.0
#include "verdict/origin.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verdict/judge.h"

namespace bowsprit {
namespace {

using ktap::TestStatus;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string console(const std::string& cases, int plan, bool good = true, const std::string& name = "s") {
  return fmt::format("KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: {0}\n    1..{1}\n{2}{3} 1 {0}\n", name,
                     plan, cases, good ? "ok" : "not ok");
}
RunResult judged(const std::string& text, KernelEnd end = KernelEnd::exited) {
  JudgeInput input;
  input.console =
      ktap::read_console(text, end == KernelEnd::timed_out ? ktap::EndOfInput::timed_out : ktap::EndOfInput::exited);
  input.end = end;
  return judge(std::move(input));
}

struct Row {
  const char* name;
  TestStatus status;
  std::optional<TestStatus> on_base;  ///< of the base's run; nullopt: it has no such test
  bool base_known;
  std::optional<TriedTest> tried;
  Origin origin;
  Verdict verdict;  ///< with the fair policy
};

constexpr TriedTest kFailsAlways{.alone = {0, 3}, .base = {3, 0}};
constexpr TriedTest kFlaky{.alone = {2, 1}, .same_way = {1, 1}};
constexpr TriedTest kPassesAlone{.alone = {3, 0}, .same_way = {0, 2}};
constexpr TriedTest kFlakyOnBase{.alone = {0, 3}, .base = {2, 1}};
constexpr TriedTest kNeverAlone{.alone = {0, 3}, .base = {0, 3}};
constexpr TriedTest kNoTime{.alone = {0, 1}, .cut = true};

class OriginTable : public testing::TestWithParam<Row> {};

RunResult one_test(TestStatus status) {
  const std::string cut = "KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n    # t: x\n";
  if (status == TestStatus::failed) return judged(console("    not ok 1 t\n", 1, false));
  if (status == TestStatus::crashed) return judged(cut + "Kernel panic - not syncing: y\n");
  if (status == TestStatus::timed_out) return judged(cut, KernelEnd::timed_out);
  return judged(console("    ok 1 t\n", 1));
}

TEST_P(OriginTable, SaysWhoseFaultItIs) {
  const Row& row = GetParam();
  RunResult result = one_test(row.status);
  // A crash leaves the name of its case to the manifest.
  result.suites.at(0).children.at(0).name = "t";
  for (auto& failure : result.failures) failure.test = "s.t";
  const RunResult base =
      row.on_base ? one_test(*row.on_base) : judged(console("    ok 1 other\n", 1, true, "elsewhere"));
  Evidence evidence{.base = row.base_known ? &base : nullptr, .removed_by_change = {"elsewhere"}};
  if (row.tried) evidence.tried = {{"s.t", *row.tried}};
  RunResult strict = result;
  settle_origins(result, evidence);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(to_string(result.failures[0].origin), to_string(row.origin));
  EXPECT_EQ(to_string(result.verdict), to_string(row.verdict));
  evidence.strict = true;
  settle_origins(strict, evidence);
  EXPECT_EQ(to_string(strict.failures.at(0).origin), to_string(row.origin)) << "the policy changes the verdict only";
  EXPECT_EQ(vote(strict.verdict), -1);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OriginTable,
    testing::Values(
        Row{"new", TestStatus::failed, TestStatus::passed, true, kFailsAlways, Origin::new_failure, Verdict::failed},
        Row{"new_test", TestStatus::failed, std::nullopt, true, kFailsAlways, Origin::new_failure, Verdict::failed},
        Row{"also_on_base", TestStatus::failed, TestStatus::failed, true, std::nullopt, Origin::also_on_base,
            Verdict::no_new_failures},
        Row{"flaky", TestStatus::failed, TestStatus::passed, true, kFlaky, Origin::flaky, Verdict::no_new_failures},
        Row{"flaky_without_base", TestStatus::failed, std::nullopt, false, kFlaky, Origin::flaky,
            Verdict::no_new_failures},
        Row{"flaky_from_the_start", TestStatus::failed, std::nullopt, true, kFlaky, Origin::new_failure,
            Verdict::failed},
        Row{"passes_alone_only", TestStatus::failed, TestStatus::passed, true, kPassesAlone, Origin::new_failure,
            Verdict::failed},
        Row{"flaky_on_base", TestStatus::failed, TestStatus::passed, true, kFlakyOnBase, Origin::also_on_base,
            Verdict::no_new_failures},
        Row{"never_passes_alone", TestStatus::failed, TestStatus::passed, true, kNeverAlone, Origin::new_failure,
            Verdict::failed},
        Row{"no_time", TestStatus::failed, TestStatus::passed, true, kNoTime, Origin::unknown, Verdict::failed},
        Row{"nothing_known", TestStatus::failed, std::nullopt, false, kFailsAlways, Origin::unknown, Verdict::failed},
        Row{"crash_passes_later", TestStatus::crashed, TestStatus::passed, true, kFlaky, Origin::new_failure,
            Verdict::crashed},
        Row{"crash_passes_later_without_base", TestStatus::crashed, std::nullopt, false, kFlaky, Origin::unknown,
            Verdict::crashed},
        Row{"crash_on_base", TestStatus::crashed, TestStatus::crashed, true, std::nullopt, Origin::also_on_base,
            Verdict::no_new_failures},
        Row{"crash_that_failed_on_base", TestStatus::crashed, TestStatus::failed, true, kFlaky, Origin::new_failure,
            Verdict::crashed},
        Row{"hang_passes_later", TestStatus::timed_out, TestStatus::passed, true, kFlaky, Origin::new_failure,
            Verdict::timed_out},
        Row{"hang_on_base", TestStatus::timed_out, TestStatus::timed_out, true, std::nullopt, Origin::also_on_base,
            Verdict::no_new_failures}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(TryAgain, IsWorthItForFailedTestsWithoutAKernelReportThatTheBasePasses) {
  const std::string warning = "WARNING: CPU: 0 PID: 1 at lib/x.c:12 f+0x1/0x2\n---[ end trace 0 ]---\n";
  const RunResult base = judged(console("    ok 1 a\n    not ok 2 b\n    ok 3 c\n    ok 4 d\n", 4, false));
  const RunResult result =
      judged(console("    not ok 1 a\n    not ok 2 b\n" + warning + "    not ok 3 c\n    ok 4 d\n", 4, false));
  EXPECT_THAT(worth_trying_again(result, {.base = &base}), ElementsAre("s.a"));
  EXPECT_THAT(worth_trying_again(result, {}), ElementsAre("s.a", "s.b"));
  EXPECT_THAT(worth_trying_again(build_failed({}), {}), IsEmpty());
}

TEST(TryAgain, APassBesideANewReportOfTheKernelIsNone) {
  const std::string warning = "WARNING: CPU: 0 PID: 1 at lib/x.c:12 f+0x1/0x2\n---[ end trace 0 ]---\n";
  const RunResult first = judged(console("    not ok 1 a\n    ok 2 b\n", 2, false));
  const RunResult good = judged(console("    ok 1 a\n    not ok 2 b\n", 2, false));
  const RunResult reported = judged(console("    ok 1 a\n    ok 2 b\n" + warning, 2));
  EXPECT_TRUE(passed_cleanly(good, "s.a", first));
  EXPECT_FALSE(passed_cleanly(good, "s.b", first));
  EXPECT_FALSE(passed_cleanly(good, "s.gone", first));
  EXPECT_FALSE(passed_cleanly(reported, "s.a", first));
  EXPECT_TRUE(passed_cleanly(reported, "s.a", reported)) << "it was there at the first time too";
  EXPECT_FALSE(passed_cleanly(judged(console("    ok 1 a # SKIP no\n", 1)), "s.a", first));
}

TEST(Base, OfAnotherConfigurationOnlyTellsWhatIsGone) {
  const RunResult base = judged(console("    not ok 1 a\n    ok 2 b\n", 2, false));
  RunResult result = judged(console("    not ok 1 a\n", 1, false));
  settle_origins(result, {.base = &base, .same_configuration = false});
  ASSERT_EQ(result.failures.size(), 2U);
  EXPECT_EQ(result.failures[0].origin, Origin::unknown);
  EXPECT_EQ(result.failures[1].test, "s.b");
  EXPECT_EQ(result.failures[1].status, TestStatus::missing);
}

TEST(Base, SettlingTwiceCountsNothingTwice) {
  const RunResult base = judged(console("    ok 1 a\n    ok 2 b\n", 2));
  RunResult result = judged(console("    not ok 1 a\n", 1, false));
  settle_origins(result, {.base = &base});
  RunResult again = result;
  settle_origins(again, {.base = &base, .tried = {{"s.a", kFlaky}}});
  EXPECT_EQ(again.tests.missing, 1);
  EXPECT_EQ(again.tests.total, result.tests.total);
  EXPECT_EQ(again.failures.at(0).origin, Origin::flaky);
  EXPECT_EQ(again.verdict, Verdict::missing_tests) << "that is what is left";
  EXPECT_EQ(again.summary, "1 of 2 tests never ran: s.b (ran on the base, and is gone)");
}

TEST(Base, ThatDidNotComeToItsTestsSaysNothing) {
  const RunResult base = build_failed({});
  RunResult result = judged(console("    not ok 1 a\n", 1, false));
  settle_origins(result, {.base = &base});
  EXPECT_EQ(result.failures.at(0).origin, Origin::unknown);
  EXPECT_EQ(result.verdict, Verdict::failed);
}

TEST(Base, OnlyWhatIsNewCounts) {
  const RunResult base = judged(console("    not ok 1 a\n    ok 2 b\n    ok 3 c\n", 3, false));
  RunResult same = judged(console("    not ok 1 a\n    ok 2 b\n    ok 3 c\n", 3, false));
  settle_origins(same, {.base = &base});
  EXPECT_EQ(same.verdict, Verdict::no_new_failures);
  EXPECT_EQ(same.failures.at(0).origin, Origin::also_on_base);
  EXPECT_EQ(same.summary, "no new failures: 1 of 3 tests did not pass, on the base too or flaky");

  RunResult worse = judged(console("    not ok 1 a\n    not ok 2 b\n    ok 3 c\n", 3, false));
  settle_origins(worse, {.base = &base});
  EXPECT_EQ(worse.verdict, Verdict::failed);
  EXPECT_EQ(worse.failures.at(1).origin, Origin::new_failure);
  EXPECT_EQ(worse.summary.substr(0, 29), "1 of 3 tests failed: s.b (its");

  RunResult strict = judged(console("    not ok 1 a\n    ok 2 b\n    ok 3 c\n", 3, false));
  settle_origins(strict, {.base = &base, .strict = true});
  EXPECT_EQ(strict.verdict, Verdict::failed);
}

TEST(Base, AFailureThatGotWorseIsNew) {
  const RunResult base = judged(console("    not ok 1 a\n", 1, false));
  RunResult result =
      judged("KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n    # a: x\nKernel panic - not syncing: y\n");
  settle_origins(result, {.base = &base});
  EXPECT_EQ(result.verdict, Verdict::crashed);
  EXPECT_EQ(result.failures.at(0).origin, Origin::new_failure);
}

TEST(Base, TestsThatAreGoneAreMissingUnlessTheChangeRemovesThem) {
  const RunResult base = judged(
      "KTAP version 1\n1..2\n    # Subtest: s\n    1..2\n    ok 1 a\n    ok 2 b\nok 1 s\n    # Subtest: t\n    1..1\n  "
      "  "
      "ok 1 d\nok 2 t\n");
  RunResult gone = judged(console("    ok 1 a\n", 1));
  settle_origins(gone, {.base = &base});
  EXPECT_EQ(gone.verdict, Verdict::missing_tests);
  EXPECT_EQ(gone.tests.missing, 2);
  EXPECT_EQ(gone.tests.total, 3);
  RunResult removed = judged(console("    ok 1 a\n", 1));
  settle_origins(removed, {.base = &base, .removed_by_change = {"s.b", "t"}});
  EXPECT_EQ(removed.verdict, Verdict::passed);
}

TEST(Base, AHangAtTheEndIsNotForgivenForAnOldFailure) {
  const std::string text = console("    not ok 1 a\n", 1, false);
  const RunResult base = judged(text);
  RunResult result = judged(text, KernelEnd::timed_out);
  settle_origins(result, {.base = &base});
  EXPECT_EQ(result.verdict, Verdict::timed_out);
}

TEST(Base, AWarningOfTheBaseIsNotTheChangesFault) {
  const std::string warning = "WARNING: CPU: 0 PID: 1 at lib/x.c:12 f+0x1/0x2\n---[ end trace 0 ]---\n";
  const RunResult base = judged(console("    ok 1 a\n", 1) + warning);
  RunResult same =
      judged(console("    ok 1 a\n", 1) + "WARNING: CPU: 2 PID: 7 at lib/x.c:15 f+0x4/0x2\n---[ end trace 0 ]---\n");
  settle_origins(same, {.base = &base});
  EXPECT_EQ(same.verdict, Verdict::no_new_failures);
  RunResult other = judged(console("    ok 1 a\n", 1) + "WARNING: CPU: 0 PID: 1 at lib/y.c:12 g+0x1/0x2\n");
  settle_origins(other, {.base = &base});
  EXPECT_EQ(other.verdict, Verdict::failed);
}

}  // namespace
}  // namespace bowsprit
