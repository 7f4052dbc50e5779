// SPDX-License-Identifier: Apache-2.0
#include "net/http_message.h"

#include <gtest/gtest.h>

#include "net/router.h"

namespace bowsprit::net {
namespace {

TEST(HttpRange, FollowsTheRulesOfRfc9110) {
  struct Row {
    const char* header;
    Range::Kind kind;
    std::uint64_t first, length;
  };
  using enum Range::Kind;
  for (const Row& row :
       {Row{"bytes=0-9", part, 0, 10}, Row{"bytes=90-", part, 90, 10}, Row{"bytes=-5", part, 95, 5},
        Row{"bytes=-500", part, 0, 100}, Row{"bytes=50-500", part, 50, 50}, Row{"bytes=100-", unsatisfiable, 0, 0},
        Row{"bytes=-0", unsatisfiable, 0, 0}, Row{"bytes=9-3", all, 0, 100}, Row{"bytes=0-1,5-6", all, 0, 100},
        Row{"lines=0-1", all, 0, 100}, Row{"bytes=x-", all, 0, 100}, Row{"bytes=+1-5", all, 0, 100},
        Row{"bytes=", all, 0, 100}, Row{"bytes=99999999999999999999-", all, 0, 100}}) {
    const Range range = parse_range(row.header, 100);
    EXPECT_EQ(range.kind, row.kind) << row.header;
    EXPECT_EQ(range.first, row.first) << row.header;
    EXPECT_EQ(range.length, row.length) << row.header;
  }
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, unsatisfiable);
}

TEST(EntityTag, MatchesAnyOfAListWeakly) {
  EXPECT_TRUE(etag_matches("\"a\", W/\"b\"", "\"b\""));
  EXPECT_TRUE(etag_matches("*", "\"b\""));
  EXPECT_FALSE(etag_matches("\"a\"", "\"b\""));
  EXPECT_FALSE(etag_matches("*", ""));
}

TEST(Router, FindsTheHandlerAndDecodesParts) {
  Router router;
  router.add("GET", "/", [](const Request&) { return Response::text(200, "root"); });
  router.add("GET", "/run/{id}", [](const Request& r) { return Response::text(200, "run " + r.param("id")); });
  router.add("GET", "/run/{id}/files/{name...}",
             [](const Request& r) { return Response::text(200, r.param("id") + ":" + r.param("name")); });
  router.add("POST", "/run/{id}", [](const Request&) { return Response::text(200, "posted"); });
  const auto ask = [&router](std::string method, std::string target) {
    Request request{.method = std::move(method), .target = std::move(target)};
    return router.dispatch(request);
  };
  EXPECT_EQ(ask("GET", "/").body, "root");
  EXPECT_EQ(ask("GET", "/?x=1").body, "root");
  EXPECT_EQ(ask("GET", "/run/a%2Fb+c").body, "run a/b+c");
  EXPECT_EQ(ask("GET", "/run/7/files/a/b%20c").body, "7:a/b c");
  EXPECT_EQ(ask("POST", "/run/7").body, "posted");
  EXPECT_EQ(ask("PUT", "/run/7").status, 405);
  EXPECT_EQ(ask("PUT", "/run/7").header("allow"), "GET, POST");
  for (const char* target : {"/run", "/run/", "/run/7/", "//", "/x", "/run/7/files"})
    EXPECT_EQ(ask("GET", target).status, 404);
}

TEST(RequestTarget, IsSplitIntoPathAndQuery) {
  Request request{.target = "/a%2Bb?q=x+y%26z&flag&q=2"};
  ASSERT_TRUE(parse_target(request));
  EXPECT_EQ(request.raw_path(), "/a%2Bb");
  EXPECT_EQ(request.query_value("q"), "x y&z");
  EXPECT_EQ(request.query_value("flag"), "");
  EXPECT_EQ(request.query_value("none"), std::nullopt);
  for (const char* bad : {"", "x", "*", "http://host/", "/a%00b"}) {
    Request other{.target = bad};
    EXPECT_FALSE(parse_target(other)) << bad;
  }
}

}  // namespace
}  // namespace bowsprit::net
