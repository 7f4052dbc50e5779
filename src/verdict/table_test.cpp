// SPDX-License-Identifier: Apache-2.0
/// The inputs on which kunit.py of 6.12 is wrong or says too little, one row each: what it says, and what is right.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "verdict/judge.h"

namespace bowsprit {
namespace {

std::string suite(const std::string& cases, const std::string& result = "ok 1 s\n", int plan = 2) {
  return fmt::format("KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n    1..{}\n{}{}", plan, cases,
                     result);
}
const std::string kBoth = "    ok 1 a\n    ok 2 b\n";

struct Row {
  std::string name;
  std::string input;
  Verdict verdict;
  std::string tests;    ///< "path=status ..." of all leaves, and of inner tests that failed by themselves
  std::string summary;  ///< part of it
};

void list(const ktap::TestNode& node, const std::string& path, std::string& out) {
  bool bad_below = false;
  for (const auto& child : node.children) {
    list(child, path + "." + child.name, out);
    bad_below = bad_below || !is_good(child.status);
  }
  if (node.children.empty() || (!is_good(node.status) && !bad_below))
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", path, to_string(node.status));
}

std::string list(const RunResult& result) {
  std::string out;
  for (const auto& node : result.suites) list(node, node.name, out);
  return out;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows{
      {"PanicAfterTheLastSuite",
       suite(kBoth) + "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n", Verdict::crashed,
       "s.a=passed s.b=passed", "the kernel crashed outside of a test: Kernel panic - not syncing: Attempted"},
      {"OopsAfterTheLastSuite",
       suite(kBoth) + "BUG: kernel NULL pointer dereference, address: 0000000000000008\n#PF: read\nOops: 0000 [#1]\n",
       Verdict::crashed, "s.a=passed s.b=passed", "BUG: kernel NULL pointer dereference"},
      {"KasanReportInsideAPassingCase",
       suite("    ok 1 a\n==================================================================\n"
             "BUG: KASAN: slab-out-of-bounds in b_test+0x12/0x34\nWrite of size 1 at addr 0000000060a1b2c3 by task "
             "kunit_try_catch/31\n"
             "==================================================================\n    ok 2 b\n"),
       Verdict::failed, "s.a=passed s.b=failed", "1 of 2 tests failed: s.b (BUG: KASAN: slab-out-of-bounds in b_test"},
      {"WarningInsideAPassingCase",
       suite("    ok 1 a\n------------[ cut here ]------------\nWARNING: CPU: 0 PID: 31 at lib/x.c:12 b_test+0x3/0x9\n"
             "Call Trace:\n ? show_stack+0x1/0x2\n---[ end trace 0000000000000000 ]---\n    ok 2 b\n"),
       Verdict::failed, "s.a=passed s.b=failed", "1 of 2 tests failed: s.b (lib/x.c:12)"},
      {"SuiteNotOkWhoseCasesAllPassed", suite(kBoth, "not ok 1 s\n"), Verdict::failed, "s.a=passed s.b=passed s=failed",
       "1 of 3 tests failed: s (says not ok, though all of its tests are good)"},
      {"SuiteResultLineMissing", suite(kBoth, ""), Verdict::crashed, "s.a=passed s.b=passed s=crashed", "crashed in s"},
      {"SuiteResultLineCut", suite(kBoth, "k 1 s\n"), Verdict::crashed, "s.a=passed s.b=passed s=crashed",
       "crashed in s"},
      {"MoreCasesThanThePlan", suite(kBoth + "    ok 3 c\n"), Verdict::failed, "s.a=passed s.b=passed s.c=passed",
       "'s' planned 2 tests and ran 3"},
      {"FailingCaseBeyondThePlan", suite(kBoth + "    not ok 3 c\n", "not ok 1 s\n"), Verdict::failed,
       "s.a=passed s.b=passed s.c=failed", "1 of 3 tests failed: s.c"},
      {"SecondDocumentOfALoadedModule",
       suite(kBoth) +
           "x: loading out-of-tree module taints kernel.\nKTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: m\n"
           "    # module: x\n    1..1\n    not ok 1 c\nnot ok 1 m\n",
       Verdict::failed, "s.a=passed s.b=passed m.c=failed", "1 of 3 tests failed: m.c"},
      {"WrongNumbers", suite("    ok 3 a\n    ok 4 b\n"), Verdict::passed, "s.a=passed s.b=passed", "2 tests passed"},
      {"KtapVersion2", "KTAP version 2\n1..1\n    KTAP version 2\n    # Subtest: s\n    1..1\n    ok 1 a\nok 1 s\n",
       Verdict::passed, "s.a=passed", "1 test passed"},
      {"PrintkGluedBehindAResult", suite("    ok 1 a\n    ok 2 bWARNING: at foo.c:12 f()\n"), Verdict::failed,
       "s.a=passed s.b=passed s=failed", "s (foo.c:12)"},
      {"PrintkGluedBehindASuiteResult", suite(kBoth, "ok 1 srandom: crng init done\n"), Verdict::passed,
       "s.a=passed s.b=passed", ""},
      {"PrintkGluedInFront", suite("    ok 1 a\nrandom: crng init done    ok 2 b\n"), Verdict::passed,
       "s.a=passed s.b=passed", ""},
      {"PrintkGluedInFrontOfAFailure", suite("    ok 1 a\nrandom: crng init done    not ok 2 b\n", "not ok 1 s\n"),
       Verdict::failed, "s.a=passed s.b=failed", "s.b"},
      {"PrintkGluedInFrontOfASuiteResult", suite(kBoth, "random: crng init doneok 1 s\n"), Verdict::passed,
       "s.a=passed s.b=passed", ""},
      {"HashInTheName", suite("    ok 1 a#b\n    ok 2 b\n"), Verdict::passed, "s.a#b=passed s.b=passed", ""},
      {"ExpectedFailure", suite("    not ok 1 a # TODO later\n    ok 2 b\n"), Verdict::passed,
       "s.a=expected_failure s.b=passed", ""},
      {"SkipInLowerCase", suite("    ok 1 a # skip x\n    ok 2 b\n"), Verdict::passed, "s.a=skipped s.b=passed",
       "1 test passed, 1 skipped"},
      {"SystemHaltedInsideTheRun", suite("    ok 1 a\nreboot: System halted\n", ""), Verdict::crashed,
       "s.a=passed s.(test 2 of 2)=crashed", "crashed in s.(test 2 of 2)"},
      {"CrashInACaseThatSpoke",
       suite("    ok 1 a\n    # b: starting\nKernel panic - not syncing: Kernel mode fault at addr 0x0, ip 0x60\n", ""),
       Verdict::crashed, "s.a=passed s.b=crashed", "crashed in s.b: Kernel panic - not syncing: Kernel mode fault"},
      {"BailOut", suite("    ok 1 a\nBail out! no memory\n", ""), Verdict::crashed,
       "s.a=passed s.(test 2 of 2)=crashed", ""},
      {"EmptyPlan", "KTAP version 1\n1..0\n", Verdict::no_tests, "", "no test ran"},
      {"EmptyFile", "", Verdict::no_tests, "", "no test ran: the kernel printed no KTAP results"},
      {"ExecutorError", "kunit executor: error filtering suites: -22\n", Verdict::no_tests, "",
       "kunit executor: error filtering suites: -22"},
      {"NoHeader", "ok 1 a\nok 2 b\n", Verdict::no_tests, "", "no test ran"},
      {"StampsWhoseWidthChanges",
       "[    9.999999] KTAP version 1\n[    9.999999] 1..1\n[   10.000000][    T1]     KTAP version 1\n[   10.000000][ "
       "  T12]     # Subtest: s\n"
       "[  100.000000]     1..2\n[ 1000.000000]     ok 1 a\n[10000.000000]     ok 2 b\n[100000.500000] ok 1 s\n",
       Verdict::passed, "s.a=passed s.b=passed", ""},
      {"ThreadIdsOnly",
       "[    T1] KTAP version 1\n[    T1] 1..1\n[    T1]     # Subtest: s\n[   T12]     1..1\n[  T123]     ok 1 a\n[   "
       " T1] ok 1 s\n",
       Verdict::passed, "s.a=passed", ""},
      {"CrLfAnsiAndOtherBytes",
       "KTAP version 1\r\n1..1\r\n    # Subtest: s\r\n    1..2\r\n\x1b[32m    ok 1 a\x1b[0m\r\n    \xff\xfe\x80 "
       "noise\r\n    ok 2 b\xff\r\nok 1 s\r\n",
       Verdict::passed, "s.a=passed s.b\xEF\xBF\xBD=passed", ""},
      {"EndlessPlan", suite(kBoth, "ok 1 s\n", 99999999), Verdict::failed, "",
       "plans 99999999 tests, more than the limit"},
      {"FailuresOnlyInNestedParameters",
       "KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n        KTAP version 1\n        # Subtest: p\n        ok 1 "
       "x\n        not ok 2 y\n"
       "    # p: pass:1 fail:1 skip:0 total:2\n    not ok 1 p\nnot ok 1 s\n",
       Verdict::failed, "s.p.x=passed s.p.y=failed", "1 of 2 tests failed: s.p.y"},
      {"ParameterLineLost",
       "KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n        KTAP version 1\n        # Subtest: p\n        ok 1 "
       "x\n"
       "    # p: pass:3 fail:0 skip:0 total:3\n    ok 1 p\nok 1 s\n",
       Verdict::missing_tests, "s.p.x=passed s.p.(test 2 of 3)=missing s.p.(test 3 of 3)=missing",
       "2 of 3 tests never ran"},
      {"CaseLineLost", suite("    ok 1 a\n"), Verdict::missing_tests, "s.a=passed s.(test 2 of 2)=missing",
       "1 of 2 tests never ran"},
      {"SuiteFailsToInitialize", "KTAP version 1\n1..1\n    # s:     # failed to initialize (-12)\nnot ok 1 s\n",
       Verdict::failed, "s=failed", "failed to initialize (-12)"},
      {"TimeLimitOfTheKernel",
       suite("    # a: try timed out\n    # a: test case timed out\n    not ok 1 a\n    ok 2 b\n", "not ok 1 s\n"),
       Verdict::timed_out, "s.a=timed_out s.b=passed", "s.a"},
      {"FaultInACase",
       suite("    # a: try faulted: last line seen lib/x.c:33\n    # a: internal error occurred preventing test case "
             "from running: -4\n"
             "    not ok 1 a\n    ok 2 b\n",
             "not ok 1 s\n"),
       Verdict::crashed, "s.a=crashed s.b=passed", "crashed in s.a: try faulted: last line seen lib/x.c:33"},
      {"SkipAfterAFailure",
       suite(
           "    # a: EXPECTATION FAILED at lib/x.c:3\n    Expected 2 == 3, but\n    ok 1 a # SKIP late\n    ok 2 b\n"),
       Verdict::failed, "s.a=failed s.b=passed", "1 of 2 tests failed: s.a (lib/x.c:3)"},
      {"AnotherTestsFailureInAGoodOne",
       suite("    # fake: EXPECTATION FAILED at lib/x.c:3\n    Expected 2 == 3, but\n    ok 1 a\n    ok 2 b\n"),
       Verdict::passed, "s.a=passed s.b=passed", ""},
      {"HeaderAndGoodResultAndNothingBetween",
       "TAP version 14\n1..1\n  # Subtest: s\n  1..1\n    # Subtest: c\n  ok 1 - c\nok 1 - s\n", Verdict::no_tests,
       "s.c=missing", ""},
  };
  return kRows;
}

class KunitTable : public testing::TestWithParam<Row> {};

TEST_P(KunitTable, IsJudgedRight) {
  const Row& row = GetParam();
  JudgeInput input;
  input.console = ktap::read_console(row.input);
  const RunResult result = judge(std::move(input));
  EXPECT_EQ(to_string(result.verdict), to_string(row.verdict)) << result.summary;
  if (row.name != "EndlessPlan") {  // thousands of missing tests
    EXPECT_EQ(list(result), row.tests);
  }
  EXPECT_NE(result.summary.find(row.summary), std::string::npos) << result.summary;
  const TestCounts& t = result.tests;
  EXPECT_EQ(t.total, t.passed + t.failed + t.crashed + t.timed_out + t.skipped + t.missing);
}
INSTANTIATE_TEST_SUITE_P(Rows, KunitTable, testing::ValuesIn(rows()),
                         [](const testing::TestParamInfo<Row>& row) { return row.param.name; });

}  // namespace
}  // namespace bowsprit
