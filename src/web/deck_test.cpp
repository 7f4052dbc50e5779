// SPDX-License-Identifier: Apache-2.0
#include "web/deck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "artifact/folder_store.h"
#include "base/json.h"
#include "os/files.h"
#include "web/test_data.h"

namespace bowsprit::web {
namespace {

using sched::JobState;
using testing::HasSubstr;
using testing::StartsWith;

/// Makes a ProwJob as the program behind the pages does, with the parts that can be left out.
class JobBackend final : public Backend {
 public:
  Result<std::int64_t> rerun(std::int64_t) override { return 0; }
  Result<> abort(std::int64_t) override { return {}; }
  std::optional<std::filesystem::path> live_log(std::int64_t) override { return std::nullopt; }
  void update_metrics() override {}
  std::optional<std::string> trouble() override { return std::nullopt; }
  Result<Json> prow_job(const store::Run& run) override {
    if (run.job == "broken") return fail(ErrorKind::bad_data, "its job can't be read");
    return Json{{"kind", "ProwJob"},
                {"metadata", {{"name", run.prow_job_id}, {"labels", {{"a", "b"}}}, {"annotations", {{"c", "d"}}}}},
                {"spec",
                 {{"type", "presubmit"},
                  {"agent", "kubernetes"},
                  {"job", run.job},
                  {"context", run.job},
                  {"decoration_config", {{"timeout", "1h"}}},
                  {"pod_spec", {{"containers", {{{"name", "test"}, {"image", "kunit"}}, {{"name", "second"}}}}}}}},
                {"status", {{"state", sched::to_string(run.state)}}}};
  }
};

class DeckTest : public testing::Test {
 protected:
  DeckTest()
      : dir_(std::move(TempDir::create("deck").value())),
        store_(std::move(store::Store::open(dir_.path() / "db").value())),
        objects_(std::move(artifact::FolderStore::open(dir_.path() / "artifacts").value())),
        reader_(store_, objects_, backend_) {
    add_deck_routes(router_, {store_, reader_, backend_, public_url_});
  }
  net::Response get(const std::string& target) {
    net::Request request{
        .method = "GET", .target = target, .body = {}, .peer = {}, .headers = {}, .params = {}, .query = {}};
    EXPECT_TRUE(net::parse_target(request));
    return router_.dispatch(request);
  }
  Json items(const std::string& target) { return json_get(parse_json(get(target).body).value(), "items"); }
  store::Run add(const std::string& job, JobState state) {
    store::Run run = sample_run();
    run.job = job;
    run.change = ++changes_;
    run.author = changes_ % 2 == 0 ? "Ada" : "Bob";
    run.prow_job_id = fmt::format("00000000-0000-4000-8000-{:012}", changes_);
    run.created = from_unix_millis(1'764'000'000'000);
    run.id = store_.add_run(run).value().value();
    if (state == JobState::triggered) return run;
    run.started = from_unix_millis(1'764'000'010'000);
    run.artifacts = fmt::format("pr-logs/pull/gerrit.example_kernel_linux/{}/{}/{}", run.change, job, run.id);
    EXPECT_TRUE(store_.move_run(run, JobState::pending));
    run.state = JobState::pending;
    if (state == JobState::pending) return run;
    run.base_sha = "b45e";
    run.finished = from_unix_millis(1'764'000'102'900);
    EXPECT_TRUE(objects_.put(run.artifacts + "/build-log.txt", "the log\n"));
    EXPECT_TRUE(store_.move_run(run, state));
    run.state = state;
    return run;
  }

  TempDir dir_;
  store::Store store_;
  artifact::FolderStore objects_;
  JobBackend backend_;
  RunReader reader_;
  std::string public_url_ = "https://kunit.example";
  net::Router router_;
  int changes_ = 0;
};

TEST_F(DeckTest, ListsProwJobsAndOmitsWhatIsNotWanted) {
  const auto run = add("kunit", JobState::success);
  add("broken", JobState::success);  // costs nobody the list
  const Json all = items("/prowjobs.js");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(json_string(json_get(all.at(0), "status"), "url"), fmt::format("https://kunit.example/run/{}", run.id));
  EXPECT_EQ(json_get(json_get(json_get(all.at(0), "spec"), "pod_spec"), "containers").at(0)["image"], "kunit");
  const Json less = items("/prowjobs.js?omit=annotations,labels,decoration_config,pod_spec");
  EXPECT_FALSE(json_get(less.at(0), "metadata").contains("labels"));
  EXPECT_FALSE(json_get(less.at(0), "metadata").contains("annotations"));
  EXPECT_FALSE(json_get(less.at(0), "spec").contains("decoration_config"));
  // Scripts count the containers.
  EXPECT_EQ(dump_json(json_get(json_get(less.at(0), "spec"), "pod_spec")),
            R"({"containers":[{"name":"","resources":{}},{"name":"","resources":{}}]})");
}

TEST_F(DeckTest, ListsByOrgRepoAndOwnerAndInParts) {
  for (int i = 0; i < 4; ++i) add("kunit", JobState::success);
  EXPECT_EQ(items("/prowjobs.js?org=https://gerrit.example&repo=kernel/linux").size(), 4U);
  EXPECT_EQ(items("/prowjobs.js?org=https://other").size(), 0U);
  EXPECT_EQ(items("/prowjobs.js?repo=other").size(), 0U);
  EXPECT_EQ(items("/prowjobs.js?owner=Ada").size(), 2U);
  EXPECT_EQ(items("/prowjobs.js?limit=3").size(), 3U);
  EXPECT_EQ(items("/prowjobs.js?limit=3&before=2").size(), 1U);
  EXPECT_EQ(get("/prowjobs.js?limit=x").status, 400);
}

TEST_F(DeckTest, AVariableIsSetByNameAndNothingElse) {
  add("kunit", JobState::success);
  const auto script = get("/prowjobs.js?var=allBuilds");
  EXPECT_EQ(script.header("content-type"), "application/javascript");
  EXPECT_THAT(script.body, StartsWith("var allBuilds = {\"items\":["));
  EXPECT_THAT(script.body, testing::EndsWith("};"));
  EXPECT_THAT(get("/data.js?var=x").body, StartsWith("var x = [{"));
  for (const char* name : {"alert(1)//", "a=1;b", "1a", "a.b", "%3C/script%3E"})
    EXPECT_EQ(get(fmt::format("/prowjobs.js?var={}", name)).status, 400) << name;
}

TEST_F(DeckTest, TheFlatListHasDecksFields) {
  add("kunit", JobState::success);
  add("kunit", JobState::triggered);
  const Json list = parse_json(get("/data.js").body).value();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(json_string(list.at(1), "started"), "1764000010");
  EXPECT_EQ(json_string(list.at(1), "duration"), "1m32s");
  EXPECT_EQ(json_string(list.at(1), "state"), "success");
  EXPECT_EQ(json_string(list.at(1), "build_id"), "1");
  EXPECT_EQ(json_string(list.at(1), "refs_key"),
            "master:b45e,1:9fceb02d0ae598e95dc970b74767f19372d61af8:refs/changes/11/4711/3");
  EXPECT_EQ(json_string(list.at(0), "finished"), "");
  EXPECT_EQ(json_string(list.at(0), "duration"), "");
}

TEST(Badge, ShowsWhatDecksDoesButAnErrorAsNoPass) {
  const auto words = [](std::initializer_list<JobState> states) {
    std::vector<store::Run> runs;
    for (const auto state : states) {
      runs.emplace_back().job = fmt::format("{}", runs.size() + 1);
      runs.back().state = state;
    }
    return badge_of(runs).words;
  };
  using enum JobState;
  EXPECT_EQ(words({}), "no results");
  EXPECT_EQ(words({success}), "passing");
  EXPECT_EQ(words({success, failure}), "failing 2");
  EXPECT_EQ(words({success, failure, failure, failure, failure}), "failing 2, 3, 4, ...");
  EXPECT_EQ(words({success, error}), "no verdict 2");
  EXPECT_EQ(words({error, failure}), "failing 2");
}

TEST_F(DeckTest, ABadgeIsOfTheLatestVerdictOfEachJobThatFits) {
  EXPECT_EQ(get("/badge.svg").status, 400);
  add("kunit-a", JobState::failure);
  add("kunit-a", JobState::success);
  add("kunit-a", JobState::aborted);
  add("kunit-a", JobState::pending);
  EXPECT_THAT(get("/badge.svg?jobs=kunit-*").body, HasSubstr("passing"));
  add("kunit-b", JobState::error);
  const auto badge = get("/badge.svg?jobs=none,kunit-?");
  EXPECT_EQ(badge.header("content-type"), "image/svg+xml");
  EXPECT_EQ(badge.header("cross-origin-resource-policy"), "cross-origin");
  EXPECT_THAT(badge.body, HasSubstr("no verdict kunit-b"));
  EXPECT_THAT(get("/badge.svg?jobs=kunit-a").body, HasSubstr("passing"));
  EXPECT_THAT(get("/badge.svg?jobs=unit*").body, HasSubstr("no results"));
  add("evil<script>", JobState::failure);
  EXPECT_THAT(get("/badge.svg?jobs=evil*").body, HasSubstr("failing evil&lt;script&gt;"));
}

TEST_F(DeckTest, ALogIsFoundByJobAndIdAndServedAsText) {
  const auto run = add("kunit", JobState::failure);
  const auto log = get(fmt::format("/log?job=kunit&id={}", run.id));
  EXPECT_EQ(log.status, 200);
  ASSERT_TRUE(log.source);
  EXPECT_EQ(log.source->read(0, log.source->size).value(), "the log\n");
  EXPECT_EQ(log.header("access-control-allow-origin"), "*");
  EXPECT_THAT(log.header("content-type"), StartsWith("text/plain"));
  EXPECT_EQ(get("/log?job=kunit").status, 400);
  EXPECT_EQ(get("/log?id=1").status, 400);
  EXPECT_EQ(get(fmt::format("/log?job=other&id={}", run.id)).status, 404);
  EXPECT_EQ(get("/log?job=kunit&id=99").status, 404);
  EXPECT_EQ(get("/log?job=kunit&id=x").status, 404);
}

TEST_F(DeckTest, AViewLeadsToTheRun) {
  const auto run = add("kunit", JobState::failure);
  const std::string page = fmt::format("/run/{}", run.id);
  for (const auto& path :
       {"gs/bucket/" + run.artifacts, "bucket/" + run.artifacts + "/", fmt::format("prowjob/kunit/{}", run.id)}) {
    const auto answer = get("/view/" + path);
    EXPECT_EQ(answer.status, 303) << path;
    EXPECT_EQ(answer.header("location"), page) << path;
  }
  for (const auto& path : {fmt::format("gs/b/pr-logs/pull/other/1/kunit/{}", run.id), std::string("gs"),
                           fmt::format("gs/b/pr-logs/pull/x/1/other/{}", run.id), std::string("gs/kunit/99")})
    EXPECT_EQ(get("/view/" + path).status, 404) << path;
}

TEST_F(DeckTest, AProwJobIsYaml) {
  const auto run = add("kunit", JobState::failure);
  const auto yaml = get("/prowjob?prowjob=" + run.prow_job_id);
  EXPECT_EQ(yaml.status, 200);
  EXPECT_THAT(yaml.body, HasSubstr("kind: ProwJob\n"));
  EXPECT_THAT(yaml.body, HasSubstr("state: failure\n"));
  EXPECT_EQ(get("/prowjob").status, 400);
  EXPECT_EQ(get("/prowjob?prowjob=none").status, 404);
}

}  // namespace
}  // namespace bowsprit::web
