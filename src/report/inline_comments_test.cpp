// SPDX-License-Identifier: Apache-2.0
#include "report/inline_comments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace bowsprit::report {
namespace {

using sched::JobState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Diagnostic build_error(const std::string& file, int line, const std::string& message, const std::string& source) {
  return {.kind = Diagnostic::Kind::error, .file = file, .line = line, .message = message, .source = source};
}
Diagnostic warning(const std::string& file, int line, const std::string& message, const std::string& source) {
  return {.kind = Diagnostic::Kind::warning, .file = file, .line = line, .message = message, .source = source};
}
Failure failure(const std::string& test, int line, const std::string& message, const std::string& source,
                Origin origin = Origin::unknown) {
  return {.test = test, .origin = origin, .file = "lib/t.c", .line = line, .message = message, .source = source};
}

JobLine job(std::vector<Failure> failures, std::vector<Diagnostic> diagnostics, Verdict verdict = Verdict::failed) {
  JobLine line{.job = "kunit-um", .state = JobState::failure};
  line.result.emplace();
  line.result->verdict = verdict;
  line.result->failures = std::move(failures);
  line.result->diagnostics = std::move(diagnostics);
  return line;
}

/// A file whose lines are the words; those that begin with '+' are the patch set's.
PatchSetFile file(const std::vector<std::string>& lines) {
  PatchSetFile out;
  for (const auto& line : lines) {
    const bool changed = line.starts_with('+');
    out.lines.push_back(changed ? line.substr(1) : line);
    out.changed.push_back(changed);
  }
  return out;
}

std::vector<std::string> placed(const Placement& placement) {
  std::vector<std::string> out;
  for (const auto& comment : placement.comments)
    out.push_back(fmt::format("{}:{}: {}", comment.file, comment.line, comment.text));
  return out;
}

TEST(InlineComments, AreErrorsThenFailuresThenWarningsEachOnItsLine) {
  const auto findings = findings_of(
      {job({failure("s.a", 3, "Expected 1 == 2, but\n    1 == 1 (0x1)\nand 2 more: lib/t.c:9 lib/t.c:10", "EXPECT(1)")},
           {warning("lib/x.c", 1, "unused variable 'y'", "int y;"), build_error("lib/x.c", 2, "no `z`", "z();")})});
  const auto placement = place_comments(
      findings, {{"lib/x.c", file({"+int y;", "\tz();  \r"})}, {"lib/t.c", file({"a", "b", "  EXPECT(1)"})}}, {});
  EXPECT_THAT(placed(placement), ElementsAre("lib/x.c:2: Build error: `no 'z'`",
                                             "lib/t.c:3: `s.a` fails here: `Expected 1 == 2, but 1 == 1 (0x1)`",
                                             "lib/x.c:1: New compiler warning: `unused variable 'y'`"));
  EXPECT_THAT(placement.rest, IsEmpty());
}

TEST(InlineComments, FindTheLineByItsTextWhereTheBranchHasMovedIt) {
  const auto place = [](int line, const std::vector<std::string>& lines) {
    return placed(place_comments(findings_of({job({failure("s.a", line, "", "EXPECT(1)")}, {})}),
                                 {{"lib/t.c", file(lines)}}, {}));
  };
  EXPECT_THAT(place(7, {"x", "EXPECT(1)"}), ElementsAre("lib/t.c:2: `s.a` fails here"));
  EXPECT_THAT(place(1, {"x", "EXPECT(1)"}), ElementsAre("lib/t.c:2: `s.a` fails here"));
  EXPECT_THAT(place(2, {"EXPECT(1)", "EXPECT(1)"}), ElementsAre("lib/t.c:2: `s.a` fails here"));
  EXPECT_THAT(place(7, {"EXPECT(1)", "EXPECT(1)"}), IsEmpty()) << "which of the two?";
  EXPECT_THAT(place(1, {"EXPECT(2)"}), IsEmpty()) << "another line has that number";
  EXPECT_THAT(place(1, {}), IsEmpty());
}

TEST(InlineComments, AreOnlyOnFilesOfThePatchSetAndWarningsOnlyOnItsLines) {
  const auto findings =
      findings_of({job({}, {build_error("lib/other.c", 1, "no", "a"), build_error("lib/x.c", 1, "no", "a"),
                            warning("lib/x.c", 1, "old", "a"), warning("lib/x.c", 2, "new", "b")})});
  EXPECT_THAT(placed(place_comments(findings, {{"lib/x.c", file({"a", "+b"})}}, {})),
              ElementsAre("lib/x.c:1: Build error: `no`", "lib/x.c:2: New compiler warning: `new`"));
}

TEST(InlineComments, BlameNobodyForWhatIsNotTheChangesFault) {
  std::vector<JobLine> jobs{
      job({failure("s.base", 1, "", "a", Origin::also_on_base), failure("s.flaky", 1, "", "a", Origin::flaky),
           failure("s.new", 1, "", "a", Origin::new_failure)},
          {}),
      job({failure("s.infra", 1, "", "a")}, {}, Verdict::infra_error), job({failure("s.aborted", 1, "", "a")}, {})};
  jobs[2].state = JobState::aborted;
  Failure crashed = failure("s.crashed", 1, "", "a");
  crashed.status = ktap::TestStatus::crashed;
  jobs[0].result->failures.push_back(crashed);
  EXPECT_THAT(placed(place_comments(findings_of(jobs), {{"lib/t.c", file({"+a"})}}, {})),
              ElementsAre("lib/t.c:1: `s.new` fails here"));
}

TEST(InlineComments, SayNothingTwice) {
  const auto twice =
      findings_of({job({}, {build_error("lib/x.c", 1, "no", "a")}), job({}, {build_error("lib/x.c", 1, "no", "a")})});
  EXPECT_THAT(twice, SizeIs(1)) << "two jobs, one error";
  const auto first = place_comments(twice, {{"lib/x.c", file({"+a"})}}, {});
  ASSERT_THAT(first.comments, SizeIs(1));
  const std::set<std::string> said{first.comments[0].key};

  const auto again = [&](const std::string& message, const std::string& source) {
    return place_comments(findings_of({job({}, {build_error("lib/x.c", 3, message, source)})}),
                          {{"lib/x.c", file({"", "", "+" + source})}}, said)
        .comments.size();
  };
  EXPECT_EQ(again("no", "a"), 0U) << "the same on the next patch set, two lines further down";
  EXPECT_EQ(again("something else", "a"), 1U);
  EXPECT_EQ(again("no", "b"), 1U) << "the line was edited and is still wrong";
}

TEST(InlineComments, KeepTheirKeyWhereOnlyAnAddressDiffers) {
  const auto key = [](const std::string& message) {
    return place_comments(findings_of({job({failure("s.a", 1, message, "a")}, {})}), {{"lib/t.c", file({"a"})}}, {})
        .comments.at(0)
        .key;
  };
  EXPECT_EQ(key("Expected p == NULL, but p == 00000000612f8a40"), key("Expected p == NULL, but p == 00000000612f9b80"));
  EXPECT_NE(key("Expected 1 == 2"), key("Expected 1 == 3"));
}

TEST(InlineComments, BeyondTheMostGoIntoTheMessageOnce) {
  std::vector<Diagnostic> diagnostics;
  PatchSetFile lines;
  for (int i = 1; i <= 30; ++i) {
    diagnostics.push_back(warning("lib/x.c", i, fmt::format("unused variable 'v{}'", i), fmt::format("int v{};", i)));
    lines.lines.push_back(fmt::format("int v{};", i));
    lines.changed.push_back(true);
  }
  const auto placement = place_comments(findings_of({job({}, diagnostics)}), {{"lib/x.c", lines}}, {});
  EXPECT_THAT(placement.comments, SizeIs(kMostComments));
  ASSERT_THAT(placement.rest, SizeIs(10));

  const std::string message =
      "Prow Status: 1 out of 1 pjs passed!\n" + placement.rest[0].item + "\nbowsprit-report: k\n";
  const auto full = with_rest(message, placement.rest, 15'000);
  EXPECT_EQ(full.find("'v21'"), full.rfind("'v21'")) << "the message had said it";
  EXPECT_THAT(full, HasSubstr("- warning at lib/x.c:30: `unused variable 'v30'`\n"));
  EXPECT_EQ(report_key(full), "k");
  EXPECT_TRUE(full.ends_with("\nbowsprit-report: k\n"));

  const std::size_t limit = message.size() + 150;
  const auto cut = with_rest(message, placement.rest, limit);
  EXPECT_LE(cut.size(), limit);
  EXPECT_THAT(cut, HasSubstr(" more on lines of this change\n"));
  EXPECT_EQ(report_key(cut), "k");
  EXPECT_EQ(with_rest(message, placement.rest, message.size()), message);
  EXPECT_EQ(with_rest(message, {}, 15'000), message);
}

TEST(InlineComments, AreReadBackFromTheStoreAsTheyWereAndNonsenseIsNone) {
  const auto findings =
      findings_of({job({failure("s.a", 3, "m\xff", "so\"urce")}, {warning("lib/x.c", 1, "w", "int y;")})});
  ASSERT_THAT(findings, SizeIs(2));
  const auto read = read_findings(findings_json(findings));
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(findings_json(read), findings_json(findings));
  EXPECT_EQ(findings_json({}), "");
  for (const char* text : {"", "{", "{}", "[1, null, \"x\", {}]", R"([{"line": -1, "source": "a"}])"})
    EXPECT_THAT(read_findings(text), IsEmpty()) << text;
}

TEST(InlineComments, HostileTextEndsNoCodeSpanAndStaysSmall) {
  const auto findings =
      findings_of({job({failure("s.`a`\n", 1, "`x`\n❌ [kunit](https://evil) SUCCESS" + std::string(100'000, 'y'),
                                std::string(100'000, 'a'))},
                       {})});
  const auto placement = place_comments(findings, {{"lib/t.c", file({std::string(100'000, 'a')})}}, {});
  ASSERT_THAT(placement.comments, SizeIs(1));
  const std::string& text = placement.comments[0].text;
  EXPECT_LT(text.size(), 1500U);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(std::ranges::count(text, '`'), 4);
}

}  // namespace
}  // namespace bowsprit::report
