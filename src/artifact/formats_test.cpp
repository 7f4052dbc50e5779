// SPDX-License-Identifier: Apache-2.0
/// The writers of one model: each says the same, and none says green where the verdict is red.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "artifact/junit.h"
#include "artifact/kcidb.h"
#include "artifact/kunit_json.h"
#include "artifact/result_json.h"
#include "artifact/text.h"
#include "base/strings.h"
#include "os/files.h"
#include "verdict/judge.h"
#include "verdict/variants.h"

namespace bowsprit::artifact {
namespace {

RunResult judged(const std::string& console, KernelEnd end = KernelEnd::exited) {
  JudgeInput input;
  input.console =
      ktap::read_console(console, end == KernelEnd::timed_out ? ktap::EndOfInput::timed_out : ktap::EndOfInput::exited);
  input.end = end;
  return judge(std::move(input));
}

/// One of each: good, skipped, failed with hostile text, crashed, missing, and a report outside of any test.
RunResult mixed() {
  return judged(
      "WARNING: CPU: 0 PID: 1 at init/x.c:3 early+0x1/0x2\n---[ end trace 0 ]---\n"
      "[    0.100000] KTAP version 1\n[    0.1] 1..2\n[    0.1]     # Subtest: s\n[    0.1]     1..3\n"
      "[    0.3]     ok 1 good\n[    0.3]     ok 2 skip # SKIP not <here>\n"
      "[    0.3]     # bad: EXPECTATION FAILED at lib/x.c:30\n[    0.3]     Expected \"a\" == ']]>' & "
      "\x01\xff\x1b[31m\n"
      "[    0.4]     not ok 3 bad\n[    0.4] not ok 1 s\n"
      "[    0.4]     # Subtest: t\n[    0.4]     1..2\n[    0.4]     # dies: hello\n[    0.5] Kernel panic - not "
      "syncing: oh no\n");
}

TEST(ResultJson, HasTheShapeOfTheContract) {
  RunResult result = mixed();
  result.phases = {{"build", 3.5}};
  result.reproduce = "git fetch ...";
  const auto json = parse_json(result_json(result));
  ASSERT_TRUE(json) << json.error().text();
  EXPECT_EQ(json_string(*json, "schema"), "bowsprit/result/1");
  EXPECT_EQ(json_string(*json, "verdict"), "crashed");
  EXPECT_EQ(json_int(*json, "vote"), -1);
  EXPECT_EQ(json_int(json_get(*json, "tests"), "total"), 5);
  const Json& failure = json_get(*json, "failures").at(0);
  EXPECT_EQ(json_string(failure, "test"), "s.bad");
  EXPECT_EQ(json_string(failure, "origin"), "unknown");
  EXPECT_EQ(json_int(failure, "line"), 30);
  EXPECT_EQ(json_string(json_get(*json, "diagnostics").at(0), "kind"), "splat");
  EXPECT_EQ(json_string(json_get(*json, "suites").at(0), "status"), "failed");
  EXPECT_NEAR(json_double(json_get(json_get(*json, "suites").at(0), "cases").at(0), "seconds"), 0.2, 1e-9);
}

TEST(ResultJson, IsReadBackAsItWasWritten) {
  RunResult result = mixed();
  result.failures.at(0).source = "KUNIT_EXPECT_STREQ(test, a, \"b\");";
  result.diagnostics.at(0).source = "WARN_ON(1);";
  const std::string text = result_json(result);
  const auto read = read_result_json(text);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(result_json(*read), text);
  EXPECT_EQ(read->failures.at(0).source, result.failures[0].source);
  EXPECT_EQ(read->diagnostics.at(0).source, result.diagnostics[0].source);
}

TEST(ResultJson, ReaderRefusesWhatIsNoResultAndSurvivesAnyShape) {
  for (const std::string_view text :
       {"", "{", "[]", "null", "{}", R"({"schema":"bowsprit/result/2","verdict":"passed"})",
        R"({"schema":"bowsprit/result/1","verdict":"green"})"}) {
    const auto read = read_result_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::bad_data);
  }
  const auto odd = read_result_json(
      R"({"schema":"bowsprit/result/1","verdict":"failed","summary":7,"tests":[],"failures":{"a":1},"diagnostics":[1,null,{"kind":7,"line":-5}],)"
      R"("suites":[{"name":["x"],"status":"wonderful","cases":[{"cases":3}]},"s"],"phases":[{"seconds":"x"}]})");
  ASSERT_TRUE(odd) << odd.error().text();
  EXPECT_EQ(odd->suites.at(0).status, ktap::TestStatus::failed);  // a word of the future is not good news
  EXPECT_EQ(odd->diagnostics.at(0).line, 0);
  std::string deep = R"({"schema":"bowsprit/result/1","verdict":"passed","suites":)";
  for (int i = 0; i < 100; ++i) deep += R"([{"name":"x","status":"passed","cases":)";
  deep += "[]";
  for (int i = 0; i < 100; ++i) deep += "}]";
  EXPECT_TRUE(read_result_json(deep + "}"));
}

/// Runs a Python program on a file with this text; its standard output and error are in `said`.
int python(const std::string& program, const std::string& input, std::string& said,
           const std::string& interpreter = "python3") {
  auto dir = TempDir::create("bowsprit-formats");
  EXPECT_TRUE(dir);
  EXPECT_TRUE(write_file(dir->path() / "program.py", program));
  EXPECT_TRUE(write_file(dir->path() / "input", input));
  const int status = std::system(
      fmt::format("cd '{}' && '{}' program.py input > said 2>&1", dir->path().string(), interpreter).c_str());
  said = read_file(dir->path() / "said").value_or("");
  return status;
}

TEST(Junit, IsXmlThatAnotherParserReadsWithEachStatusAsItsElement) {
  std::string said;
  ASSERT_EQ(python(R"py(
import re, sys, xml.etree.ElementTree as E
root = E.parse(sys.argv[1]).getroot()
for suite in root:
    assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?", suite.get("time")), suite.get("time")
    cases = suite.findall("testcase")
    for kind, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(suite.get(attribute)) == sum(c.find(kind) is not None for c in cases), (suite.get("name"), kind)
    assert int(suite.get("tests")) == len(cases)
    for case in cases:
        print(case.get("classname"), case.get("name"), ",".join(e.tag for e in case) or "ok")
bad = root.find(".//testcase[@name='bad']/failure")
assert "']]>' & " in bad.text and bad.get("type") == "failed" and "lib/x.c:30" in bad.get("message")
assert root.find(".//skipped").get("message") == "not <here>"
)py",
                   junit_xml(mixed()), said),
            0)
      << said;
  EXPECT_EQ(said,
            "s good ok\ns skip skipped\ns bad failure\nt dies error\nt (test 2 of 2) failure\nbowsprit kernel console "
            "error\n");
}

RunResult of_variants() {
  return join_variants({{"um", judged("KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n    ok 1 good\nok 1 s\n")},
                        {"um+kasan", mixed()}});
}

TEST(Variants, AreInEveryFormat) {
  const auto result = of_variants();
  const auto read = read_result_json(result_json(result));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(result_json(*read), result_json(result));
  ASSERT_EQ(read->variants.size(), 2U);
  EXPECT_EQ(read->variants[1].name, "um+kasan");
  EXPECT_EQ(read->variants[1].verdict, Verdict::crashed);
  EXPECT_EQ(read->variants[1].tests.total, 5);
  ASSERT_FALSE(read->failures.empty());
  EXPECT_EQ(read->failures[0].variants, std::vector<std::string>{"um+kasan"});
  EXPECT_NE(junit_xml(result).find("variant: um+kasan"), std::string::npos);
}

TEST(Variants, AreBuildsOfOneCheckoutInKcidb) {
  const auto json = parse_json(kcidb_json({{"um", judged("")}, {"x86_64+kasan", mixed()}}));
  ASSERT_TRUE(json) << json.error().text();
  EXPECT_EQ(json_get(*json, "checkouts").size(), 1U);
  ASSERT_EQ(json_get(*json, "builds").size(), 2U);
  const Json& build = json_get(*json, "builds").at(1);
  EXPECT_EQ(json_string(build, "id"), "bowsprit:local/x86_64+kasan");
  EXPECT_EQ(json_string(build, "checkout_id"), "bowsprit:local");
  EXPECT_EQ(json_string(build, "architecture"), "x86_64");
  EXPECT_EQ(json_string(build, "config_name"), "kunit+kasan");
  EXPECT_EQ(json_string(json_get(*json, "tests").back(), "build_id"), "bowsprit:local/x86_64+kasan");
}

TEST(Junit, IsNotGreenWhereTheVerdictIsRed) {
  const RunResult results[] = {
      judged(""),
      judged("KTAP version 1\n1..0\n"),
      judged("KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n    ok 1 a\nok 1 s\n", KernelEnd::timed_out),
      judged("KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n    ok 1 a\nnot ok 1 s\n"),
      build_failed({{Diagnostic::Kind::error, "lib/x.c", 1, 1, "no"}}),
      merge_conflict({"a.c"}),
      infra_failed("no space")};
  for (const auto& result : results) {
    ASSERT_NE(exit_code(result.verdict), 0);
    const std::string xml = junit_xml(result);
    EXPECT_TRUE(xml.find("<error") != std::string::npos || xml.find("<failure") != std::string::npos) << xml;
    EXPECT_EQ(xml.find(R"(failures="0" errors="0">)"), std::string::npos) << xml;
    EXPECT_NE(kunit_json(result).find("\"ERROR\"") == std::string::npos &&
                  kunit_json(result).find("\"FAIL\"") == std::string::npos,
              true);
  }
}

TEST(Kcidb, IsValidByTheSchemaOfKcidbIo) {
  const char* named = std::getenv("BOWSPRIT_KCIDB_PYTHON");
  const std::string interpreter = named != nullptr ? named : "python3";
  std::string said;
  if (python("import kcidb_io", "", said, interpreter) != 0) {
    ASSERT_EQ(named, nullptr) << "BOWSPRIT_KCIDB_PYTHON is '" << interpreter
                              << "', which cannot import kcidb_io: " << said;
    GTEST_SKIP()
        << "no kcidb-io: `./dev test` makes a venv with it, or set BOWSPRIT_KCIDB_PYTHON to a python that has it";
  }
  KcidbInfo info;
  info.repository_url = "https://git.example.com/linux.git";
  info.commit = std::string(40, 'a');
  info.start = from_unix_millis(1'700'000'000'000);
  info.log_url = "https://ci.example.com/1/kunit.log";
  for (const auto& result : {mixed(), judged(""), build_failed({{Diagnostic::Kind::error, "lib/x.c", 1, 1, "no"}}),
                             merge_conflict({"a.c"})}) {
    for (const auto& text : {kcidb_json(result, info), kcidb_json({{"um", result}, {"um+kasan", result}}, info)})
      EXPECT_EQ(python(R"py(
import json, sys
from kcidb_io.schema import V5_3
V5_3.validate_exactly(json.load(open(sys.argv[1])))
)py",
                       text, said, interpreter),
                0)
          << said;
  }
}

TEST(Kcidb, SaysTheStatusOfEachTestOnce) {
  const auto json = parse_json(kcidb_json(mixed()));
  ASSERT_TRUE(json) << json.error().text();
  std::string seen;
  for (const auto& test : json_get(*json, "tests"))
    seen += fmt::format("{}={};", json_string(test, "path"), json_string(test, "status"));
  EXPECT_EQ(
      seen,
      "kunit.s.good=PASS;kunit.s.skip=SKIP;kunit.s.bad=FAIL;kunit.t.dies=FAIL;kunit.t._test_2_of_2_=MISS;boot=FAIL;");
}

TEST(KunitJson, HasTheKeysAndWordsOfKunitPy) {
  const auto json =
      parse_json(kunit_json(judged("KTAP version 1\n1..1\n    # Subtest: s\n    1..2\n    ok 1 a # SKIP x\n        # "
                                   "Subtest: p\n        ok 1 x\n        not ok 2 y\n"
                                   "    not ok 2 p\nnot ok 1 s\n")));
  ASSERT_TRUE(json) << json.error().text();
  EXPECT_EQ(json_string(*json, "name"), "KUnit Test Group");
  EXPECT_EQ(json_string(*json, "git_branch"), "kselftest");
  const Json& suite = json_get(*json, "sub_groups").at(0);
  EXPECT_EQ(json_string(json_get(suite, "test_cases").at(0), "status"), "SKIP");
  EXPECT_EQ(json_string(json_get(json_get(suite, "sub_groups").at(0), "test_cases").at(1), "status"), "FAIL");
}

TEST(Text, NamesBadTestsAndEndsWithTheVerdict) {
  const std::string text = result_text(mixed());
  EXPECT_NE(text.find("✗ s  (1 passed, 1 bad, 1 skipped"), std::string::npos) << text;
  EXPECT_NE(text.find("  ✗ bad"), std::string::npos);
  EXPECT_NE(text.find("lib/x.c:30"), std::string::npos);
  EXPECT_EQ(text.find("✓ good"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("\ncrashed: crashed in t.dies: Kernel panic - not syncing: oh no"), std::string::npos) << text;
  EXPECT_NE(result_text(mixed(), {.colour = true, .all_tests = true}).find("\x1b[32m✓\x1b[0m good"), std::string::npos);
}

}  // namespace
}  // namespace bowsprit::artifact
