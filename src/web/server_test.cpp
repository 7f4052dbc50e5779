// SPDX-License-Identifier: Apache-2.0
#include "web/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "artifact/folder_store.h"
#include "artifact/result_json.h"
#include "base/json.h"
#include "base/strings.h"
#include "net/http_client.h"
#include "os/files.h"
#include "os/process.h"
#include "web/test_data.h"

namespace bowsprit::web {
namespace {

using sched::JobState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Stands for the program behind the server; it remembers what it was asked.
class RecordingBackend final : public Backend {
 public:
  Result<std::int64_t> rerun(std::int64_t run) override {
    asked.push_back(fmt::format("rerun {}", run));
    return run + 100;
  }
  Result<> abort(std::int64_t run) override {
    asked.push_back(fmt::format("abort {}", run));
    return fail(ErrorKind::conflict, "run {} has ended", run);
  }
  std::optional<std::filesystem::path> live_log(std::int64_t) override { return log; }
  Result<Json> prow_job(const store::Run& run) override { return Json{{"metadata", {{"name", run.prow_job_id}}}}; }
  void update_metrics() override {}
  std::optional<std::string> trouble() override { return problem; }

  std::vector<std::string> asked;
  std::optional<std::filesystem::path> log;
  std::optional<std::string> problem;
};

class WebServerTest : public testing::Test {
 protected:
  explicit WebServerTest(std::string token = "t0ken")
      : dir_(std::move(TempDir::create("web").value())),
        store_(std::move(store::Store::open(dir_.path() / "db").value())),
        objects_(std::move(artifact::FolderStore::open(dir_.path() / "artifacts").value())),
        server_({.token = Secret(std::move(token)), .gerrit_url = "https://gerrit.example", .feeds = true},
                store::Store::open(dir_.path() / "db").value(), objects_, backend_, metrics_),
        client_(net::HttpClient::Options{}) {
    port_ = server_.start().value();
  }

  [[nodiscard]] std::string url(std::string_view path) const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  net::HttpResponse get(std::string_view path, std::vector<std::pair<std::string, std::string>> headers = {}) {
    return client_.send({.url = url(path), .headers = std::move(headers)}).value();
  }
  net::HttpResponse post(std::string_view path, std::string_view authorization) {
    return client_
        .send({.method = "POST",
               .url = url(path),
               .headers = {{"Authorization", std::string(authorization)}},
               .body = ""})
        .value();
  }
  /// A run that ended, with the files that such a run has.
  std::int64_t add_ended_run(std::string_view result) {
    store::Run run = sample_run();
    run.trigger_key = fmt::format("test:{}", next_++);
    run.id = store_.add_run(run).value().value();
    run.artifacts = fmt::format("pr-logs/pull/linux/4711/kunit-um/{}", run.id);
    EXPECT_TRUE(store_.move_run(run, JobState::pending));
    run.verdict = "failed";
    run.finished = SystemClock::now();
    EXPECT_TRUE(objects_.put(run.artifacts + "/build-log.txt", "first\nsecond\n"));
    if (!result.empty()) {
      EXPECT_TRUE(objects_.put(run.artifacts + "/artifacts/result.json", result));
    }
    EXPECT_TRUE(objects_.put(run.artifacts + "/artifacts/evil <b>.html", "<script>alert(1)</script>"));
    EXPECT_TRUE(store_.move_run(run, JobState::failure));
    return run.id;
  }

  TempDir dir_;
  store::Store store_;
  artifact::FolderStore objects_;
  RecordingBackend backend_;
  Metrics metrics_;
  Server server_;
  net::HttpClient client_;
  int port_ = 0;
  int next_ = 0;
};

TEST_F(WebServerTest, ServesPagesAndDataOfARun) {
  const auto id = add_ended_run(artifact::result_json(sample_result()));
  const auto page = get(fmt::format("/run/{}", id));
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("list_sort.list_sort_test"));
  EXPECT_THAT(page.body, HasSubstr("second\n"));
  EXPECT_THAT(page.body, HasSubstr(fmt::format("href=\"/run/{}/artifacts/evil%20%3Cb%3E.html\"", id)));
  EXPECT_THAT(get("/").body, HasSubstr(fmt::format("href=\"/run/{}\"", id)));
  EXPECT_THAT(get("/change/4711").body, HasSubstr("Patch set 3"));
  const auto json = parse_json(get(fmt::format("/api/v1/runs/{}", id)).body).value();
  EXPECT_EQ(json_get(json_get(json, "result"), "failures").size(), 2U);
  EXPECT_EQ(json_get(json, "events").size(), 3U);
}

TEST_F(WebServerTest, AHostileOrBrokenResultIsAnOrdinaryPage) {
  for (const std::string text : {"{", "[]", "{\"schema\":\"bowsprit/result/1\",\"verdict\":7}", "\xff\xfe", "null"}) {
    const auto page = get(fmt::format("/run/{}", add_ended_run(text)));
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, HasSubstr("The job's result can't be shown")) << text;
  }
  EXPECT_EQ(get(fmt::format("/run/{}", add_ended_run(""))).status, 200);
}

TEST_F(WebServerTest, EveryAnswerHasTheSecurityHeaders) {
  const auto id = add_ended_run("");
  for (const auto& path :
       {std::string("/"), fmt::format("/run/{}", id), fmt::format("/run/{}/log", id), std::string("/none"),
        std::string("/metrics"), std::string("/api/v1/runs"), std::string("/run/x")}) {
    const auto answer = get(path);
    EXPECT_THAT(answer.header("content-security-policy"), HasSubstr("default-src 'none'")) << path;
    EXPECT_THAT(answer.header("content-security-policy"), Not(HasSubstr("unsafe"))) << path;
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(answer.header("x-frame-options"), "DENY") << path;
  }
}

TEST_F(WebServerTest, AJobsFilesCannotActAsThisSite) {
  const auto id = add_ended_run("");
  const auto file = get(fmt::format("/run/{}/artifacts/evil%20%3Cb%3E.html", id));
  EXPECT_EQ(file.body, "<script>alert(1)</script>");
  EXPECT_THAT(file.header("content-type"), StartsWith("text/plain"));
  EXPECT_THAT(file.header("content-security-policy"), HasSubstr("sandbox"));
  ASSERT_TRUE(write_file(dir_.path() / "secret", "s3cret"));
  for (const char* name : {"../../../../../../secret", "..%2f..%2f..%2fsecret", "%2e%2e/secret", "/etc/passwd",
                           "%2fetc%2fpasswd", "a//b"}) {
    const auto answer = get(fmt::format("/run/{}/artifacts/{}", id, name));
    EXPECT_TRUE(answer.status == 404 || answer.status == 400) << name << " " << answer.status;
    EXPECT_THAT(answer.body, Not(HasSubstr("s3cret")));
  }
}

TEST_F(WebServerTest, ALogIsReadByRangesWhileItGrows) {
  store::Run run = sample_run();
  run.id = store_.add_run(run).value().value();
  ASSERT_TRUE(store_.move_run(run, JobState::pending));
  const std::string path = fmt::format("/run/{}/log", run.id);
  EXPECT_EQ(get(path).status, 404);
  backend_.log = dir_.path() / "live.log";
  ASSERT_TRUE(write_file(*backend_.log, "one\n"));
  EXPECT_EQ(get(path).body, "one\n");
  EXPECT_EQ(get(path, {{"Range", "bytes=4-"}}).status, 416);
  ASSERT_TRUE(write_file(*backend_.log, "one\ntwo\n"));
  const auto more = get(path, {{"Range", "bytes=4-"}});
  EXPECT_EQ(more.status, 206);
  EXPECT_EQ(more.body, "two\n");
}

TEST_F(WebServerTest, ListsByFilterAndPage) {
  for (int i = 0; i < 5; ++i) add_ended_run("");
  const auto first = parse_json(get("/api/v1/runs?limit=2&job=kunit-um&state=failure").body).value();
  EXPECT_EQ(json_get(first, "runs").size(), 2U);
  const auto next = json_string(first, "next");
  EXPECT_THAT(next, HasSubstr("before=4"));
  EXPECT_EQ(json_get(parse_json(get(next).body).value(), "runs").size(), 3U);
  EXPECT_EQ(json_get(parse_json(get("/api/v1/runs?change=1").body).value(), "runs").size(), 0U);
  EXPECT_EQ(json_get(parse_json(get("/api/v1/runs?q=list_sort+ada").body).value(), "runs").size(), 5U);
  EXPECT_EQ(json_get(parse_json(get("/api/v1/runs?q=%22%20OR%20x").body).value(), "runs").size(), 0U);
  EXPECT_EQ(json_get(parse_json(get("/api/v1/jobs").body).value(), "jobs").size(), 1U);
  EXPECT_EQ(get("/jobs").status, 200);
  EXPECT_EQ(get("/job/kunit-um").status, 200);
  EXPECT_EQ(get("/job/none").status, 404);
  EXPECT_EQ(get("/api/v1/runs?state=nonsense").status, 400);
  EXPECT_EQ(get("/?change=x").status, 400);
  EXPECT_EQ(get("/run/99").status, 404);
  EXPECT_EQ(get("/api/v1/runs/99").status, 404);
  EXPECT_EQ(get("/change/99").status, 404);
}

TEST_F(WebServerTest, GerritsChecksTabGetsItsRunsEvenWhereAResultIsBroken) {
  add_ended_run(artifact::result_json(sample_result()));
  add_ended_run("{");
  store::Run other = sample_run();
  other.patchset = 4;
  other.attempt = 9;  // whatever the store says, the tab wants 1 first
  ASSERT_TRUE(store_.add_run(other).value());
  const auto answer = get("/gerrit-checks/runs?change=4711&patchset=3", {{"Origin", "https://gerrit.example"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("access-control-allow-origin"), "https://gerrit.example");
  EXPECT_EQ(answer.header("access-control-allow-credentials"), "true");
  const auto json = parse_json(answer.body).value();
  const auto& runs = json_get(json, "runs");
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(json_int(runs.at(0), "attempt"), 1);
  EXPECT_EQ(json_int(runs.at(1), "attempt"), 2);
  EXPECT_EQ(json_string(json_get(runs.at(1), "results").at(0), "category"), "ERROR");
  EXPECT_THAT(json_string(runs.at(1), "statusLink"), StartsWith("http://127.0.0.1:"));
  const auto all = parse_json(get("/gerrit-checks/runs?change=4711").body).value();
  ASSERT_EQ(json_get(all, "runs").size(), 3U);
  EXPECT_EQ(json_int(json_get(all, "runs").at(2), "attempt"), 1);
  EXPECT_EQ(json_get(parse_json(get("/gerrit-checks/runs?change=1").body).value(), "runs").size(), 0U);
  EXPECT_EQ(get("/gerrit-checks/runs").status, 400);
  for (const char* origin : {"https://evil.example", "https://gerrit.example.evil", "null", "*"})
    EXPECT_EQ(get("/gerrit-checks/runs?change=4711", {{"Origin", origin}}).header("access-control-allow-origin"), "")
        << origin;
}

TEST_F(WebServerTest, AFeedTellsTheEndsOfAJobsRuns) {
  const auto id = add_ended_run("");
  store::Run hostile = sample_run();
  hostile.trigger_key = "hostile";
  hostile.subject = std::string(kHostile) + "\xEF\xBF\xBF]]>";
  hostile.id = store_.add_run(hostile).value().value();
  EXPECT_THAT(get("/job/kunit-um/feed.atom").body, Not(HasSubstr("alert(1)")));  // it has not ended
  ASSERT_TRUE(store_.move_run(hostile, JobState::pending));
  hostile.finished = SystemClock::now();
  ASSERT_TRUE(store_.move_run(hostile, JobState::failure));
  const auto feed = get("/job/kunit-um/feed.atom");
  EXPECT_THAT(feed.header("content-type"), StartsWith("application/atom+xml"));
  EXPECT_THAT(feed.body, HasSubstr(fmt::format("/run/{}\"/>", id)));
  EXPECT_THAT(feed.body, HasSubstr("<title>Failed: kunit-um 4711,3: lib/list"));
  EXPECT_THAT(feed.body, Not(HasSubstr("<script>")));
  // A real reader of XML takes it.
  const auto file = dir_.path() / "feed.atom";
  ASSERT_TRUE(write_file(file, feed.body));
  auto python = ChildProcess::spawn(
      {.argv = {"python3", "-c",
                "import sys, xml.etree.ElementTree as e; "
                "sys.exit(len(e.parse(sys.argv[1]).getroot().findall('{http://www.w3.org/2005/Atom}entry')))",
                file.string()}});
  ASSERT_TRUE(python);
  EXPECT_EQ(python->wait().value().code, 2);
  EXPECT_EQ(get("/job/none/feed.atom").status, 404);
}

TEST_F(WebServerTest, ActsOnlyForSomebodyWithTheToken) {
  EXPECT_EQ(post("/api/v1/runs/7/rerun", "").status, 403);
  EXPECT_EQ(post("/api/v1/runs/7/rerun", "Bearer wrong").status, 403);
  EXPECT_EQ(post("/api/v1/runs/7/rerun", "t0ken").status, 403);
  EXPECT_EQ(get("/api/v1/runs/7/rerun", {{"Authorization", "Bearer t0ken"}}).status, 405);
  EXPECT_TRUE(backend_.asked.empty());
  const auto rerun = post("/api/v1/runs/7/rerun", "Bearer t0ken");
  EXPECT_EQ(rerun.status, 200);
  EXPECT_EQ(json_int(parse_json(rerun.body).value(), "run"), 107);
  const auto abort = post("/api/v1/runs/8/abort", "Bearer t0ken");
  EXPECT_EQ(abort.status, 409);
  EXPECT_THAT(abort.body, HasSubstr("run 8 has ended"));
  EXPECT_THAT(backend_.asked, ElementsAre("rerun 7", "abort 8"));
}

TEST_F(WebServerTest, TellsEventsAsTheyHappenAndWhatWasMissed) {
  store::Run run = sample_run();
  run.id = store_.add_run(run).value().value();
  // curl ends by itself: after the third event the other thread of this test has nothing more to wait for.
  Pipe pipe = Pipe::create().value();
  auto curl =
      ChildProcess::spawn({.argv = {"curl", "-sN", "--max-time", "20", "-H", "Last-Event-ID: 0", url("/api/v1/events")},
                           .stdout_fd = pipe.writer.get()});
  ASSERT_TRUE(curl);
  pipe.writer.reset();
  std::string text;
  const auto read_until = [&](std::string_view mark) {
    std::array<char, 4096> buffer{};
    while (text.find(mark) == std::string::npos) {
      const auto count = pipe.reader.read(buffer.data(), buffer.size()).value();
      if (count == 0) return false;
      text.append(buffer.data(), count);
    }
    return true;
  };
  ASSERT_TRUE(read_until("event: hello")) << text;
  EXPECT_THAT(text, HasSubstr("\"state\":\"triggered\""));  // happened before it came
  run.phase = "source";
  ASSERT_TRUE(store_.move_run(run, JobState::pending));
  EXPECT_TRUE(read_until("\"state\":\"pending\",\"phase\":\"source\"")) << text;
  ASSERT_TRUE(store_.set_phase(run.id, "build"));
  EXPECT_TRUE(read_until("\"phase\":\"build\"")) << text;
  EXPECT_THAT(text, HasSubstr("id: 3\n"));
  curl->stop(milliseconds(0));
}

TEST_F(WebServerTest, TellsItsHealthAndNumbers) {
  EXPECT_EQ(get("/healthz").body, "ok\n");
  backend_.problem = "gerrit: unreachable since 10:00";
  const auto sick = get("/healthz");
  EXPECT_EQ(sick.status, 503);
  EXPECT_EQ(sick.body, "gerrit: unreachable since 10:00\n");
  EXPECT_THAT(get("/metrics").body, HasSubstr("bowsprit_http_responses_total{status=\"503\"} 1\n"));
}

TEST_F(WebServerTest, StyleAndScriptAreCachedForEverUnderAHashedName) {
  const auto page = get("/").body;
  const auto at = page.find("/static/style-");
  ASSERT_NE(at, std::string::npos);
  const auto style = get(page.substr(at, page.find('"', at) - at));
  EXPECT_EQ(style.status, 200);
  EXPECT_THAT(style.header("cache-control"), HasSubstr("immutable"));
  EXPECT_THAT(style.header("content-type"), StartsWith("text/css"));
}

class TokenlessServerTest : public WebServerTest {
 protected:
  TokenlessServerTest() : WebServerTest("") {}
};

TEST_F(TokenlessServerTest, NobodyMayActWhereNoTokenIsConfigured) {
  EXPECT_EQ(post("/api/v1/runs/7/rerun", "Bearer ").status, 403);
  EXPECT_EQ(post("/api/v1/runs/7/abort", "Bearer t0ken").status, 403);
  EXPECT_TRUE(backend_.asked.empty());
}

}  // namespace
}  // namespace bowsprit::web
