// SPDX-License-Identifier: Apache-2.0
// The pure parts: what a Pod spec means here, what runc is told, what a tar stream may bring out.
#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "exec/local/artifact_stream.h"
#include "exec/local/job_plan.h"
#include "exec/local/oci_config.h"

namespace bowsprit::exec {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Json parsed(std::string_view text) {
  auto json = parse_json(text);
  EXPECT_TRUE(json) << json.error().text();
  return json.value_or(Json());
}

RunRequest request(std::string_view spec) {
  RunRequest out{.id = "7"};
  out.job.name = "kunit";
  out.job.decorate = true;
  out.job.spec = parsed(spec);
  out.refs = {.org = "https://gerrit.example.org",
              .repo = "linux",
              .repo_link = "https://gerrit.example.org/linux",
              .base_ref = "master"};
  return out;
}
const MergedSource kSource{.base_sha = std::string(40, 'a'), .merged_sha = std::string(40, 'b')};

TEST(JobPlan, RunsTheRealKunitJobUnchanged) {
  const auto plan =
      plan_job(request(R"({"volumes":[{"name":"shared-mem","emptyDir":{}}],"containers":[{"image":"gcr.io/x/kunit",
      "securityContext":{"privileged":true},"command":["/kunit.sh"],"volumeMounts":[{"name":"shared-mem","mountPath":"/dev/shm"}]}]})"),
               kSource, {});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_THAT(plan->argv, ElementsAre("/kunit.sh"));
  EXPECT_EQ(plan->source_path, "/home/prow/go/src/gerrit.example.org/linux");
  EXPECT_EQ(plan->cwd, plan->source_path);
  EXPECT_EQ(plan->env.at("ARTIFACTS"), "/logs/artifacts");
  EXPECT_EQ(plan->env.at("PULL_BASE_SHA"), kSource.base_sha) << "what was tested, not what was asked";
  EXPECT_EQ(plan->timeout, std::chrono::hours(2));
  EXPECT_EQ(plan->grace, seconds(15));
  EXPECT_THAT(plan->empty_folders, IsEmpty());
}

TEST(JobPlan, APeriodicHasItsSourceInExtraRefsAndNoVariablesOfAPull) {
  auto periodic = request(R"({"containers":[{"command":["run"]}]})");
  periodic.type = prow::JobType::periodic;
  periodic.job.extra_refs = {{.org = "https://prow.example", .repo = "linux", .base_ref = "master"}};
  const auto plan = plan_job(periodic, kSource, {});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->source_path, "/home/prow/go/src/gerrit.example.org/linux");
  EXPECT_EQ(plan->env.at("JOB_TYPE"), "periodic");
  for (const char* none : {"PULL_BASE_SHA", "PULL_REFS", "PULL_NUMBER", "REPO_NAME"})
    EXPECT_FALSE(plan->env.contains(none)) << none;
  const Json spec = parsed(plan->env.at("JOB_SPEC"));
  EXPECT_FALSE(spec.contains("refs"));
  EXPECT_EQ(json_string(json_get(spec, "extra_refs").at(0), "org"), "https://prow.example");
  periodic.job.extra_refs.push_back({.org = "https://prow.example", .repo = "tools", .base_ref = "master"});
  EXPECT_FALSE(plan_job(periodic, kSource, {}));
}

TEST(JobPlan, APostsubmitKnowsTheMergedChangeByItsRefsOnly) {
  auto merged = request(R"({"containers":[{"command":["run"]}]})");
  merged.type = prow::JobType::postsubmit;
  merged.refs.pulls.push_back({.number = 7, .sha = std::string(40, 'c'), .ref = "refs/changes/07/7/1"});
  const auto plan = plan_job(merged, kSource, {});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->env.at("JOB_TYPE"), "postsubmit");
  EXPECT_THAT(plan->env.at("PULL_REFS"), testing::EndsWith(",7:" + std::string(40, 'c') + ":refs/changes/07/7/1"));
  EXPECT_FALSE(plan->env.contains("PULL_NUMBER"));
}

TEST(JobPlan, TakesCommandEnvironmentAndLimits) {
  const auto plan = plan_job(
      request(R"x({"containers":[{"command":["sh","-c"],"args":["echo $(WHO) $$(WHO) $(UNKNOWN)"],"workingDir":"/tmp/x",
      "env":[{"name":"A","value":"1"},{"name":"WHO","value":"me$(A)"}],"resources":{"limits":{"memory":"512Mi"}},
      "volumeMounts":[{"name":"v","mountPath":"/scratch-space"}]}],"volumes":[{"name":"v","emptyDir":{}}]})x"),
      kSource, {{"A", "0"}, {"B", "2"}});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_THAT(plan->argv, ElementsAre("sh", "-c", "echo me1 $(WHO) $(UNKNOWN)"));
  EXPECT_EQ(plan->cwd, "/tmp/x");
  EXPECT_EQ(plan->env.at("A"), "1");
  EXPECT_EQ(plan->env.at("B"), "2");
  EXPECT_EQ(plan->memory, 512ULL << 20U);
  EXPECT_THAT(plan->empty_folders, ElementsAre("/scratch-space"));
}

TEST(JobPlan, TakesThePolicyFromItsAnnotation) {
  auto wanted = request(R"({"containers":[{"command":["a"]}]})");
  EXPECT_FALSE(plan_job(wanted, kSource, {})->env.contains("BOWSPRIT_POLICY"));
  wanted.job.annotations["bowsprit/policy"] = "strict";
  EXPECT_EQ(plan_job(wanted, kSource, {})->env.at("BOWSPRIT_POLICY"), "strict");
  wanted.job.annotations["bowsprit/policy"] = "kind";
  const auto plan = plan_job(wanted, kSource, {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().blame, Blame::configuration);
  EXPECT_THAT(plan.error().text(), HasSubstr("expected fair or strict, not 'kind'"));
}

TEST(JobPlan, NamesWhatItCanNotGive) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"containers":[{"image":"x"}]})", "no command"},
      {R"({"containers":[]})", "one container"},
      {R"({"containers":[{"command":["a"]},{"command":["b"]}]})", "one container"},
      {R"({"containers":[{"command":["a"],"volumeMounts":[{"name":"v","mountPath":"/x"}]}]})", "no volume 'v'"},
      {R"({"volumes":[{"name":"v","hostPath":{"path":"/"}}],"containers":[{"command":["a"],"volumeMounts":[{"name":"v","mountPath":"/x"}]}]})",
       "'v'"},
      {R"({"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"command":["a"],"volumeMounts":[{"name":"v","mountPath":"/x/../etc"}]}]})",
       "/x/../etc"},
      {R"({"containers":[{"command":["a"],"env":[{"name":"S","valueFrom":{"secretKeyRef":{}}}]}]})", "env S"},
      {R"({"containers":[{"command":["a"],"workingDir":"relative"}]})", "relative"},
      {R"({"containers":[{"command":["a"],"resources":{"limits":{"memory":"lots"}}}]})", "lots"},
  };
  for (const auto& [spec, text] : cases) {
    const auto plan = plan_job(request(spec), kSource, {});
    ASSERT_FALSE(plan) << spec;
    EXPECT_EQ(plan.error().blame, Blame::configuration) << spec;
    EXPECT_THAT(plan.error().text(), HasSubstr(text));
  }
  auto outside = request(R"({"containers":[{"command":["a"]}]})");
  outside.refs.path_alias = "../../../etc";
  EXPECT_FALSE(plan_job(outside, kSource, {}));
}

TEST(Quantity, ReadsKubernetesUnits) {
  EXPECT_EQ(parse_quantity("128974848"), 128974848U);
  EXPECT_EQ(parse_quantity("129M"), 129000000U);
  EXPECT_EQ(parse_quantity("2Gi"), 2ULL << 30U);
  for (const char* text : {"", "Mi", "-1", "1.5Gi", "1Xi", "99999999999999999999"})
    EXPECT_FALSE(parse_quantity(text)) << text;
}

TEST(OciConfig, IsWhatItWas) {
  SandboxSpec spec{.root = "/run/job/root",
                   .host_uid = 1234,
                   .host_gid = 1235,
                   .binds = {{"/usr", "/usr"}},
                   .folders = {{.inside = "/src", .layers = {"/layers/7", "/warm/a:b"}},
                               {.inside = "/build", .writable = "/warm/build"},
                               {.inside = "/tmp"}},
                   .env = {{"A", "1"}},
                   .cwd = "/src",
                   .argv = {"/bowsprit/bowsprit", "sandbox-init"}};
  auto config = oci_config(spec);
  config["linux"]["seccomp"] = "see below";
  const auto golden = fs::path(BOWSPRIT_SOURCE_DIR) / "src/exec/local/testdata/config.json";
  const auto text = dump_json(config, 2) + "\n";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(write_file(golden, text));
    GTEST_SKIP() << "golden file written; look at what changed";
  }
  EXPECT_EQ(text, read_file(golden).value_or("(no file)")) << "if this is meant, run with UPDATE_GOLDEN=1";
  EXPECT_THAT(scratch_folders(spec), ElementsAre("0/up", "0/work", "2/up", "2/work"));
}

TEST(SeccompProfile, AllowsNoDangerousCall) {
  const auto profile = seccomp_profile();
  EXPECT_EQ(json_string(profile, "defaultAction"), "SCMP_ACT_ERRNO");
  std::vector<std::string> names;
  for (const auto& rule : profile["syscalls"]) {
    EXPECT_EQ(json_string(rule, "action"), "SCMP_ACT_ALLOW");
    if (rule.contains("args")) continue;
    for (const auto& name : rule["names"]) names.push_back(name);
  }
  for (const char* name :
       {"mount",       "umount2",         "pivot_root",     "unshare",  "setns",        "clone3",
        "bpf",         "perf_event_open", "io_uring_setup", "keyctl",   "add_key",      "userfaultfd",
        "init_module", "finit_module",    "kexec_load",     "reboot",   "swapon",       "open_by_handle_at",
        "iopl",        "syslog",          "chroot",         "clone",    "personality",  "socket",
        "fsopen",      "move_mount",      "acct",           "quotactl", "settimeofday", "fanotify_init"})
    EXPECT_THAT(names, Not(Contains(std::string(name)))) << name;
  auto sorted = names;
  std::ranges::sort(sorted);
  EXPECT_EQ(std::ranges::adjacent_find(sorted), sorted.end()) << "a name is there twice";
}

/// A tar stream as a hostile job would write it.
class Tar {
 public:
  Tar() : writer_(::archive_write_new()) {
    ::archive_write_set_format_pax(writer_);
    ::archive_write_set_bytes_per_block(writer_, 0);
    ::archive_write_open(
        writer_, this, nullptr,
        [](archive*, void* self, const void* bytes, std::size_t size) -> la_ssize_t {
          static_cast<Tar*>(self)->bytes_.append(static_cast<const char*>(bytes), size);
          return static_cast<la_ssize_t>(size);
        },
        nullptr);
  }
  ~Tar() { ::archive_write_free(writer_); }
  Tar(const Tar&) = delete;
  Tar& operator=(const Tar&) = delete;
  void file(const std::string& name, std::string_view text) { entry(name, AE_IFREG, text, ""); }
  void link(const std::string& name, const std::string& target) { entry(name, AE_IFLNK, "", target); }
  void hard_link(const std::string& name, const std::string& target) { entry(name, AE_IFREG, "", "", target); }
  void device(const std::string& name) { entry(name, AE_IFCHR, "", ""); }
  std::string finish() {
    ::archive_write_close(writer_);
    return bytes_;
  }

 private:
  void entry(const std::string& name, unsigned type, std::string_view text, const std::string& target,
             const std::string& hard = "") {
    archive_entry* entry = ::archive_entry_new();
    ::archive_entry_set_pathname(entry, name.c_str());
    ::archive_entry_set_filetype(entry, type);
    ::archive_entry_set_perm(entry, 04777);
    if (!target.empty()) ::archive_entry_set_symlink(entry, target.c_str());
    if (!hard.empty()) ::archive_entry_set_hardlink(entry, hard.c_str());
    ::archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
    ::archive_write_header(writer_, entry);
    if (!text.empty()) ::archive_write_data(writer_, text.data(), text.size());
    ::archive_entry_free(entry);
  }
  archive* writer_;
  std::string bytes_;
};

class ReceiveArtifacts : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create("artifacts-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    ASSERT_TRUE(make_dirs(folder()));
    ASSERT_TRUE(write_file(dir_->path() / "victim", "alive"));
  }
  [[nodiscard]] fs::path folder() const { return dir_->path() / "artifacts"; }
  Result<ArtifactCounts> receive(std::string bytes, ArtifactLimits limits = {}) {
    return receive_artifacts(
        [&](char* to, std::size_t size) -> Result<std::size_t> {
          const auto count = bytes.copy(to, size);
          bytes.erase(0, count);
          return count;
        },
        folder(), limits);
  }
  std::optional<TempDir> dir_;
};

TEST_F(ReceiveArtifacts, TakesPlainFilesOnly) {
  Tar tar;
  tar.file("a/b/c", "text");
  tar.link("link", "../victim");
  tar.file("link", "through the link");
  tar.link("dir", "..");
  tar.file("dir/victim", "dead");
  tar.hard_link("hard", "../victim");
  tar.device("null");
  for (const char* name : {"../victim", "/etc/evil", "x/../../victim", "a\nb", "a\\b", "./x", "a//b"})
    tar.file(name, "dead");
  tar.file("a/b/c", "again");
  const auto counts = receive(tar.finish());
  ASSERT_TRUE(counts) << counts.error().text();
  EXPECT_EQ(*read_file(dir_->path() / "victim"), "alive");
  EXPECT_EQ(*read_file(folder() / "a/b/c"), "text") << "the first of one name counts";
  EXPECT_EQ(*read_file(folder() / "link"), "through the link") << "as a file of its own: the link was never made";
  EXPECT_EQ(*read_file(folder() / "dir/victim"), "dead") << "likewise";
  EXPECT_EQ(fs::status(folder() / "a/b/c").permissions() & (fs::perms::set_uid | fs::perms::owner_exec),
            fs::perms::none);
  EXPECT_EQ(counts->files, 3U);
  EXPECT_GE(counts->left_out.size(), 8U);
}

TEST_F(ReceiveArtifacts, StopsAtItsLimits) {
  Tar big;
  big.file("big", std::string(5000, 'x'));
  const auto counts = receive(big.finish(), {.bytes = 1000, .files = 10});
  ASSERT_TRUE(counts);
  EXPECT_LE(fs::file_size(folder() / "big"), 1000U);
  EXPECT_THAT(counts->left_out, Contains(HasSubstr("1000 bytes")));
  Tar many;
  for (int i = 0; i < 30; ++i) many.file(std::to_string(i), "x");
  EXPECT_EQ(receive(many.finish(), {.files = 10})->files, 10U);
}

TEST_F(ReceiveArtifacts, KeepsWhatCameBeforeTheStreamBroke) {
  Tar tar;
  tar.file("whole", "text");
  tar.file("half", std::string(100000, 'x'));
  const auto bytes = tar.finish();
  EXPECT_FALSE(receive(bytes.substr(0, 50000)));
  EXPECT_EQ(*read_file(folder() / "whole"), "text");
  EXPECT_FALSE(receive("this is no tar stream, but it is long enough to be looked at" + std::string(1000, '!')));
}

}  // namespace
}  // namespace bowsprit::exec
