// SPDX-License-Identifier: Apache-2.0
#include "app/server_config.h"

namespace bowsprit::app {
namespace {

std::vector<std::string> problems_of(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& problem : load_server_config_text("/etc/b/bowsprit.yaml", text).problems)
    out.push_back(problem.line());
  return out;
}

TEST(ServerConfig, ReadsEveryField) {
  const auto loaded = load_server_config_text("/etc/b/bowsprit.yaml", R"(
gerrit:
  url: https://gerrit.example/
  user: kunit
  password_file: secret/password
  poll_interval: 1m
  stream_events: {host: gerrit.example, key_file: /k, known_hosts: hosts}
label: Presubmit-Verified
repos:
- project: linux
  prow: https://kunit-review.googlesource.com/linux
- project: next
prow: [config.yaml, ../jobs]
executor: {local: {jobs: 2, memory: 8Gi, disk: 1G, pids: 100, rootfs: image, images: {gcr.io/kunit: /img/kunit}}}
state: /var/lib/b
artifacts: {store: s3://bucket/ci, credentials_file: s3.json, endpoint: "https://s3.example:9000", region: eu, path_style: false, ca_file: ca.pem, signed_urls: 15m, cache: 2Gi}
web: {listen: "[::1]:80", public_url: https://kunit.example/}
default_kunitconfig: my.kunitconfig
triggers: {who: group, group: kunit-users, trusted: [ada, "1000042"]}
timeouts: {scheduling: 24h, pending: 0s}
keep: {runs: 720h}
)");
  EXPECT_TRUE(loaded.problems.empty()) << yaml::to_error(loaded.problems).message;
  const ServerConfig& config = loaded.config;
  EXPECT_EQ(config.gerrit.url, "https://gerrit.example");
  EXPECT_EQ(config.gerrit.password_file, "/etc/b/secret/password");
  EXPECT_EQ(config.gerrit.poll_interval, milliseconds(60'000));
  EXPECT_EQ(config.gerrit.stream_events->user, "kunit");
  EXPECT_EQ(config.gerrit.stream_events->port, 29418);
  EXPECT_EQ(config.gerrit.stream_events->key_file, "/k");
  EXPECT_EQ(config.label, "Presubmit-Verified");
  EXPECT_EQ(config.prow, (std::vector<std::filesystem::path>{"/etc/b/config.yaml", "/etc/jobs"}));
  EXPECT_EQ(config.executor.local.memory.count, 8ULL << 30U);
  EXPECT_EQ(config.executor.local.work, "/var/lib/b/work");
  EXPECT_EQ(config.executor.local.rootfs, "/etc/b/image");
  EXPECT_EQ(config.executor.local.images.at("gcr.io/kunit"), "/img/kunit");
  EXPECT_EQ(config.artifacts, (ArtifactsConfig{.store = "s3://bucket/ci",
                                               .credentials_file = "/etc/b/s3.json",
                                               .endpoint = "https://s3.example:9000",
                                               .region = "eu",
                                               .path_style = false,
                                               .ca_file = "/etc/b/ca.pem",
                                               .signed_urls = seconds(900),
                                               .cache = {2ULL << 30U}}));
  EXPECT_EQ(config.web.public_url, "https://kunit.example");
  EXPECT_EQ(config.mappings(), (std::vector<prow::RepoMapping>{{"https://kunit-review.googlesource.com/linux",
                                                                "https://gerrit.example", "linux"}}));
  EXPECT_TRUE(config.has_project("next"));
  EXPECT_EQ(config.who(), trigger::Who::group);
  EXPECT_EQ(config.triggers.group, "kunit-users");
  EXPECT_EQ(config.triggers.trusted, (std::vector<std::string>{"ada", "1000042"}));
  EXPECT_EQ(config.timeouts.scheduling, std::chrono::hours(24));
  EXPECT_EQ(config.timeouts.pending, milliseconds(0));
  EXPECT_FALSE(config.timeouts.running);
  EXPECT_EQ(config.keep.runs, std::chrono::hours(720));
}

TEST(ServerConfig, EveryAccountMayTriggerUnlessItSaysOtherwise) {
  EXPECT_EQ(load_server_config_text("b.yaml", "gerrit: {url: https://h}\nrepos: [{project: a}]\n").config.who(),
            trigger::Who::anyone);
  EXPECT_EQ(
      problems_of("gerrit: {url: https://h}\nrepos: [{project: a}]\ntriggers: {who: all}\nkeep: {runs: 0s}\n"),
      (std::vector<std::string>{"/etc/b/bowsprit.yaml:3:17: triggers.who: expected anyone, owner or group, got \"all\"",
                                "/etc/b/bowsprit.yaml:4:14: keep.runs: expected 1s or more, got \"0s\""}));
  EXPECT_EQ(problems_of("gerrit: {url: https://h}\nrepos: [{project: a}]\ntriggers: {who: group}\n"),
            std::vector<std::string>{"/etc/b/bowsprit.yaml:3:11: triggers: who: group needs the field \"group\" or "
                                     "\"trusted\": nobody could start anything"});
}

TEST(ServerConfig, NamesEveryProblem) {
  EXPECT_EQ(
      problems_of("gerrit: {url: gerrit, pasword_file: x, poll_interval: 5ms, stream_events: {port: 0}}\nlabel: a "
                  "b\nrepos: []\n"
                  "executor: {local: {jobs: 0, memory: lots}}\nweb: {listen: here}\n"),
      (std::vector<std::string>{
          "/etc/b/bowsprit.yaml:1:15: gerrit.url: expected a URL such as https://gerrit.example, got \"gerrit\"",
          "/etc/b/bowsprit.yaml:1:37: gerrit.pasword_file: unknown field; did you mean \"password_file\"?",
          "/etc/b/bowsprit.yaml:1:55: gerrit.poll_interval: expected 1s or more, got \"5ms\"",
          "/etc/b/bowsprit.yaml:1:82: gerrit.stream_events.port: expected a port from 1 to 65535, got \"0\"",
          "/etc/b/bowsprit.yaml:1:75: gerrit.stream_events: expected the field \"host\"",
          "/etc/b/bowsprit.yaml:2:8: label: expected the name of a label, got \"a b\"",
          "/etc/b/bowsprit.yaml:4:26: executor.local.jobs: expected 1 or more, got \"0\"",
          "/etc/b/bowsprit.yaml:4:37: executor.local.memory: expected an amount such as 512Mi or 4G, got \"lots\"",
          "/etc/b/bowsprit.yaml:5:15: web.listen: expected an address and port such as 127.0.0.1:8090, got \"here\"",
          "/etc/b/bowsprit.yaml:3:8: repos: expected at least one repository, got a list"}));
  EXPECT_EQ(problems_of("{}"), (std::vector<std::string>{"/etc/b/bowsprit.yaml:1:1: expected the field \"gerrit\"",
                                                         "/etc/b/bowsprit.yaml:1:1: expected the field \"repos\""}));
  EXPECT_EQ(
      problems_of(
          "gerrit: {url: https://h/}\nrepos: [{project: a, gerrit: https://h}, {project: b, gerrit: https://other}]\n"),
      std::vector<std::string>{
          "/etc/b/bowsprit.yaml:2:63: repos[1].gerrit: expected \"https://h\", the one Gerrit of this server, "
          "got \"https://other\""});
  EXPECT_EQ(problems_of(""), (std::vector<std::string>{"/etc/b/bowsprit.yaml:1:1: expected one document, got 0"}));
  EXPECT_EQ(
      problems_of(
          "gerrit: {url: 'https://u:p@h', password_file: x, cookie_file: z}\nrepos: [{project: a}, {project: a}]\n")
          .size(),
      4U);
}

TEST(ServerConfig, NamesWhatIsWrongWithTheStore) {
  const auto of = [](std::string_view artifacts) {
    return problems_of(fmt::format("gerrit: {{url: https://g}}\nrepos: [{{project: p}}]\nartifacts: {}\n", artifacts));
  };
  EXPECT_EQ(of("{store: 's3://b', signed_urls: 168h}"), std::vector<std::string>{});
  EXPECT_EQ(
      of("{endpoint: x}"),
      (std::vector<std::string>{
          "/etc/b/bowsprit.yaml:3:23: artifacts.endpoint: expected a URL such as https://gerrit.example, got \"x\"",
          "/etc/b/bowsprit.yaml:3:12: artifacts: expected the field \"store\""}));
  EXPECT_EQ(
      of("{store: 'ftp://b', signed_urls: 169h}"),
      (std::vector<std::string>{
          "/etc/b/bowsprit.yaml:3:20: artifacts.store: the store 'ftp://b' has an unknown scheme; expected "
          "s3://BUCKET, gs://BUCKET or file:///FOLDER",
          "/etc/b/bowsprit.yaml:3:44: artifacts.signed_urls: expected a duration from 1s to 168h, got \"169h\""}));
}

TEST(ServerConfig, IsToldFromProwsFiles) {
  EXPECT_TRUE(is_server_config("# ours\ngerrit:\n  url: x\nrepos:\n- project: linux\n"));
  EXPECT_FALSE(is_server_config("gerrit:\n  tick_interval: 1m\npresubmits:\n  repos: []\n"));
  EXPECT_FALSE(is_server_config(""));
}

TEST(DefaultJob, RunsOnEveryPatchSet) {
  const auto job = default_job("https://h", "linux");
  EXPECT_EQ(job.name, "kunit");
  EXPECT_TRUE(job.always_run && job.decorate);
  EXPECT_EQ(dump_json(job.spec), R"({"containers":[{"image":"kunit","command":["/kunit.sh"]}]})");
}

}  // namespace
}  // namespace bowsprit::app
