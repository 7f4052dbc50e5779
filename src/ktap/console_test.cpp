// SPDX-License-Identifier: Apache-2.0
#include "ktap/console.h"

#include <gtest/gtest.h>

#include <fmt/core.h>

#include <fstream>

#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::ktap {
namespace {

/// Everything a report says, as text, to compare two of them.
void dump(const TestNode& node, int depth, std::string& out) {
  out += fmt::format("{:{}}{} {} {} {} {}\n", "", depth * 2, node.name, to_string(node.status), node.directive,
                     node.module, node.seconds.value_or(-1));
  for (const auto& line : node.log) out += fmt::format("{:{}}| {}\n", "", depth * 2, line);
  for (const auto& e : node.expectations)
    out += fmt::format("{:{}}! {}:{} {}\n", "", depth * 2, e.file, e.line, e.message);
  for (const auto& child : node.children) dump(child, depth + 1, out);
}
std::string dump(const ConsoleReport& report) {
  std::string out;
  for (const auto& suite : report.document.suites) dump(suite, 0, out);
  for (const auto& anomaly : report.document.anomalies)
    out += fmt::format("anomaly {} {}\n", anomaly.line, anomaly.message);
  for (const auto& error : report.document.executor_errors) out += "executor " + error + "\n";
  for (const auto& splat : report.splats)
    out += fmt::format("splat {} [{}] {} in {}\n{}", to_string(splat.kind), splat.title, splat.fingerprint, splat.test,
                       splat.text);
  return out;
}

const std::string kRich =
    "[    0.100000] random: crng init done\n"
    "[    0.100000][    T1] KTAP version 1\r\n"
    "[    0.100000] 1..2\n"
    "[    0.200000]     KTAP version 1\n"
    "[    0.200000]     # Subtest: example\n"
    "[    0.200000]     # module: example_test\n"
    "[    0.200000]     1..3\n"
    "[    0.300000]     # simple: EXPECTATION FAILED at lib/x.c:30\n"
    "[    0.300000]     Expected 1 + 1 == 3, but\n"
    "[    0.300000]         1 + 1 == 2 (0x2)\n"
    "[    0.300000] own words\n"
    "[    0.400000]     # simple: ASSERTION FAILED at ../lib/y.c:7\n"
    "[    0.450000]     not ok 1 simple\n"
    "[    0.500000]     ok 2 other # SKIP not here\n"
    "[    0.500000]         KTAP version 1\n"
    "[    0.500000]         # Subtest: params\n"
    "[    0.500000]         ok 1 width 1, height 2\n"
    "[    0.500000] \x1b[31mred\x1b[0m text ok 9 x\n"
    "[    0.600000] ------------[ cut here ]------------\n"
    "[    0.600000] WARNING: CPU: 0 PID: 31 at lib/x.c:12 params+0x3/0x9\n"
    "[    0.600000]  [<60031f0e>] ? show_stack+0x1/0x2\n"
    "[    0.600000] ---[ end trace 0000000000000000 ]---\n"
    "[    0.600000]         ok 2 width 3, height 4\n"
    "[    0.600000]     # params: pass:2 fail:0 skip:0 total:2\n"
    "[    0.750000]     ok 3 params\n"
    "[    0.750000] # example: pass:1 fail:1 skip:1 total:3\n"
    "[    0.800000] not ok 1 example\n"
    "[    0.900000] Kernel panic - not syncing: oh\xff no\n"
    "[    0.900000] half a line";

TEST(Console, BuildsTheTreeWithLogExpectationsAndTimes) {
  const ConsoleReport report = read_console(kRich);
  ASSERT_EQ(report.document.suites.size(), 2U);
  const TestNode& example = report.document.suites[0];
  EXPECT_EQ(example.name, "example");
  EXPECT_EQ(example.module, "example_test");
  EXPECT_EQ(example.status, TestStatus::failed);
  ASSERT_EQ(example.children.size(), 3U);
  const TestNode& simple = example.children[0];
  EXPECT_EQ(simple.status, TestStatus::failed);
  EXPECT_NEAR(simple.seconds.value(), 0.25, 1e-9);
  ASSERT_EQ(simple.expectations.size(), 2U);
  EXPECT_EQ(simple.expectations[0].file, "lib/x.c");
  EXPECT_EQ(simple.expectations[0].line, 30);
  EXPECT_EQ(simple.expectations[0].message, "Expected 1 + 1 == 3, but\n    1 + 1 == 2 (0x2)\nown words");
  EXPECT_EQ(simple.expectations[1].file, "lib/y.c");
  EXPECT_EQ(simple.log.size(), 5U);
  EXPECT_EQ(example.children[1].status, TestStatus::skipped);
  EXPECT_EQ(example.children[1].directive, "not here");
  const TestNode& params = example.children[2];
  ASSERT_EQ(params.children.size(), 2U);
  EXPECT_EQ(params.children[1].name, "width 3, height 4");
  EXPECT_NEAR(params.seconds.value(), 0.25, 1e-9);
  ASSERT_EQ(report.splats.size(), 2U);
  EXPECT_EQ(report.splats[0].test, "example.params.width 3, height 4");
  EXPECT_EQ(report.splats[1].kind, Splat::Kind::panic);
  EXPECT_TRUE(report.document.ended_early);
}

TEST(Console, ReadsTheSameHoweverTheInputIsSplit) {
  const std::string whole = dump(read_console(kRich));
  for (const std::size_t size : {1U, 2U, 3U, 7U, 64U, 1000U}) {
    Console console;
    for (std::size_t at = 0; at < kRich.size(); at += size) console.feed(std::string_view(kRich).substr(at, size));
    EXPECT_EQ(dump(std::move(console).finish(EndOfInput::exited)), whole) << size;
  }
}

TEST(Console, CutsLongLinesAlikeHoweverTheyAreSplit) {
  const std::string input =
      "KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n" + std::string(100'000, 'x') + "    ok 1 a\nok 1 s\n";
  const std::string whole = dump(read_console(input));
  EXPECT_NE(whole.find("  a passed"), std::string::npos) << whole.substr(0, 300);
  for (const std::size_t size : {1U, 4096U, 8192U, 9216U, 9217U, 50'000U}) {
    Console console;
    for (std::size_t at = 0; at < input.size(); at += size) console.feed(std::string_view(input).substr(at, size));
    EXPECT_EQ(dump(std::move(console).finish(EndOfInput::exited)), whole) << size;
  }
}

std::string suite_header(int plan) { return fmt::format("KTAP version 1\n1..1\n    # Subtest: s\n    1..{}\n", plan); }

TEST(Console, KeepsTheFirstAndLastLinesOfALongLog) {
  std::string input = suite_header(1);
  for (int i = 0; i < 20'000; ++i) input += fmt::format("line {}\n", i);
  const ConsoleReport report = read_console(input + "    not ok 1 a\nnot ok 1 s\n");
  const auto& log = report.document.suites.at(0).children.at(0).log;
  ASSERT_EQ(log.size(), 201U);
  EXPECT_EQ(log[99], "line 99");
  EXPECT_EQ(log[100], "[19800 lines left out]");
  EXPECT_EQ(log[101], "line 19900");
  EXPECT_EQ(log.back(), "line 19999");
}

TEST(Console, HoldsItsLimitsAgainstEndlessInput) {
  Limits limits;
  limits.tests = 1000;
  limits.log_bytes = 100'000;
  limits.anomalies = 10;
  limits.splats = 5;
  Console console(limits);
  console.feed("KTAP version 1\n");
  for (int i = 0; i < 3'000; ++i) {
    console.feed(
        fmt::format("    KTAP version 1\n    # Subtest: s{}\n    1..9\n{}\nBUG: KASAN: use-after-free in f{}+0x1/0x2\n",
                    i, std::string(500, 'l'), i));
    console.feed("    # a: EXPECTATION FAILED at lib/x.c:1\n    not ok 7 a\n");
  }
  const ConsoleReport report = std::move(console).finish(EndOfInput::exited);
  std::size_t nodes = 0;
  std::size_t bytes = 0;
  for (const auto& suite : report.document.suites) {
    nodes += 1 + suite.children.size();
    for (const auto& node : suite.children)
      for (const auto& line : node.log) bytes += line.size();
  }
  EXPECT_LE(nodes, 1000U);
  EXPECT_LE(bytes, 100'000U);
  EXPECT_LE(report.splats.size(), 5U);
  EXPECT_LE(report.document.anomalies.size(), 16U);
  EXPECT_TRUE(std::ranges::any_of(report.document.anomalies, [](const Anomaly& a) {
    return a.severity == Anomaly::Severity::error && a.message.find("more than 1000 tests") != std::string::npos;
  }));
}

TEST(Console, SurvivesNestingWithoutEnd) {
  std::string input = "KTAP version 1\n";
  for (int depth = 1; depth < 500; ++depth)
    input += std::string(static_cast<std::size_t>(depth) * 4, ' ') + "KTAP version 1\n";
  const ConsoleReport report = read_console(input);
  const auto& anomalies = report.document.anomalies;
  ASSERT_FALSE(anomalies.empty());
  EXPECT_NE(anomalies[0].message.find("nested deeper than 8"), std::string::npos);
}

TEST(Console, TellsARunningTestThatRanOutOfTimeFromACrash) {
  const std::string input = suite_header(3) + "    ok 1 a\n    # b: loops\n";
  const auto status = [&](const std::string& text, EndOfInput how) {
    return read_console(text, how).document.suites.at(0).children.at(1).status;
  };
  EXPECT_EQ(status(input, EndOfInput::timed_out), TestStatus::timed_out);
  EXPECT_EQ(status(input, EndOfInput::exited), TestStatus::crashed);
  EXPECT_EQ(status(input, EndOfInput::killed), TestStatus::crashed);
  // A panicked kernel that spins until our limit crashed all the same.
  EXPECT_EQ(status(input + "Kernel panic - not syncing: x\n", EndOfInput::timed_out), TestStatus::crashed);
  const ConsoleReport report = read_console(input, EndOfInput::timed_out);
  EXPECT_EQ(report.document.suites[0].children[1].name, "b");
  EXPECT_EQ(report.document.suites[0].children[2].status, TestStatus::missing);
}

TEST(Console, FollowsNamesWhereTheIndentationIsLost) {
  const ConsoleReport report = read_console(
      "KTAP version 1\n1..2\nKTAP version 1\n# Subtest: s\n1..2\nok 1 a\nnot ok 2 b\nnot ok 1 s\n"
      "KTAP version 1\n# Subtest: t\n1..1\nok 1 c\nok 2 t\n");
  ASSERT_EQ(report.document.suites.size(), 2U);
  EXPECT_EQ(report.document.suites[0].children.size(), 2U);
  EXPECT_EQ(report.document.suites[1].children.at(0).name, "c");
  EXPECT_TRUE(report.document.anomalies.empty());
}

TEST(Console, ReadsLogsWithSyslogAndDmesgPrefixes) {
  for (const std::string prefix :
       {"Nov 24 10:58:42 host kernel: ", "2026-11-24T10:58:42.123456+00:00 host kernel: [   12.3] ",
        "<6>[   12.345678] ", "[Tue Nov 24 10:58:42 2026] "}) {
    std::string input;
    for (const std::string line : {"KTAP version 1", "1..1", "    # Subtest: s", "    1..1", "    ok 1 a", "ok 1 s"})
      input += prefix + line + "\n";
    const ConsoleReport report = read_console(input);
    ASSERT_EQ(report.document.suites.size(), 1U) << prefix;
    EXPECT_EQ(report.document.suites[0].children.size(), 1U) << prefix;
  }
}

TEST(Console, TellsALiveDisplayWhatHappens) {
  struct Recorder final : EventSink {
    std::string events;
    void plan_known(std::size_t suites) override { events += fmt::format("plan {};", suites); }
    void suite_started(std::string_view suite, std::size_t cases) override {
      events += fmt::format("start {} {};", suite, cases);
    }
    void case_finished(std::string_view path, const TestNode& node) override {
      events += fmt::format("{} {};", path, to_string(node.status));
    }
    void suite_finished(const TestNode& suite) override {
      events += fmt::format("end {} {};", suite.name, to_string(suite.status));
    }
  } recorder;
  Console console({}, &recorder);
  console.feed(suite_header(2) + "    ok 1 a\n    not ok 2 b\nnot ok 1 s\n");
  EXPECT_TRUE(console.tests_complete());
  EXPECT_EQ(recorder.events, "plan 1;start s 2;s.a passed;s.b failed;end s failed;");
}

TEST(Console, ReplaysTheFuzzCorpus) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(BOWSPRIT_SOURCE_DIR) / "tests/corpus/ktap")) {
    const auto text = read_file(entry.path());
    ASSERT_TRUE(text) << text.error().text();
    const std::string whole = dump(read_console(*text, EndOfInput::timed_out));
    Console console;
    for (const char c : *text) console.feed({&c, 1});
    EXPECT_EQ(dump(std::move(console).finish(EndOfInput::timed_out)), whole) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 8U);
}

}  // namespace
}  // namespace bowsprit::ktap
