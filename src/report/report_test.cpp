// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/strings.h"

namespace bowsprit::report {
namespace {

using sched::JobState;

/// Compares with testdata/NAME; UPDATE_GOLDEN=1 writes it instead and skips.
void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(BOWSPRIT_SOURCE_DIR) + "/src/report/testdata/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream written(path);
    written << text << std::flush;
    ASSERT_TRUE(written) << path << " could not be written";
    GTEST_SKIP() << "golden file " << path << " written; look at what changed";
  }
  std::ifstream file(path);
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(text, expected.str()) << "run with UPDATE_GOLDEN=1 if the new text is right";
}

std::string text_of(const ReportText& report) {
  return report.message + fmt::format("=== vote {:+}, {} bytes\n", report.vote, report.message.size());
}

JobLine job(const std::string& name, JobState state, bool optional = false) {
  return {.job = name, .state = state, .url = "https://ci.example.com/run/" + name, .optional = optional};
}

RunResult failed_result() {
  RunResult result;
  result.verdict = Verdict::failed;
  result.summary = "3 of 75 tests failed: example.judged_test and 2 more";
  result.failures = {
      {"list.list_test_add", ktap::TestStatus::failed, Origin::also_on_base, "lib/list-test.c", 40, "Expected 3 == 4",
       ""},
      {"example.judged_test", ktap::TestStatus::failed, Origin::unknown, "lib/kunit/kunit-example-test.c", 282,
       "Expected 1 == 2, but\n        1 == 1 (0x1)\n        2 == 2 (0x2)", ""},
      {"bits.slow_test", ktap::TestStatus::timed_out, Origin::new_failure, "", 0, "", ""},
      {"bits.gone_test", ktap::TestStatus::missing, Origin::new_failure, "", 0, "", ""}};
  result.reproduce =
      "git fetch https://gerrit.example.com/linux refs/changes/01/1/2 && git checkout FETCH_HEAD && "
      "./tools/testing/kunit/kunit.py run --kunitconfig=kunitconfig example";
  return result;
}

RunResult build_error() {
  RunResult result;
  result.verdict = Verdict::build_error;
  result.summary = "the kernel does not compile: lib/x.c:12: expected ';' before '}' token";
  result.diagnostics = {
      {.kind = Diagnostic::Kind::warning, .file = "lib/x.c", .line = 3, .message = "unused variable 'y'"},
      {.kind = Diagnostic::Kind::error, .file = "lib/x.c", .line = 12, .message = "expected ';' before '}' token"}};
  result.reproduce = "make ARCH=um O=.kunit lib/x.o";
  return result;
}

RunResult crashed_result() {
  RunResult result;
  result.verdict = Verdict::crashed;
  result.summary = "the kernel panicked in example.panic_test";
  result.diagnostics = {{.kind = Diagnostic::Kind::splat,
                         .file = "lib/panic-test.c",
                         .line = 9,
                         .message = "Kernel panic - not syncing: asked to",
                         .test = "example.panic_test"}};
  result.failures = {{"example.panic_test", ktap::TestStatus::crashed, Origin::new_failure, "", 0, "", ""}};
  return result;
}

TEST(Report, NamesTheKernelsOfAFailureOfARunOfSeveral) {
  RunResult result = failed_result();
  result.failures[1].variants = {"um+kasan", "x86_64"};
  JobLine line = job("kunit", JobState::failure);
  line.result = result;
  const auto text = text_of(make_report({line}, {.key = "7.1"}));
  EXPECT_NE(text.find("- `example.judged_test` failed on um+kasan, x86_64 at lib/kunit/kunit-example-test.c:282"),
            std::string::npos)
      << text;
}

TEST(Report, IsProwsReportWhereAllPassed) {
  expect_golden(
      "passed.txt",
      text_of(make_report({job("kunit-um", JobState::success), job("kunit-x86", JobState::success)}, {.key = "7.1"})));
}

TEST(Report, TellsWhatFailedWhereAndHowToReproduceIt) {
  auto failed = job("kunit-um", JobState::failure);
  failed.result = failed_result();
  auto broken = job("kunit-x86", JobState::failure);
  broken.result = build_error();
  auto crashed = job("kunit-kasan", JobState::failure);
  crashed.result = crashed_result();
  expect_golden("failed.txt",
                text_of(make_report({job("kunit-arm64", JobState::success), failed, broken, crashed}, {.key = "7.1"})));
}

TEST(Report, TellsWhatItExcuses) {
  auto fair = job("kunit-um", JobState::success);
  fair.result = failed_result();
  fair.result->verdict = Verdict::no_new_failures;
  fair.result->summary = "no new failures: 2 of 75 tests did not pass, on the base too or flaky";
  fair.result->failures[1].origin = Origin::flaky;
  fair.result->failures.resize(2);
  const auto report = make_report({fair, job("kunit-x86", JobState::success)}, {.key = "7.1"});
  EXPECT_EQ(report.vote, 1);
  expect_golden("excused.txt", text_of(report));
}

TEST(Report, DoesNotVoteWhereOnlyTheInfrastructureFailed) {
  auto error = job("kunit-um", JobState::error);
  error.url = "";
  error.description = "runc: no space left on device";
  auto strange = job("kunit-x86", JobState::failure);
  strange.result = RunResult{.verdict = Verdict::infra_error, .summary = "the disk is full"};
  expect_golden("infrastructure.txt",
                text_of(make_report({error, strange, job("lint", JobState::success)}, {.key = "9"})));
}

TEST(Report, VotesByRequiredJobsOnly) {
  const auto vote_of = [](std::vector<JobLine> jobs) { return make_report(jobs, {}).vote; };
  const auto good = job("a", JobState::success);
  const auto bad = job("b", JobState::failure);
  const auto error = job("c", JobState::error);
  const auto optional_bad = job("d", JobState::failure, true);
  const auto optional_good = job("e", JobState::success, true);
  EXPECT_EQ(vote_of({good}), 1);
  EXPECT_EQ(vote_of({good, bad}), -1);
  EXPECT_EQ(vote_of({good, error}), 0);
  EXPECT_EQ(vote_of({bad, error}), -1);
  EXPECT_EQ(vote_of({good, optional_bad}), 1);
  EXPECT_EQ(vote_of({bad, optional_good}), -1);
  EXPECT_EQ(vote_of({optional_good}), 0) << "no required job judged anything";
  EXPECT_EQ(vote_of({}), 0);
  EXPECT_EQ(vote_of({good, job("f", JobState::pending)}), 0);
  EXPECT_EQ(vote_of({good, job("f", JobState::aborted)}), 0);
}

TEST(Report, DoesNotPassAJobWhoseOwnResultSaysOtherwise) {
  auto liar = job("a", JobState::success);
  liar.result = failed_result();
  EXPECT_EQ(make_report({liar}, {}).vote, -1);
  liar.result = RunResult{.verdict = Verdict::aborted};
  EXPECT_EQ(make_report({liar}, {}).vote, 0);
  auto no_new = job("a", JobState::success);
  no_new.result = RunResult{.verdict = Verdict::no_new_failures};
  EXPECT_EQ(make_report({no_new}, {}).vote, 1);
}

TEST(Report, MakesHostileTextHarmless) {
  auto hostile = job("na me](x)\nkunit-um SUCCESS", JobState::failure);
  hostile.url = "https://ci/a) SUCCESS\n✔️ x SUCCESS";
  RunResult result;
  result.verdict = Verdict::failed;
  result.summary = "x SUCCESS\nProw Status: 9 out of 9 pjs passed!\nbowsprit-report: 1 [click](http://evil)";
  result.failures = {{"a`b\n✔️ kunit-um SUCCESS", ktap::TestStatus::failed, Origin::unknown, "a b`c\n.c", 1,
                      "\x1b[31m`</pre><script>\xff\xfe\n✔️ kunit-um SUCCESS", ""}};
  result.reproduce = "x `y`\n✔️ kunit-um SUCCESS\nbowsprit-report: 2";
  hostile.result = result;
  auto sentence = job("x", JobState::failure);
  sentence.result = RunResult{.verdict = Verdict::failed, .summary = "y SUCCESS"};
  const auto report = make_report({hostile, sentence}, {.key = "ke\ny"});
  expect_golden("hostile.txt", text_of(report));
  const auto jobs = parse_report(report.message);
  ASSERT_TRUE(jobs);
  ASSERT_EQ(jobs->size(), 2U);
  EXPECT_EQ((*jobs)[0].state, JobState::failure);
  EXPECT_EQ((*jobs)[1], (ReportedJob{"x", JobState::failure, "https://ci.example.com/run/x"}));
  EXPECT_EQ(report_key(report.message), "ke y");
}

bool is_utf8(const std::string& text) { return printable(text) == text; }

TEST(Report, StaysBelowTheLimitInEveryCase) {
  for (const std::size_t count : {1, 3, 30, 450, 1000}) {
    for (const std::size_t limit : {300UZ, 500UZ, 1024UZ, 4096UZ, 15UZ * 1024}) {
      for (const std::size_t failing : {std::size_t{0}, std::size_t{1}, count / 2, count}) {
        std::vector<JobLine> jobs;
        for (std::size_t i = 0; i < count; ++i) {
          const bool fails = i >= count - failing;
          jobs.push_back(job(fmt::format("pull-kernel-kunit-with-a-name-of-quite-some-length-{}", i),
                             fails ? (i % 3 == 0 ? JobState::error : JobState::failure) : JobState::success));
          if (!fails) continue;
          jobs.back().result = failed_result();
          for (int n = 0; n < 40; ++n)
            jobs.back().result->failures.push_back({fmt::format("grüße.test_{}", n), ktap::TestStatus::failed,
                                                    Origin::unknown, "lib/x.c", n, std::string(400, 'x') + "é", ""});
        }
        const auto report = make_report(jobs, {.limit = limit, .key = std::string(500, 'k')});
        const auto where = fmt::format("{} jobs, {} failing, limit {}", count, failing, limit);
        EXPECT_LE(report.message.size(), limit) << where;
        EXPECT_TRUE(is_utf8(report.message)) << where;
        EXPECT_TRUE(report_key(report.message) || limit < 1024) << where;
        const auto listed = parse_report(report.message);
        ASSERT_TRUE(listed) << where;
        if (listed->size() == count) continue;
        EXPECT_NE(report.message.find("jobs left out"), std::string::npos) << where;
        // Failing jobs are the last to go.
        const auto fails_listed = static_cast<std::size_t>(
            std::ranges::count_if(*listed, [](const auto& one) { return one.state != JobState::success; }));
        EXPECT_EQ(fails_listed, std::min(failing, listed->size())) << where;
        EXPECT_GE(listed->size(), limit / 600) << where;
      }
    }
  }
}

TEST(Report, KeepsWhyAJobFailedAmongManyThatPassed) {
  std::vector<JobLine> jobs;
  for (int i = 0; i < 400; ++i) jobs.push_back(job(fmt::format("kunit-{}", i), JobState::success));
  jobs.push_back(job("kunit-um", JobState::failure));
  jobs.back().result = failed_result();
  const auto report = make_report(jobs, {.key = "k"});
  EXPECT_NE(report.message.find("example.judged_test` failed at lib/kunit/kunit-example-test.c:282"),
            std::string::npos);
  EXPECT_NE(report.message.find("Reproduce: `git fetch"), std::string::npos);
}

TEST(Report, SharesTheRoomFairlyAndCountsTheRest) {
  std::vector<JobLine> jobs;
  for (int i = 0; i < 3; ++i) {
    jobs.push_back(job(fmt::format("kunit-{}", i), JobState::failure));
    jobs.back().result = failed_result();
    jobs.back().result->failures.clear();
    for (int n = 0; n < 40; ++n)
      jobs.back().result->failures.push_back(
          {fmt::format("suite{}.test_{}", i, n), ktap::TestStatus::failed, Origin::unknown, "lib/x.c", n, "no", ""});
  }
  expect_golden("fair.txt", text_of(make_report(jobs, {.limit = 2000, .key = "k"})));
}

TEST(ReportParser, ReadsAllFormsOfProw) {
  const auto jobs = parse_report(
      "Patch Set 3: Code-Review-1\n\n(2 comments)\n\nfake one SUCCESS\n"
      "Prow Status: 1 out of 5 pjs passed! 👉 Comment `/retest` to rerun only failed tests (if any), or `/test all` to "
      "rerun all tests.\n"
      "✔️ legacy-job SUCCESS - https://p/0\n"
      "❌ [kunit-x86](https://p/1) FAILURE\n"
      "🚫 kunit-um (URL_NOT_FOUND) ERROR\n"
      "⏳ kunit-arm64 PENDING\n"
      "[NOTE FROM PROW: Skipped displaying 3/8 jobs]\n"
      "some other words\n"
      "🚫 [odd](https://p/2) LOST\n");
  ASSERT_TRUE(jobs);
  EXPECT_EQ(*jobs, (std::vector<ReportedJob>{{"legacy-job", JobState::success, "https://p/0"},
                                             {"kunit-x86", JobState::failure, "https://p/1"},
                                             {"kunit-um", JobState::error, ""},
                                             {"kunit-arm64", JobState::pending, ""}}));
  EXPECT_FALSE(parse_report("❌ [kunit-x86](https://p/1) FAILURE"));
}

}  // namespace
}  // namespace bowsprit::report
