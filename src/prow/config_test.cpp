// SPDX-License-Identifier: Apache-2.0
#include "prow/config.h"

#include <random>

#include "os/files.h"
#include "prow/shared_data.h"

namespace bowsprit::prow {
namespace {

std::vector<std::string> lines(const Config& config) {
  std::vector<std::string> out;
  for (const auto& problem : config.problems) out.push_back(problem.line());
  return out;
}

constexpr std::string_view kSpec = "    spec: {containers: [{image: i, command: [/kunit.sh]}]}\n";

Config load_jobs(const std::string& jobs) {
  return load_config_text("j.yaml", "presubmits:\n  https://h/linux:\n" + jobs);
}
/// One job of these lines with a valid spec.
std::vector<std::string> problems_of_job(std::string_view fields) {
  std::string text = "  - name: a\n";
  for (std::size_t at = 0; at < fields.size();) {
    const auto end = std::min(fields.find('\n', at), fields.size());
    text += "    " + std::string(fields.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return lines(load_jobs(text + std::string(kSpec)));
}

TEST(ProwConfig, LoadsTheJobsThatKunitRanOnUnchanged) {
  const auto folder = shared_data("kunit-prow-jobs");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "the real job files are not part of the project; they are not in " << folder;
  const Config config = load_config({folder});
  EXPECT_THAT(lines(config), testing::IsEmpty());
  ASSERT_EQ(config.presubmits.size(), 3U);

  const std::vector<RepoMapping> mappings{
      {"https://kunit-review.googlesource.com/linux", "http://localhost:8080/", "linux"},
      {"https://linux-review.googlesource.com/linux/kernel/git/torvalds/linux", "http://localhost:8080",
       "kernel/torvalds"}};
  const auto jobs = jobs_for(config, mappings, "http://localhost:8080", "linux");
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].name, "kunit-test-presubmit");
  EXPECT_EQ(jobs[0].context, "kunit-test-presubmit");
  EXPECT_EQ(jobs[0].repo, "http://localhost:8080/linux");
  EXPECT_EQ(jobs[0].branches, (std::vector<std::string>{"kunit/alpha/master", "torvalds/master"}));
  EXPECT_TRUE(jobs[0].always_run && jobs[0].decorate);
  EXPECT_EQ(jobs[0].rerun_command, "/test kunit-test-presubmit");
  EXPECT_EQ(json_get(json_get(jobs[0].spec, "containers")[0], "command").dump(), R"(["/kunit.sh"])");

  const auto manual = jobs_for(config, mappings, "http://localhost:8080", "kernel/torvalds");
  ASSERT_EQ(manual.size(), 1U);
  EXPECT_TRUE(manual[0].needs_command());
  EXPECT_EQ(manual[0].trigger, "run kunit tests");
  EXPECT_EQ(jobs_for(config, {}, "https://linux-review.googlesource.com", "linux").size(), 1U);
  EXPECT_TRUE(jobs_for(config, {}, "http://localhost:8080", "linux").empty());
}

TEST(ProwConfig, NamesEveryProblemOfAJobWithItsPlace) {
  const auto found = lines(load_config_text("j.yaml", R"(presubmits:
  https://h/linux:
  - name: bad name
    always_rum: true
    max_concurrency: -1
    branches: ["("]
    decoration_config: {timeout: 2 hours}
    agent: jenkins
    labels: {prow.k8s.io/id: x, ok: "not a value!"}
    extra_refs: []
    run_before_merge: true
    spec:
      volumes: [{name: logs}, {name: v}, {name: v}]
      containers:
      - env: [{name: CI}, {name: A}, {name: A}]
        volumeMounts: [{name: nowhere, mountPath: /tools}]
  - {}
periodics: []
tidee: {}
)"));
  EXPECT_THAT(
      found,
      testing::ElementsAre(
          "j.yaml:3:11: presubmits[https://h/linux][0].name: expected a name of the characters A-Z a-z 0-9 - . _, got "
          "\"bad name\"",
          "j.yaml:4:17: presubmits[https://h/linux][0].always_rum: unknown field; did you mean \"always_run\"?",
          "j.yaml:5:22: presubmits[https://h/linux][0].max_concurrency: expected 0 or more, got \"-1\"",
          "j.yaml:6:16: presubmits[https://h/linux][0].branches[0]: expected a regular expression (missing ): (), got "
          "\"(\"",
          "j.yaml:7:34: presubmits[https://h/linux][0].decoration_config.timeout: expected a duration such as 90s or "
          "1h30m, got "
          "\"2 hours\"",
          "j.yaml:8:12: presubmits[https://h/linux][0].agent: expected \"kubernetes\", the only agent that is "
          "supported, got "
          "\"jenkins\"",
          "j.yaml:9:30: presubmits[https://h/linux][0].labels[prow.k8s.io/id]: this label is Prow's own",
          "j.yaml:9:37: presubmits[https://h/linux][0].labels.ok: expected a Kubernetes label value: at most 63 of A-Z "
          "a-z 0-9 - . "
          "_, a letter or digit at both ends, got \"not a value!\"",
          "j.yaml:13:17: presubmits[https://h/linux][0].spec.volumes[0]: volume \"logs\" is decoration's own",
          "j.yaml:13:42: presubmits[https://h/linux][0].spec.volumes[2]: volume \"v\" is defined twice",
          "j.yaml:15:9: presubmits[https://h/linux][0].spec.containers[0]: volume \"nowhere\" is mounted, and is not "
          "among "
          "the spec's volumes",
          "j.yaml:15:15: presubmits[https://h/linux][0].spec.containers[0].env[0]: CI is set by Prow itself",
          "j.yaml:15:38: presubmits[https://h/linux][0].spec.containers[0].env[2]: variable \"A\" is defined twice",
          "j.yaml:16:24: presubmits[https://h/linux][0].spec.containers[0].volumeMounts[0]: /tools is mounted by "
          "decoration",
          "j.yaml:17:5: presubmits[https://h/linux][1]: expected the field \"name\"",
          "j.yaml:17:5: presubmits[https://h/linux][1]: expected the field \"spec\"",
          "j.yaml:19:8: tidee: unknown field; did you mean \"tide\"?"));
}

TEST(ProwConfig, ChecksFieldsThatBelongTogether) {
  const auto one = [](std::string_view fields) {
    const auto found = problems_of_job(fields);
    return found.size() == 1 ? found[0].substr(found[0].find("[0]") + 3) : fmt::format("{} problems", found.size());
  };
  EXPECT_EQ(one("always_run: true\nrun_if_changed: x"),
            ".run_if_changed: always_run and run_if_changed exclude each other");
  EXPECT_EQ(one("always_run: true\nskip_if_only_changed: x"),
            ".skip_if_only_changed: always_run and skip_if_only_changed exclude each other");
  EXPECT_EQ(one("run_if_changed: x\nskip_if_only_changed: x"),
            ".skip_if_only_changed: run_if_changed and skip_if_only_changed exclude each other");
  EXPECT_EQ(one("trigger: run"), ": expected trigger and rerun_command together, got only trigger");
  EXPECT_EQ(one("trigger: /test all\nrerun_command: run"),
            ".rerun_command: expected a command that trigger \"/test all\" matches, got \"run\"");
  EXPECT_EQ(one("skip_report: true\nlabels: {prow.k8s.io/gerrit-report-label: Verified}"),
            ".labels: skip_report and a gerrit-report-label exclude each other");
  EXPECT_EQ(one("path_alias: ../../etc"), ".path_alias: expected a relative path without \"..\", got \"../../etc\"");
  EXPECT_EQ(lines(load_jobs("  - {name: a, decorate: true, spec: {containers: [{image: i}]}}\n")),
            std::vector<std::string>{
                "j.yaml:3:51: presubmits[https://h/linux][0].spec.containers[0]: expected a command or args, which "
                "decoration needs"});
  EXPECT_EQ(lines(load_jobs("  - {name: .., spec: {containers: [{}]}}\n")).size(), 1U);
  EXPECT_EQ(
      lines(load_jobs(fmt::format("  - name: {}\n{}", std::string(64, 'x'), kSpec))),
      std::vector<std::string>{
          "j.yaml:3:11: warning: presubmits[https://h/linux][0].name: 64 characters; Kubernetes labels hold 63 of "
          "them [long-job-names]"});
}

TEST(ProwConfig, AllowsAJobNameOnceOnABranch) {
  const auto pair = [](std::string_view first, std::string_view second) {
    return lines(load_jobs(fmt::format("  - name: a\n    {}\n{}  - name: a\n    {}\n{}", first, kSpec, second, kSpec)))
        .size();
  };
  EXPECT_EQ(pair("branches: [main]", "branches: [next]"), 0U);
  EXPECT_EQ(pair("branches: [main]", "branches: [next, main]"), 1U);
  EXPECT_EQ(pair("branches: [main]", "skip_branches: [main]"), 0U);
  EXPECT_EQ(pair("branches: [main]", "skip_branches: [next]"), 1U);
  EXPECT_EQ(pair("optional: true", "branches: [main]"), 1U);
  EXPECT_EQ(lines(load_jobs(fmt::format("  - name: a\n{}  - name: b\n    context: a\n{}", kSpec, kSpec))),
            std::vector<std::string>{
                "j.yaml:5:5: presubmits[https://h/linux][1]: job \"a\" at j.yaml:3 reports to the same context \"a\""});
}

TEST(ProwConfig, ReadsFoldersInOrderAndWithoutHiddenEntries) {
  const auto folder = TempDir::create("prow-config");
  ASSERT_TRUE(folder);
  const auto file = [&](const std::string& name, const std::string& job) {
    ASSERT_TRUE(make_dirs((folder->path() / name).parent_path()));
    ASSERT_TRUE(
        write_file(folder->path() / name, fmt::format("presubmits:\n  h/linux:\n  - name: {}\n{}", job, kSpec)));
  };
  file("b.yaml", "second");
  file("a/x.yml", "first");
  file("..data/b.yaml", "second");
  file(".c.yaml", "hidden");
  ASSERT_TRUE(write_file(folder->path() / "README.md", "not: [yaml"));
  const Config config = load_config({folder->path()});
  EXPECT_THAT(lines(config), testing::IsEmpty());
  std::vector<std::string> names;
  for (const auto& job : jobs_for(config, {}, "https://h/", "linux")) names.push_back(job.name);
  EXPECT_EQ(names, (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(lines(load_config({folder->path() / "none"})).size(), 1U);
}

TEST(ProwConfig, SurvivesDamagedFiles) {
  const std::string good =
      fmt::format("presubmits:\n  h/linux:\n  - name: a\n    branches: [x]\n    labels: {{a: b}}\n{}", kSpec);
  std::mt19937 random(11);  // NOLINT: the same damage in each run
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = "{}[]:,- \n'\"&*x0\xff"[random() % 17];
    const Config config = load_config_text("j.yaml", text);
    for (const auto& job : jobs_for(config, {}, "h", "linux")) (void)dump_json(job.spec);
  }
}

constexpr std::string_view kPlank = R"(plank:
  job_queue_capacities: {kernel: 3}
  default_decoration_configs:
    '*':
      timeout: 2h
      utility_images: {clonerefs: c, initupload: i, entrypoint: e, sidecar: s}
      gcs_configuration: {bucket: b, path_strategy: explicit, mediaTypes: {log: text/plain}}
    h: {timeout: 1h, gcs_credentials_secret: org}
    h/linux: {grace_period: 5s}
presets:
- labels: {preset-mem: "true"}
  env: [{name: FROM_PRESET, value: x}]
  volumes: [{name: mem, emptyDir: {}}]
  volumeMounts: [{name: mem, mountPath: /dev/shm}]
- labels: {other: "true"}
  env: [{name: OTHER}]
)";

TEST(ProwConfig, CompletesJobsWithPresetsAndDefaults) {
  const auto config = load_config_text("c.yaml", std::string(kPlank) + R"(
decorate_all_jobs: true
presubmits:
  https://h/linux:
  - name: a
    labels: {preset-mem: "true"}
    decoration_config: {gcs_configuration: {bucket: own, mediaTypes: {log: mine, xml: x}}}
    spec: {containers: [{command: [run], env: [{name: A}]}]}
  - name: b
    decorate: false
    spec: {containers: [{}]}
postsubmits:
  h/linux:
  - {name: p, spec: {containers: [{command: [run]}]}}
periodics:
- {name: nn, cron: '@daily', job_queue_name: kernel, extra_refs: [{org: https://h, repo: linux, base_ref: main}], spec: {containers: [{command: [run]}]}}
)");
  EXPECT_EQ(lines(config), std::vector<std::string>{
                               "c.yaml:25:5: warning: presubmits[https://h/linux][1]: not decorated: no clone, no "
                               "artifacts [non-decorated-jobs]"});
  EXPECT_EQ(config.job_count(), 4U);
  const auto jobs = jobs_for(config, {}, "https://h", "linux");
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(dump_json(jobs[0].spec),
            R"({"containers":[{"command":["run"],"env":[{"name":"A"},{"name":"FROM_PRESET","value":"x"}],)"
            R"("volumeMounts":[{"name":"mem","mountPath":"/dev/shm"}]}],"volumes":[{"name":"mem","emptyDir":{}}]})");
  EXPECT_TRUE(jobs[0].decorate);
  const DecorationConfig& decoration = jobs[0].decoration_config;
  EXPECT_EQ(decoration.timeout, milliseconds(3600'000));
  EXPECT_EQ(decoration.grace_period, milliseconds(5000));
  EXPECT_EQ(decoration.gcs_credentials_secret, "org");
  EXPECT_EQ(decoration.gcs_configuration->bucket, "own");
  EXPECT_EQ(decoration.gcs_configuration->path_strategy, "explicit");
  EXPECT_EQ(decoration.gcs_configuration->media_types,
            (std::map<std::string, std::string>{{"log", "text/plain"}, {"xml", "x"}}));
  EXPECT_FALSE(jobs[1].decorate);
  EXPECT_FALSE(jobs[1].decoration_config.timeout);
  ASSERT_EQ(postsubmits_for(config, {}, "https://h", "linux").size(), 1U);
  ASSERT_EQ(periodics(config).size(), 1U);
  EXPECT_EQ(periodics(config)[0].decoration_config.grace_period, milliseconds(5000));
}

TEST(ProwConfig, ChecksJobsAgainstSettings) {
  EXPECT_EQ(
      lines(load_config_text("c.yaml", std::string(kPlank) + R"(
presubmits:
  h/x:
  - name: a
    labels: {preset-mem: "true"}
    job_queue_name: none
    decorate: true
    spec: {volumes: [{name: mem}], containers: [{env: [{name: FROM_PRESET}]}]}
postsubmits:
  h/x:
  - {name: p, decorate: true, always_run: true, run_if_changed: x, spec: {containers: [{command: [a]}]}}
periodics:
- {name: nn, decorate: true, cron: x, interval: 1h, spec: {containers: [{command: [a]}]}}
- {name: nn, decorate: true, interval: 1h, retry: {attempts: -1}, spec: {containers: [{command: [a]}]}}
plank: {}
)")),
      (std::vector<std::string>{
          "c.yaml:20:5: presubmits[h/x][0]: job queue \"none\" is not among plank.job_queue_capacities",
          "c.yaml:24:11: presubmits[h/x][0].spec: volume \"mem\" is also in a preset that fits this job's labels",
          "c.yaml:24:11: presubmits[h/x][0].spec: variable \"FROM_PRESET\" is also in a preset that fits this job's "
          "labels",
          "c.yaml:24:49: presubmits[h/x][0].spec.containers[0]: expected a command or args, which decoration needs",
          "c.yaml:27:65: postsubmits[h/x][0].run_if_changed: always_run and run_if_changed exclude each other",
          "c.yaml:29:3: periodics[0]: expected one of cron, interval and minimum_interval, got 2",
          "c.yaml:29:36: periodics[0].cron: expected a cron line ('x' has not five or six fields), got \"x\"",
          "c.yaml:30:3: periodics[1]: periodic \"nn\" is also defined at c.yaml:29",
          "c.yaml:30:62: periodics[1].retry.attempts: expected 0 or more, got \"-1\"",
          "c.yaml:31:1: duplicate key \"plank\", first at line 1"}));
  const auto incomplete = lines(load_config_text("c.yaml", R"(plank: {default_decoration_configs: {'*': {timeout: 1h}}}
presubmits: {h/x: [{name: a, decorate: true, spec: {containers: [{command: [a]}]}}]}
)"));
  ASSERT_EQ(incomplete.size(), 5U);
  EXPECT_EQ(incomplete[0],
            "c.yaml:2:20: presubmits[h/x][0]: decoration_config, with its defaults: expected the field "
            "\"utility_images.clonerefs\"");
}

TEST(ProwConfig, NamesMisspeltFieldsOfKubernetesAndUnusedOnesOnce) {
  EXPECT_EQ(lines(load_config_text("c.yaml", R"(presubmits:
  h/x:
  - {name: a, rerun_auth_config: {allow_anyone: true}, spec: {container: [], containers: [{comand: [a], volumeMounts: [{nam: x}]}]}}
  - {name: b, rerun_auth_config: {allow_anyone: true}, spec: {containers: [{image: i}]}}
tide: {}
github_reporter: text
)")),
            (std::vector<std::string>{
                "c.yaml:3:34: warning: presubmits[h/x][0].rerun_auth_config: accepted, not used: it names GitHub users "
                "(and 1 more) "
                "[unused-field]",
                "c.yaml:3:74: presubmits[h/x][0].spec.container: unknown field; did you mean \"containers\"?",
                "c.yaml:3:100: presubmits[h/x][0].spec.containers[0].comand: unknown field; did you mean \"command\"?",
                "c.yaml:3:126: presubmits[h/x][0].spec.containers[0].volumeMounts[0].nam: unknown field; did you mean "
                "\"name\"?",
                "c.yaml:5:7: warning: tide: accepted, not used: Tide merges; bowsprit only judges [unused-field]",
                "c.yaml:6:18: github_reporter: expected a map, got \"text\"",
                "c.yaml:6:18: warning: github_reporter: accepted, not used: it is for GitHub [unused-field]"}));
}

TEST(ProwConfig, TakesASectionFromOneFileOnly) {
  const auto folder = TempDir::create("prow-sections");
  ASSERT_TRUE(folder);
  ASSERT_TRUE(write_file(folder->path() / "a.yaml", "plank: {}\n"));
  ASSERT_TRUE(write_file(folder->path() / "b.yaml", "plank: {}\n"));
  const auto found = lines(load_config({folder->path()}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], testing::HasSubstr("b.yaml:1:8: plank: this section is also at "));
}

TEST(RepoKey, LeavesOutWhatDoesNotTellRepositoriesApart) {
  EXPECT_EQ(repo_key("https://h/linux/"), "h/linux");
  EXPECT_EQ(repo_key("http://h:8080/a/kernel/linux"), "h:8080/kernel/linux");
  EXPECT_EQ(repo_key("org/repo"), "org/repo");
  EXPECT_EQ(repo_key("https://h/x/a/y"), "h/x/a/y");
}

}  // namespace
}  // namespace bowsprit::prow
