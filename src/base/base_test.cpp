// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "base/strings.h"

namespace bowsprit {
namespace {

TEST(Error, TextPutsTheOutermostContextFirst) {
  Error error{ErrorKind::os, Blame::infrastructure, "no space", {}, SourceMark{"a.yaml", 3, 7}};
  EXPECT_EQ(std::move(error).with("write {}", "x").with("store run 7").text(),
            "a.yaml:3:7: store run 7: write x: no space");
}

TEST(Time, ReadsGerritAndRfcTimes) {
  const auto gerrit = parse_time("2026-11-24 08:31:06.250000000");
  ASSERT_TRUE(gerrit);
  EXPECT_EQ(rfc3339(*gerrit), "2026-11-24T08:31:06.250Z");
  EXPECT_EQ(parse_time("2026-11-24T09:31:06.25+01:00"), gerrit);
  EXPECT_FALSE(parse_time("yesterday"));
  EXPECT_FALSE(parse_time("2026-11-24x08:31:06"));
}

TEST(Duration, ReadsWhatGoWrites) {
  EXPECT_EQ(parse_duration("1h30m"), milliseconds(5400'000));
  EXPECT_EQ(parse_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(parse_duration("300ms"), milliseconds(300));
  EXPECT_EQ(parse_duration("-2s"), milliseconds(-2000));
  EXPECT_FALSE(parse_duration("10"));
  EXPECT_FALSE(parse_duration(""));
  EXPECT_FALSE(parse_duration("5x"));
  EXPECT_EQ(format_duration(milliseconds(7384'000)), "2h3m4s");
}

TEST(Text, PrintableDropsAnsiAndReplacesBadBytes) {
  EXPECT_EQ(printable("a\x1b[31mb\xff\r\n"), "ab\xEF\xBF\xBD\n");
  EXPECT_EQ(printable("\xE4\xB8\xAD"), "\xE4\xB8\xAD");
}

TEST(Text, ShortenCutsAtACharacter) {
  EXPECT_EQ(shorten("abc", 3), "abc");
  EXPECT_EQ(shorten("ab\xE4\xB8\xAD"
                    "cd",
                    6),
            "ab...");  // the cut would be inside the character
}

TEST(Text, ShellQuoteIsReadBackUnchanged) {
  EXPECT_EQ(shell_quote("lib/kunit"), "lib/kunit");
  EXPECT_EQ(shell_quote("a'b c"), "'a'\\''b c'");
  EXPECT_EQ(shell_quote(""), "''");
}

TEST(Text, NearestWordOnlyForLikelyTypingErrors) {
  const std::vector<std::string> known{"branches", "always_run"};
  EXPECT_EQ(nearest_word("allways_run", known), "always_run");
  EXPECT_EQ(nearest_word("unrelated", known), std::nullopt);
}

TEST(Text, UrlCodingIsItsOwnInverse) {
  EXPECT_EQ(url_encode("a b/\xff"), "a%20b%2F%FF");
  EXPECT_EQ(url_decode(url_encode("project:\"x\" +1")), "project:\"x\" +1");
}

TEST(JsonReader, GivesErrorsAndFallbacksInsteadOfExceptions) {
  EXPECT_FALSE(parse_json("{"));
  EXPECT_FALSE(parse_json(std::string(300, '[')));
  const auto value = parse_json(R"({"a":1,"b":"x"})");
  ASSERT_TRUE(value);
  EXPECT_EQ(json_int(*value, "a"), 1);
  EXPECT_EQ(json_string(*value, "a", "none"), "none");
  EXPECT_EQ(json_string(*value, "b"), "x");
  EXPECT_EQ(dump_json(Json("\xff")), "\"\xEF\xBF\xBD\"");
}

TEST(Text, Sha256MatchesItsKnownVector) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(base64_encode("abcd"), "YWJjZA==");
}

}  // namespace
}  // namespace bowsprit
