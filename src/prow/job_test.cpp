// SPDX-License-Identifier: Apache-2.0
#include "prow/config.h"
#include "prow/job_env.h"
#include "prow/job_json.h"
#include "prow/layout.h"
#include "prow/regex.h"

namespace bowsprit::prow {
namespace {

Refs sample_refs() {
  Refs refs{.org = "https://gerrit.example",
            .repo = "kernel/linux",
            .repo_link = "https://gerrit.example/kernel/linux",
            .base_ref = "main",
            .base_sha = "b45e"};
  refs.pulls.push_back({.number = 42, .author = "dev", .sha = "c0de", .ref = "refs/changes/42/42/3"});
  return refs;
}

TEST(JobJson, IsReadBackAsTheSameJob) {
  const auto config = load_config_text("j.yaml", R"(presubmits:
  h/linux:
  - name: a
    branches: [main, 'v6\.\d+']
    run_if_changed: ^lib/
    optional: true
    decorate: true
    decoration_config: {timeout: 1h30m, grace_period: 1500ms}
    max_concurrency: 3
    labels: {x: "yes", prow.k8s.io/gerrit-report-label: Verified}
    annotations: {note: "line\nfeed \x7f"}
    spec: {containers: [{command: [sh, -c, "echo 'x'"], securityContext: {privileged: true}}]}
)");
  ASSERT_TRUE(config.usable()) << yaml::to_error(config.problems).message;
  const auto jobs = jobs_for(config, {}, "h", "linux");
  ASSERT_EQ(jobs.size(), 1U);
  const std::string text = dump_json(to_json(jobs[0]));
  const auto again = presubmit_from_json(text);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(dump_json(to_json(*again)), text);
  EXPECT_EQ(again->decoration_config.timeout, milliseconds(5400'000));
  EXPECT_EQ(again->decoration_config.grace_period, milliseconds(1500));
  EXPECT_EQ(again->report_label(), "Verified");
  EXPECT_EQ(again->labels.at("x"), "yes");
  EXPECT_FALSE(presubmit_from_json("[1]"));
  EXPECT_FALSE(presubmit_from_json("{"));
}

TEST(JobEnvironment, IsThatOfADecoratedPresubmit) {
  const auto env = job_environment({.job = "kunit",
                                    .build_id = "7",
                                    .prow_job_id = "uuid",
                                    .refs = sample_refs(),
                                    .decoration_config = {.timeout = milliseconds(7200'000)}});
  const std::map<std::string, std::string> expected{
      {"ARTIFACTS", "/logs/artifacts"},
      {"BUILD_ID", "7"},
      {"BUILD_NUMBER", "7"},
      {"CI", "true"},
      {"GOPATH", "/home/prow/go"},
      {"JOB_NAME", "kunit"},
      {"JOB_SPEC",
       R"({"type":"presubmit","job":"kunit","buildid":"7","prowjobid":"uuid","refs":{"org":"https://gerrit.example","repo":"kernel/linux",)"
       R"("repo_link":"https://gerrit.example/kernel/linux","base_ref":"main","base_sha":"b45e","pulls":[{"number":42,"author":"dev",)"
       R"("sha":"c0de","ref":"refs/changes/42/42/3"}]},"decoration_config":{"timeout":"2h0m0s"}})"},
      {"JOB_TYPE", "presubmit"},
      {"PROW_JOB_ID", "uuid"},
      {"PULL_BASE_REF", "main"},
      {"PULL_BASE_SHA", "b45e"},
      {"PULL_HEAD_REF", ""},
      {"PULL_NUMBER", "42"},
      {"PULL_PULL_SHA", "c0de"},
      {"PULL_REFS", "main:b45e,42:c0de:refs/changes/42/42/3"},
      {"PULL_TITLE", ""},
      {"REPO_NAME", "kernel/linux"},
      {"REPO_OWNER", "https://gerrit.example"},
      {"SRC_BASE", "kernel/linux"},
      {"SRC_HOST", "gerrit.example"}};
  EXPECT_EQ(env, expected);
}

TEST(ClonePath, FollowsAliasThenLinkThenGithub) {
  Refs refs{.org = "o", .repo = "r"};
  EXPECT_EQ(clone_path(refs), "/home/prow/go/src/github.com/o/r");
  refs.repo_link = "https://gerrit.example/linux";
  EXPECT_EQ(clone_path(refs), "/home/prow/go/src/gerrit.example/linux");
  refs.repo_link = "http://127.0.0.1:8080/linux";
  EXPECT_EQ(clone_path(refs), "/home/prow/go/src/127.0.0.1:8080/linux");
  EXPECT_EQ(local_clone_path(refs), "/home/prow/go/src/127.0.0.1_8080/linux");
  refs.path_alias = "somewhere/else";
  EXPECT_EQ(clone_path(refs), "/home/prow/go/src/somewhere/else");
  refs.path_alias = "/absolute/../x/";
  EXPECT_EQ(clone_path(refs), "/home/prow/go/src/x");
  EXPECT_EQ(local_clone_path(refs), "/home/prow/go/src//absolute/../x/");  // for the caller to refuse
}

TEST(Layout, NamesProwsPaths) {
  using layout::Place;
  using layout::Strategy;
  const Place gerrit{.org = "https://h:8080/", .repo = "kernel/linux", .pull = 42, .job = "kunit", .build_id = "7"};
  EXPECT_EQ(run_folder(gerrit), "pr-logs/pull/h:8080_kernel_linux/42/kunit/7");
  EXPECT_EQ(alias_file(gerrit), "pr-logs/directory/kunit/7.txt");
  EXPECT_THAT(latest_build_files(gerrit),
              testing::ElementsAre("pr-logs/directory/kunit/latest-build.txt",
                                   "pr-logs/pull/h:8080_kernel_linux/42/kunit/latest-build.txt"));
  const auto segment = [](Strategy strategy, const char* org, const char* repo) {
    return layout::repo_segment(
        {.org = org, .repo = repo, .strategy = strategy, .default_org = "k8s", .default_repo = "k8s"});
  };
  EXPECT_EQ(segment(Strategy::legacy, "k8s", "k8s"), "");
  EXPECT_EQ(segment(Strategy::legacy, "k8s", "infra"), "infra");
  EXPECT_EQ(segment(Strategy::legacy, "other", "infra"), "other_infra");
  EXPECT_EQ(segment(Strategy::single, "k8s", "k8s"), "");
  EXPECT_EQ(segment(Strategy::single, "k8s", "infra"), "k8s_infra");
  EXPECT_EQ(segment(Strategy::explicit_, "k8s", "k8s"), "k8s_k8s");
}

TEST(Layout, WritesProwsFiles) {
  const SystemTime when = from_unix_millis(1'700'000'000'123);
  EXPECT_EQ(
      dump_json(layout::started(sample_refs(), "feed", when)),
      R"({"timestamp":1700000000,"repo-version":"feed","pull":"42","repos":{"https://gerrit.example/kernel/linux":)"
      R"("main:b45e,42:c0de:refs/changes/42/42/3"},"repo-commit":"feed"})");
  EXPECT_EQ(dump_json(layout::finished({.passed = true, .when = when})),
            R"({"timestamp":1700000000,"passed":true,"result":"SUCCESS"})");
  EXPECT_EQ(
      dump_json(
          layout::finished({.aborted = true, .when = when, .revision = "c0de", .metadata = {{"verdict", "aborted"}}})),
      R"({"timestamp":1700000000,"passed":false,"result":"ABORTED","metadata":{"verdict":"aborted"},"revision":"c0de"})");
  Presubmit job;
  job.name = job.context = "kunit";
  const Json made = layout::prow_job(
      job, sample_refs(), {.name = "uuid", .state = "pending", .created = when, .started = when, .build_id = "7"});
  EXPECT_EQ(json_string(json_get(made, "status"), "startTime"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(json_string(json_get(made, "spec"), "job"), "kunit");
  EXPECT_FALSE(json_get(made, "status").contains("completionTime"));
}

TEST(Layout, TheProwJobOfAPeriodicHasExtraRefsAndNoRefs) {
  Periodic periodic;
  periodic.name = "nightly";
  periodic.labels["team"] = "kernel";
  periodic.extra_refs = {{.org = "https://gerrit.example", .repo = "linux", .base_ref = "main"}};
  const Presubmit job = as_presubmit(periodic);
  const Json made = layout::prow_job(job, {}, {.name = "uuid", .state = "success", .type = JobType::periodic});
  EXPECT_EQ(json_string(json_get(json_get(made, "metadata"), "labels"), "prow.k8s.io/type"), "periodic");
  EXPECT_EQ(json_string(json_get(json_get(made, "metadata"), "labels"), "team"), "kernel");
  const Json& spec = json_get(made, "spec");
  EXPECT_EQ(json_string(spec, "type"), "periodic");
  EXPECT_EQ(json_string(spec, "job"), "nightly");
  EXPECT_FALSE(spec.contains("refs"));
  EXPECT_FALSE(spec.contains("rerun_command"));
  EXPECT_EQ(json_get(spec, "extra_refs").size(), 1U);
}

TEST(Regex, HasGoSyntax) {
  EXPECT_FALSE(regex_error(default_trigger("a.b")));
  EXPECT_TRUE(regex_error("(?=look)"));
  const std::string trigger = default_trigger("kunit");
  for (const char* yes : {"/test kunit", "/test kunit,", "text\n/test kunit\nmore", "/test other kunit",
                          "/test kunit please", "/test kunit\r\n"})
    EXPECT_TRUE(regex_matches(trigger, yes)) << yes;
  for (const char* no : {"/test kunit2", "> /test kunit", " /test kunit", "/testkunit", "/test akunit"})
    EXPECT_FALSE(regex_matches(trigger, no)) << no;
}

TEST(Layout, OfJobsWithoutAPullIsBelowLogs) {
  layout::Place place{.org = "https://gerrit.example", .repo = "linux", .pull = 0, .job = "nightly", .build_id = "7"};
  for (const JobType type : {JobType::periodic, JobType::postsubmit}) {
    place.type = type;
    EXPECT_EQ(layout::run_folder(place), "logs/nightly/7");
    EXPECT_EQ(layout::alias_file(place), "");
    EXPECT_EQ(layout::latest_build_files(place), std::vector<std::string>{"logs/nightly/latest-build.txt"});
  }
  place.type = JobType::batch;
  EXPECT_EQ(layout::run_folder(place), "pr-logs/pull/batch/nightly/7");
  EXPECT_EQ(layout::alias_file(place), "");
  EXPECT_EQ(layout::latest_build_files(place), std::vector<std::string>{"pr-logs/directory/nightly/latest-build.txt"});
}

}  // namespace
}  // namespace bowsprit::prow
