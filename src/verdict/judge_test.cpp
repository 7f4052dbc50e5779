// SPDX-License-Identifier: Apache-2.0
#include "verdict/judge.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace bowsprit {
namespace {

using ktap::TestStatus;

std::string console(const std::string& cases, int plan, bool good = true, const std::string& name = "s") {
  return fmt::format("KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: {0}\n    1..{1}\n{2}{3} 1 {0}\n", name,
                     plan, cases, good ? "ok" : "not ok");
}
RunResult judged(const std::string& text, std::optional<Manifest> manifest = std::nullopt,
                 KernelEnd end = KernelEnd::exited, JudgePolicy policy = {}) {
  JudgeInput input;
  input.console = ktap::read_console(text, end == KernelEnd::timed_out ? ktap::EndOfInput::timed_out
                                           : end == KernelEnd::killed  ? ktap::EndOfInput::killed
                                                                       : ktap::EndOfInput::exited);
  input.end = end;
  input.manifest = std::move(manifest);
  input.policy = std::move(policy);
  input.time_limit = seconds(300);
  return judge(std::move(input));
}
Manifest manifest() { return {{{"s", {"a", "b", "c"}}, {"t", {"d"}}}}; }

TEST(Manifest, IsReadFromTheListingOfTheKernel) {
  const Manifest read = parse_manifest(
      "[    0.1] random: crng init done\n[    0.1] KTAP version 1\n[    0.1] s\n[    0.1] s.a\n[    0.1] s.b\n[    "
      "0.1] dotted.name\n"
      "[    0.1] dotted.name.c\n[    0.1] reboot: System halted\n[    0.1] noise\n");
  ASSERT_EQ(read.suites.size(), 2U);
  EXPECT_EQ(read.suites[0].cases, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read.suites[1].name, "dotted.name");
  EXPECT_EQ(read.suites[1].cases, std::vector<std::string>{"c"});
}

TEST(Judge, NamesTheCaseThatCrashedAndThoseAfterItFromTheManifest) {
  const RunResult result = judged(
      "KTAP version 1\n1..2\n    KTAP version 1\n    # Subtest: s\n    1..3\n    ok 1 a\nKernel panic - not syncing: "
      "Kernel mode fault at addr "
      "0x0, ip 0x60\n [<60>] broken+0x1/0x2\n",
      manifest());
  EXPECT_EQ(result.verdict, Verdict::crashed);
  ASSERT_EQ(result.failures.size(), 3U);
  EXPECT_EQ(result.failures[0].test, "s.b");
  EXPECT_EQ(result.failures[0].status, TestStatus::crashed);
  EXPECT_EQ(result.failures[1].test, "s.c");
  EXPECT_EQ(result.failures[1].status, TestStatus::missing);
  EXPECT_EQ(result.failures[2].test, "t.d");
  EXPECT_EQ(result.tests.total, 4);
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].test, "s.b");
  EXPECT_NE(result.summary.find("crashed in s.b: Kernel panic"), std::string::npos) << result.summary;
  EXPECT_NE(result.summary.find("2 tests never ran"), std::string::npos) << result.summary;
}

TEST(Judge, ASuiteThatIsNoLongerThereIsMissing) {
  const RunResult result = judged(console("    ok 1 a\n    ok 2 b\n    ok 3 c\n", 3), manifest());
  EXPECT_EQ(result.verdict, Verdict::missing_tests);
  EXPECT_EQ(result.summary, "1 of 4 tests never ran: t.d (announced, but never ran)");
}

TEST(Judge, ACaseReplacedByAnotherRegisteredTwiceIsMissing) {
  const RunResult result =
      judged(console("    ok 1 a\n    ok 2 a\n    ok 3 c\n", 3), Manifest{{{"s", {"a", "b", "c"}}}});
  EXPECT_EQ(result.verdict, Verdict::missing_tests);
  EXPECT_EQ(result.failures.at(0).test, "s.b");
}

TEST(Judge, MendsANameWithPrintkTextGluedOn) {
  const RunResult result = judged(console("    ok 1 arandom: crng init done\n    ok 2 b\n    ok 3 c\n", 3),
                                  Manifest{{{"s", {"a", "b", "c"}}}});
  EXPECT_EQ(result.verdict, Verdict::passed);
  EXPECT_EQ(result.suites.at(0).children.at(0).name, "a");
}

TEST(Judge, AKernelThatHangsAfterItsTestsDidNotPass) {
  const std::string good = console("    ok 1 a\n", 1);
  EXPECT_EQ(judged(good).verdict, Verdict::passed);
  EXPECT_EQ(judged(good, std::nullopt, KernelEnd::timed_out).verdict, Verdict::timed_out);
  EXPECT_EQ(judged(good, std::nullopt, KernelEnd::killed).verdict, Verdict::crashed);
  EXPECT_EQ(judged(good, std::nullopt, KernelEnd::never_booted).verdict, Verdict::boot_error);
}

TEST(Judge, TheRunningTestIsNamedWhenTimeRunsOut) {
  const RunResult result = judged("KTAP version 1\n1..1\n    # Subtest: s\n    1..3\n    ok 1 a\n",
                                  Manifest{{{"s", {"a", "b", "c"}}}}, KernelEnd::timed_out);
  EXPECT_EQ(result.verdict, Verdict::timed_out);
  EXPECT_EQ(result.summary, "s.b did not end within the limit of 300 s; 1 test never ran");
}

TEST(Judge, WithoutKtapAPanicIsABootError) {
  EXPECT_EQ(judged("Linux version 6.12\nKernel panic - not syncing: no memory\n").verdict, Verdict::boot_error);
  EXPECT_EQ(judged("Linux version 6.12\n", std::nullopt, KernelEnd::timed_out).verdict, Verdict::boot_error);
  EXPECT_EQ(judged("Linux version 6.12\n").verdict, Verdict::no_tests);
}

TEST(Judge, PolicyDecidesWhetherAWarningCounts) {
  const std::string text = console("WARNING: CPU: 0 PID: 1 at lib/x.c:12 f+0x1/0x2\n    ok 1 a\n", 1);
  EXPECT_EQ(judged(text).verdict, Verdict::failed);
  JudgePolicy lenient;
  lenient.warnings_fail = false;
  const RunResult result = judged(text, std::nullopt, KernelEnd::exited, lenient);
  EXPECT_EQ(result.verdict, Verdict::passed);
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_FALSE(result.diagnostics[0].counts);
}

TEST(Judge, SuitesThatProvokeReportsOnPurposeMay) {
  EXPECT_EQ(judged(console("BUG: KASAN: slab-out-of-bounds in f+0x1/0x2\n    ok 1 a\n", 1, true, "kasan")).verdict,
            Verdict::passed);
  EXPECT_EQ(judged(console("Kernel panic - not syncing: x\n    ok 1 a\n", 1, true, "kasan")).verdict, Verdict::crashed);
}

TEST(Judge, TheWarningOfEveryUserModeKernelIsHarmless) {
  const RunResult result = judged(
      "------------[ cut here ]------------\nWARNING: CPU: 0 PID: 1 at arch/um/drivers/virt-pci.c:1005 "
      "um_pci_init+0xc7/0xd4\n"
      "No virtio device ID configured for PCI - no PCI support\n---[ end trace 0000000000000000 ]---\n" +
      console("    ok 1 a\n", 1));
  EXPECT_EQ(result.verdict, Verdict::passed);
  EXPECT_FALSE(result.diagnostics.at(0).counts);
}

TEST(JoinReports, WhatRanInAnotherBootHasRun) {
  std::vector<ktap::ConsoleReport> boots;
  boots.push_back(ktap::read_console(
      "KTAP version 1\n1..2\n    # Subtest: s\n    1..3\n    ok 1 a\nKernel panic - not syncing: x\n"));
  boots.push_back(ktap::read_console(console("    ok 1 c\n", 1)));
  boots.push_back(ktap::read_console(console("    ok 1 d\n", 1, true, "t")));
  JudgeInput input;
  input.console = join_reports(std::move(boots));
  input.manifest = manifest();
  const RunResult result = judge(std::move(input));
  EXPECT_EQ(result.verdict, Verdict::crashed);
  EXPECT_EQ(result.tests.total, 4);
  EXPECT_EQ(result.tests.passed, 3);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].test, "s.b");
}

TEST(EarlyResults, SayWhatEndedTheRun) {
  const RunResult build = build_failed({{Diagnostic::Kind::warning, "lib/y.c", 1, 1, "unused"},
                                        {Diagnostic::Kind::error, "lib/x.c", 12, 3, "expected ';'"},
                                        {Diagnostic::Kind::error, "lib/x.c", 13, 3, "more"}});
  EXPECT_EQ(build.verdict, Verdict::build_error);
  EXPECT_EQ(build.summary, "the build failed: lib/x.c:12: expected ';' (1 more error)");
  EXPECT_EQ(merge_conflict({"a.c", "b.c"}).summary, "the change does not merge into its branch: a.c, b.c");
  EXPECT_EQ(vote(infra_failed("no space").verdict), 0);
  EXPECT_EQ(vote(config_failed("no kunitconfig").verdict), -1);
}

TEST(RunResult, WordsGoBothWays) {
  using enum Verdict;
  for (const Verdict verdict :
       {passed, no_new_failures, failed, crashed, timed_out, missing_tests, no_tests, config_error, build_error,
        boot_error, Verdict::merge_conflict, infra_error, Verdict::aborted})
    EXPECT_EQ(verdict_from_string(to_string(verdict)), verdict);
  EXPECT_FALSE(verdict_from_string("green"));
}

}  // namespace
}  // namespace bowsprit
