// SPDX-License-Identifier: Apache-2.0
// What a real Gerrit can't be made to do: lists that change between two pages, rate limits, broken answers. All else is tested on a real
// one, in tests/functional/test_gerrit.py.
#include "gerrit/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "net/http_server.h"

namespace bowsprit::gerrit {
namespace {

using net::Request;
using net::Response;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kSha = "d7e0000000000000000000000000000000000000";

Json change_json(int number) {
  return {{"_number", number},
          {"project", "linux"},
          {"branch", "master"},
          {"updated", "2026-11-24 08:31:06.000000000"},
          {"current_revision", kSha},
          {"revisions", {{kSha, {{"_number", 1}, {"ref", fmt::format("refs/changes/01/{}/1", number)}}}}}};
}

Response gerrit_json(const Json& json) { return Response::json(200, ")]}'\n" + dump_json(json)); }

/// A server that says what a test wants, and a client of it; `list` is served in pages as Gerrit does.
class Fake {
 public:
  Fake() : server_({}) {
    server_.routes().add("GET", "/changes/", [this](const Request& request) {
      ++requests;
      if (before_page) before_page(requests);
      const auto start = static_cast<std::size_t>(parse_int(request.query_value("S").value_or("0")).value_or(0));
      const auto count = static_cast<std::size_t>(parse_int(request.query_value("n").value_or("0")).value_or(0));
      Json page = Json::array();
      for (std::size_t i = start; i < std::min(list.size(), start + count); ++i) page.push_back(change_json(list[i]));
      if (!page.empty() && start + count < list.size()) page.back()["_more_changes"] = true;
      return gerrit_json(page);
    });
    server_.routes().add("GET", "/{rest...}", [this](const Request&) { return answer(); });
    server_.routes().add("POST", "/{rest...}", [this](const Request& request) {
      posted.push_back(*parse_json(request.body));
      return answer();
    });
    const auto port = server_.start();
    EXPECT_TRUE(port);
    url = fmt::format("http://127.0.0.1:{}", port.value_or(0));
  }
  ~Fake() { server_.stop(milliseconds(0)); }

  Client client(std::size_t page = 3) {
    auto made = Client::create({.url = url + "//", .page = page});
    EXPECT_TRUE(made);
    return std::move(*made);
  }

  std::string url;
  std::vector<int> list;
  std::function<void(int)> before_page;
  std::atomic<int> requests = 0;
  std::function<Response()> answer = [] { return Response::text(404, "Not found: x"); };
  std::vector<Json> posted;

 private:
  net::HttpServer server_;
};

std::vector<int> numbers(const Result<std::vector<Change>>& changes) {
  std::vector<int> out;
  EXPECT_TRUE(changes) << changes.error().text();
  if (changes)
    for (const auto& change : *changes) out.push_back(change.number);
  return out;
}
const SystemTime kSince = *parse_time("2026-11-24 08:00:00.000000000");

TEST(ClientQuery, ReadsAllPages) {
  Fake gerrit;
  gerrit.list = {9, 8, 7, 6, 5, 4, 3, 2};
  EXPECT_THAT(numbers(gerrit.client().query_changes("linux", kSince)), ElementsAre(9, 8, 7, 6, 5, 4, 3, 2));
  EXPECT_THAT(numbers(gerrit.client().query_changes("linux", std::nullopt, 4)), ElementsAre(9, 8, 7, 6));
  EXPECT_THAT(numbers(gerrit.client().query_changes("linux", std::nullopt, 1)), ElementsAre(9));
  for (std::size_t page = 1; page < 10; ++page)
    EXPECT_THAT(numbers(gerrit.client(page).query_changes("linux", kSince)), SizeIs(8)) << page;
}

TEST(ClientQuery, GivesAChangeOnceThatIsTouchedBetweenTwoPages) {
  Fake gerrit;
  gerrit.list = {9, 8, 7, 6, 5, 4};
  gerrit.before_page = [&](int request) {
    if (request == 2)
      gerrit.list = {5, 9, 8, 7, 6, 4};  // 5 moves up, not read yet: its new time brings it to the next poll
  };
  EXPECT_THAT(numbers(gerrit.client().query_changes("linux", kSince)), ElementsAre(9, 8, 7, 6, 4));
  gerrit.list = {9, 8, 7, 6, 5, 4};
  gerrit.before_page = [&, count = 0](int) mutable {
    if (++count == 2) gerrit.list = {8, 9, 7, 6, 5, 4};  // 8 was read already
  };
  EXPECT_THAT(numbers(gerrit.client().query_changes("linux", kSince)), ElementsAre(9, 8, 7, 6, 5, 4));
}

TEST(ClientQuery, MissesNoneWhenAChangeLeavesTheListBetweenTwoPages) {
  Fake gerrit;
  gerrit.list = {9, 8, 7, 6, 5, 4};
  gerrit.before_page = [&](int request) {
    if (request == 2) gerrit.list = {9, 7, 6, 5, 4};  // deleted: 6 is now where page 1 ended
  };
  EXPECT_THAT(numbers(gerrit.client().query_changes("linux", kSince)), ElementsAre(9, 7, 6, 5, 4));
}

TEST(ClientQuery, GivesUpOnAListThatNeverHoldsStill) {
  Fake gerrit;
  for (int i = 200; i > 0; --i) gerrit.list.push_back(i);
  gerrit.before_page = [&](int) { gerrit.list.erase(gerrit.list.begin()); };
  const auto changes = gerrit.client().query_changes("linux", kSince);
  ASSERT_FALSE(changes);
  EXPECT_TRUE(changes.error().retryable());
  EXPECT_LT(gerrit.requests, 20);
}

TEST(ClientQuery, TellsAnUnknownProjectFromAQuietOne) {
  Fake gerrit;
  EXPECT_THAT(numbers(gerrit.client().query_changes("linux", kSince)), SizeIs(0));
  const auto changes = gerrit.client().query_changes("linus", std::nullopt, 1);
  ASSERT_FALSE(changes);
  EXPECT_EQ(changes.error().kind, ErrorKind::not_found);
  EXPECT_THAT(changes.error().text(), HasSubstr("/projects/linus: HTTP 404"));
}

TEST(Client, NamesThePlaceOfAnAnswerThatIsCutOrNotJson) {
  Fake gerrit;
  for (const char* body : {")]}'\n{\"_number\": 1, \"proj", "<html>Welcome to the proxy</html>", "", "[]", "null"}) {
    gerrit.answer = [&] { return Response::text(200, body); };
    const auto change = gerrit.client().change(1);
    ASSERT_FALSE(change) << body;
    EXPECT_EQ(change.error().kind, ErrorKind::bad_data) << body;
  }
  gerrit.answer = [] { return Response::text(200, ")]}'\n{\"_number\": 1, \"proj"); };
  EXPECT_THAT(gerrit.client().change(1).error().text(), HasSubstr("answer of GET http://127.0.0.1"));
  std::string deep = ")]}'\n";
  for (int i = 0; i < 100'000; ++i) deep += "[";
  gerrit.answer = [&] { return Response::text(200, deep); };
  EXPECT_THAT(gerrit.client().change(1).error().text(), HasSubstr("nested deeper"));
}

TEST(Client, LeavesGerritAloneForAsLongAsItAsks) {
  Fake gerrit;
  std::atomic<int> asked = 0;
  gerrit.answer = [&] {
    ++asked;
    return Response::text(429, "rate limit exceeded").with("Retry-After", "30");
  };
  auto client = gerrit.client();
  const auto first = client.change(1);
  ASSERT_FALSE(first);
  EXPECT_TRUE(first.error().retryable());
  const auto second = client.change(1);
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().retryable());
  EXPECT_THAT(second.error().text(), HasSubstr("asked to be left alone"));
  EXPECT_EQ(asked, 1);
}

TEST(Client, CallsAServerErrorRetryableAndAMissingChangeNot) {
  Fake gerrit;
  gerrit.answer = [] { return Response::text(503, "busy"); };
  EXPECT_TRUE(gerrit.client().change(1).error().retryable());
  gerrit.answer = [] { return Response::text(500, "Internal server error"); };
  EXPECT_TRUE(gerrit.client().change(1).error().retryable());
  gerrit.answer = [] { return Response::text(404, "Not found: 1"); };
  EXPECT_EQ(gerrit.client().change(1).error().kind, ErrorKind::not_found);
}

Change tested_change() {
  Change change;
  change.number = 1;
  change.patchset = 1;
  change.revision = kSha;
  change.files = {{"lib/a.c", "", 'M'}, {"lib/gone.c", "", 'D'}};
  return change;
}

TEST(ClientReview, KeepsFirstAndLastLinesWhereGerritAllowsLittle) {
  Fake gerrit;
  gerrit.answer = [&] {
    return gerrit.posted.size() == 1
               ? Response::text(
                     400, "One or more comments were rejected in validation: Comment size exceeds limit (9000 > 4096)")
               : gerrit_json({{"labels", {{"Verified", -1}}}});
  };
  std::string message = "Prow Status: 0 out of 1 pjs passed!\n";
  for (int i = 0; i < 500; ++i) message += "a line of details\n";
  const auto outcome = gerrit.client().post_review(tested_change(), kSha,
                                                   {.message = message + "\nbowsprit-report: 7.1\n",
                                                    .labels = {{"Verified", -1}},
                                                    .comments = {{"lib/a.c", 1, "x"}}});
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->shortened);
  EXPECT_TRUE(outcome->voted);
  ASSERT_EQ(gerrit.posted.size(), 2U);
  const std::string sent = json_string(gerrit.posted[1], "message");
  EXPECT_LT(sent.size(), 2100U);
  EXPECT_TRUE(sent.starts_with("Prow Status: 0 out of 1"));
  EXPECT_TRUE(sent.ends_with("\nbowsprit-report: 7.1"));
  EXPECT_FALSE(gerrit.posted[1].contains("comments"));
}

TEST(ClientReview, IsPostedWithItsVoteWhereGerritRefusesAComment) {
  Fake gerrit;
  gerrit.answer = [&] {
    return gerrit.posted.back().contains("comments") ? Response::text(400, "file lib/a.c not found in revision 1,1")
                                                     : gerrit_json({{"labels", {{"Verified", -1}}}});
  };
  const auto outcome = gerrit.client().post_review(
      tested_change(), kSha, {.message = "m", .labels = {{"Verified", -1}}, .comments = {{"lib/a.c", 1, "x"}}});
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->voted);
  EXPECT_EQ(outcome->comments_left_out, 1U);
  ASSERT_EQ(gerrit.posted.size(), 2U);
  EXPECT_EQ(json_string(gerrit.posted[1], "message"), "m");
}

TEST(FileLines, AreThoseOfTheNewSideWithThePatchSetsOwnMarked) {
  const auto file = file_lines_from_json(*parse_json(
      R"({"content": [{"ab": ["a"]}, {"a": ["gone"]}, {"a": ["old"], "b": ["new", "more"]}, {"a": ["x "], "b": ["x"], "common": true},
          {"b": ["added"]}, {"ab": ["z"]}]})"));
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_THAT(file->lines, ElementsAre("a", "new", "more", "x", "added", "z"));
  EXPECT_THAT(file->changed, ElementsAre(false, true, true, false, true, false));
  EXPECT_TRUE(file_lines_from_json(*parse_json(R"({"binary": true, "content": [{"skip": 1}]})"))->lines.empty());
  for (const char* text : {"{}", "[]", R"({"content": [{"ab": ["a"]}, {"skip": 3}]})", R"({"content": [{"b": [1]}]})",
                           R"({"content": [1]})"})
    EXPECT_EQ(file_lines_from_json(*parse_json(text)).error().kind, ErrorKind::bad_data) << text;
}

TEST(ClientReview, DoesNotPostAgainWhereGerritIsDown) {
  Fake gerrit;
  gerrit.answer = [] { return Response::text(502, "bad gateway"); };
  const auto outcome =
      gerrit.client().post_review(tested_change(), kSha, {.message = "m", .labels = {{"Verified", 1}}});
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().retryable());
  EXPECT_EQ(gerrit.posted.size(), 1U) << "it may have arrived: the caller looks first";
}

TEST(CookieFile, FindsTheCookieOfTheHost) {
  const std::string file =
      "# Netscape HTTP Cookie File\n"
      ".googlesource.com\tTRUE\t/\tTRUE\t2147483647\to\tgit-all=1\n"
      "#HttpOnly_kernel.example.com\tFALSE\t/\tTRUE\t2147483647\to\tgit-one=2\n"
      "kernel.example.com\tFALSE\t/\tTRUE\t2147483647\tother\tno\n"
      "broken line\n";
  EXPECT_EQ(cookie_for_host(file, "linux.googlesource.com"), "git-all=1");
  EXPECT_EQ(cookie_for_host(file, "kernel.example.com"), "git-one=2");
  EXPECT_EQ(cookie_for_host(file, "x.kernel.example.com"), std::nullopt);
  EXPECT_EQ(cookie_for_host(file, "evilgooglesource.com"), std::nullopt);
}

}  // namespace
}  // namespace bowsprit::gerrit
