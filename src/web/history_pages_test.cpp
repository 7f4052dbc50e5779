// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "net/router.h"
#include "os/files.h"
#include "web/history_handlers.h"
#include "web/history_view.h"
#include "web/test_data.h"

namespace bowsprit::web {
namespace {

using ktap::TestStatus;
using sched::JobState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Routes and a store, without a socket.
class HistoryPagesTest : public testing::Test {
 protected:
  HistoryPagesTest()
      : dir_(std::move(TempDir::create("history").value())),
        store_(std::move(store::Store::open(dir_.path() / "db").value())) {
    add_history_routes(router_, store_);
  }

  net::Response get(const std::string& target) {
    net::Request request{
        .method = "GET", .target = target, .body = {}, .peer = {}, .headers = {}, .params = {}, .query = {}};
    EXPECT_TRUE(net::parse_target(request));
    return router_.dispatch(request);
  }
  Json data(const std::string& target) {
    const auto response = get(target);
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    return parse_json(response.body).value();
  }
  std::int64_t add(std::vector<store::TestResult> results, const std::string& base = "base", int change = 0) {
    store::Run run = sample_run();
    run.change = change != 0 ? change : ++changes_;
    run.trigger_key = fmt::format("key:{}", ++keys_);
    run.id = store_.add_run(run).value().value();
    EXPECT_TRUE(store_.move_run(run, JobState::pending));
    run.base_sha = base;
    run.verdict = "failed";
    run.finished = SystemClock::now();
    EXPECT_TRUE(store_.move_run(run, JobState::failure));
    EXPECT_TRUE(store::TestHistory(store_).save(run.id, run.job, run.created, std::move(results)));
    return run.id;
  }

  TempDir dir_;
  store::Store store_;
  net::Router router_;
  int changes_ = 0;
  int keys_ = 0;
};

const store::TestOutcome kPassed{TestStatus::passed, Origin::unknown, 0.0021};
const store::TestOutcome kOnBase{TestStatus::failed, Origin::also_on_base, {}};
const store::TestOutcome kFlaky{TestStatus::failed, Origin::flaky, {}};

TEST_F(HistoryPagesTest, ATestsHistoryTellsRateFirstBadRunAndTheCommitsBetween) {
  add({{"list.sort", kFlaky}}, "aaaa");
  const auto good = add({{"list.sort", kPassed}}, "aaaa");
  const auto bad = add({{"list.sort", kOnBase}}, "bbbb");
  add({{"list.sort", kOnBase}}, "cccc");
  const auto json = data("/api/v1/tests/list.sort/history?job=kunit-um");
  const auto& trend = json_get(json, "trend");
  EXPECT_DOUBLE_EQ(json_double(trend, "flake_rate"), 0.25);
  EXPECT_EQ(json_int(json_get(trend, "first_bad"), "id"), bad);
  EXPECT_EQ(json_int(json_get(trend, "last_good"), "id"), good);
  const std::string commits = "https://gerrit.example/plugins/gitiles/kernel/linux/+log/aaaa..bbbb";
  EXPECT_EQ(json_string(trend, "commits_between"), commits);
  EXPECT_EQ(json_get(json, "results").size(), 4U);
  EXPECT_EQ(json_string(json_get(json, "results").at(0), "origin"), "also_on_base");
  const auto page = get("/test?name=list.sort").body;
  EXPECT_THAT(page, HasSubstr("a flake rate of 25.0 %"));
  EXPECT_THAT(page, HasSubstr(fmt::format("First bad: <a href=\"/run/{}\">", bad)));
  EXPECT_THAT(page, HasSubstr("href=\"" + commits + "\""));
  EXPECT_THAT(page, HasSubstr("up to 2.1 ms"));
}

TEST_F(HistoryPagesTest, EveryListComesInPartsUntilTheEnd) {
  for (int i = 0; i < 5; ++i) add({{"a.x", kPassed}, {fmt::format("b.{}", i), kFlaky}});
  const auto collect = [&](std::string next, const std::string& list, const std::string& key) {
    std::vector<std::string> got;
    int parts = 0;
    while (!next.empty() && ++parts < 10) {
      const auto json = data(next);
      for (const auto& entry : json_get(json, list))
        got.push_back(key == "run" || key == "id" ? fmt::to_string(json_int(entry, key)) : json_string(entry, key));
      next = json_string(json, "next");
    }
    return got;
  };
  EXPECT_THAT(collect("/api/v1/tests/a.x/history?limit=2", "results", "run"), ElementsAre("5", "4", "3", "2", "1"));
  EXPECT_THAT(collect("/api/v1/tests?q=B&limit=2", "tests", "test"), ElementsAre("b.0", "b.1", "b.2", "b.3", "b.4"));
  EXPECT_THAT(collect("/api/v1/jobs/kunit-um/history?limit=2", "runs", "id"), ElementsAre("5", "4", "3", "2", "1"));
  EXPECT_THAT(collect("/api/v1/jobs/kunit-um/history?limit=3&tests=all", "tests", "test"),
              ElementsAre("a.x", "b.2", "b.3", "b.4", "a.x", "b.0", "b.1"));
  EXPECT_THAT(get("/test?name=a.x&limit=2").body, HasSubstr("/test?name=a.x&amp;job=kunit-um&limit=2&before=4"));
  EXPECT_THAT(get("/tests?q=b&limit=2").body, HasSubstr("/tests?q=b&limit=2&after=b.1"));
}

TEST_F(HistoryPagesTest, AJobsHistoryIsAGridAndAlsoAtDecksAddress) {
  const auto first = add({{"a.good", kPassed}, {"a.bad", kPassed}});
  const auto second = add({{"a.good", kPassed}, {"a.bad", kFlaky}});
  const auto json = data("/api/v1/jobs/kunit-um/history");
  EXPECT_EQ(json_int(json, "good_tests_left_out"), 1);
  ASSERT_EQ(json_get(json, "tests").size(), 1U);
  EXPECT_EQ(json_string(json_get(json_get(json, "tests").at(0), "outcomes").at(0), "origin"), "flaky");
  const auto page = get("/job-history/kunit-um").body;
  EXPECT_THAT(page, HasSubstr(fmt::format("<a href=\"/run/{}\"", second)));
  EXPECT_THAT(page, HasSubstr(">a.bad</a></th><td class=\"count\">1/2</td>"));
  EXPECT_THAT(page, Not(HasSubstr("a.good")));
  EXPECT_THAT(get("/job-history/kunit-um?tests=all").body, HasSubstr("a.good"));
  EXPECT_THAT(get("/job-history/gs/bucket/pr-logs/directory/kunit-um").body, HasSubstr("a.bad"));
  // Deck's older page: this build and what was before it.
  const auto older =
      get(fmt::format("/job-history/gs/bucket/pr-logs/directory/kunit-um/?buildId={}&tests=all", first)).body;
  EXPECT_THAT(older, HasSubstr(fmt::format("href=\"/run/{}\"", first)));
  EXPECT_THAT(older, Not(HasSubstr(fmt::format("href=\"/run/{}\"", second))));
}

TEST_F(HistoryPagesTest, AFloodOfFailingTestsMakesNoEndlessPage) {
  std::vector<store::TestResult> flood;
  for (int i = 0; i < 600; ++i) flood.push_back({fmt::format("flood.{}", i), kFlaky});
  add(std::move(flood));
  const auto first = data("/api/v1/jobs/kunit-um/history");
  EXPECT_EQ(json_get(first, "tests").size(), 500U);
  const auto rest = data(json_string(first, "next_tests"));
  EXPECT_EQ(json_get(rest, "tests").size(), 100U);
  EXPECT_TRUE(json_get(rest, "next_tests").is_null());
  const auto page = get("/job-history/kunit-um").body;
  EXPECT_THAT(page, HasSubstr("More tests of these runs"));
  EXPECT_THAT(page, Not(HasSubstr("flood.500")));
  EXPECT_THAT(get("/job-history/kunit-um?after=500").body, HasSubstr("flood.500"));
}

TEST_F(HistoryPagesTest, HostileNamesStayTextOnEveryPage) {
  const std::string name = std::string(kHostile) + "/../%2e%2e/?&#" + std::string(2000, 'n');
  store::TestOutcome bad{TestStatus::failed, Origin::new_failure, 1e300};
  add({{name, bad}});
  const auto tests = data("/api/v1/tests");
  ASSERT_EQ(json_get(tests, "tests").size(), 1U);
  const auto& entry = json_get(tests, "tests").at(0);
  const std::string page_url = json_string(entry, "page");
  for (const auto& target : {std::string("/tests"), page_url, std::string("/job-history/kunit-um")}) {
    const auto page = get(target);
    EXPECT_EQ(page.status, 200) << target;
    EXPECT_THAT(page.body, HasSubstr("&lt;script&gt;alert(1)")) << target;
    EXPECT_THAT(page.body, Not(HasSubstr("<script>alert"))) << target;
    EXPECT_THAT(page.body, Not(HasSubstr("<img src=x"))) << target;
    EXPECT_THAT(page.body, Not(HasSubstr("\x1b"))) << target;
  }
  EXPECT_EQ(json_get(data(json_string(entry, "history")), "results").size(), 1U);
  EXPECT_EQ(get("/test?name=" + page_url).status, 404);
}

TEST_F(HistoryPagesTest, WhatIsAskedWronglyIsSaid) {
  add({{"a.x", kPassed}});
  EXPECT_EQ(get("/test").status, 400);
  EXPECT_EQ(get("/test?name=" + std::string(5000, 'x')).status, 400);
  EXPECT_EQ(get("/test?name=a.none").status, 404);
  EXPECT_EQ(get("/test?name=a.x&job=none").status, 404);
  EXPECT_EQ(get("/test?name=a.x&before=x").status, 400);
  EXPECT_EQ(get("/job-history/none").status, 404);
  EXPECT_EQ(get("/job-history/kunit-um?buildId=x").status, 400);
  EXPECT_EQ(get("/api/v1/jobs/none/history").status, 404);
  EXPECT_EQ(get("/api/v1/tests/none/history").status, 404);
  EXPECT_EQ(get("/tests?q=none").status, 200);
}

}  // namespace
}  // namespace bowsprit::web
