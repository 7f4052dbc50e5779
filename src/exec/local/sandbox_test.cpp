// SPDX-License-Identifier: Apache-2.0
// Every guarantee of sandbox.h, on real runc. Run as root the server's part is root's; `SandboxAsUser` repeats this
// binary as an ordinary user.
#include "exec/local/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strings.h"
#include "exec/local/image_fixture.h"
#include "os/process.h"

namespace bowsprit::exec {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using How = SandboxEnd::How;

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create("sandbox-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    ASSERT_EQ(::chmod(path().c_str(), 0711), 0);
    auto sandbox = Sandbox::create({.work = path() / "sandbox", .bowsprit = BOWSPRIT_BINARY});
    ASSERT_TRUE(sandbox) << sandbox.error().text();
    sandbox_.emplace(std::move(*sandbox));
    ASSERT_TRUE(make_dirs(path() / "artifacts"));
  }

  [[nodiscard]] const fs::path& path() const { return dir_->path(); }

  SandboxJob shell(const std::string& script) {
    return {.id = "job-1",
            .argv = {"/bin/sh", "-c", script},
            .timeout = seconds(30),
            .grace = milliseconds(300),
            .artifacts = path() / "artifacts"};
  }
  SandboxEnd run(const SandboxJob& job) {
    output_.clear();
    const auto end = sandbox_->run(job, [this](std::string_view bytes) { output_ += bytes; }, stop_);
    EXPECT_TRUE(end) << end.error().text();
    EXPECT_FALSE(fs::exists(path() / "sandbox/runs/job-1"));
    EXPECT_FALSE(fs::exists(path() / "sandbox/state/job-1"));
    return end ? *end : SandboxEnd{.exit_code = -1};
  }
  SandboxEnd run(const std::string& script) { return run(shell(script)); }
  std::string artifact(const std::string& name) { return read_file(path() / "artifacts" / name).value_or("(none)"); }

  std::optional<TempDir> dir_;
  std::optional<Sandbox> sandbox_;
  StopSwitch stop_;
  std::string output_;
};

TEST_F(SandboxTest, AnUnpackedImageIsTheWholeRootOfItsJob) {
  auto job = shell(
      "read mark </etc/image-mark && echo $mark; for name in /usr/bin/env /etc/passwd; do [ -e $name ] && echo $name; "
      "done; "
      "(echo x >/etc/image-mark) 2>/dev/null || echo read-only");
  job.image_root = make_image(path() / "image");
  EXPECT_EQ(run(job).exit_code, 0);
  EXPECT_EQ(output_, "here\nread-only\n");
  EXPECT_EQ(read_file(path() / "image/etc/image-mark").value_or(""), "here\n");
}

TEST_F(SandboxTest, GivesOutputExitCodeAndArtifacts) {
  const auto end =
      run("echo out; echo err >&2; mkdir -p /logs/artifacts/a/b; echo deep > /logs/artifacts/a/b/c; exit 7");
  EXPECT_EQ(end.how, How::exited);
  EXPECT_EQ(end.exit_code, 7);
  EXPECT_EQ(end.reason, "");
  EXPECT_THAT(output_, HasSubstr("out\n"));
  EXPECT_THAT(output_, HasSubstr("err\n"));
  EXPECT_EQ(artifact("a/b/c"), "deep\n");
}

TEST_F(SandboxTest, TellsSignalsAndMissingPrograms) {
  EXPECT_EQ(run("kill -SEGV $$").exit_code, 128 + SIGSEGV);
  auto job = shell("");
  job.argv = {"/no/such/program"};
  EXPECT_EQ(run(job).exit_code, 127);
  EXPECT_THAT(output_, HasSubstr("/no/such/program"));
}

TEST_F(SandboxTest, HasNoPrivilege) {
  EXPECT_EQ(run("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status").exit_code, 0);
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_THAT(output_, HasSubstr(std::string(set) + ":\t0000000000000000"));
  EXPECT_THAT(output_, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(output_, HasSubstr("Seccomp:\t2"));
}

TEST_F(SandboxTest, CanNotMountOrMakeNamespaces) {
  EXPECT_NE(run("unshare -r true").exit_code, 0);
  EXPECT_NE(run("mount -t tmpfs x /tmp").exit_code, 0);
  EXPECT_NE(run("umount /scratch").exit_code, 0);
  EXPECT_NE(run("mknod /tmp/disk b 254 0").exit_code, 0);
  EXPECT_NE(run("dmesg").exit_code, 0);
}

TEST_F(SandboxTest, SeesNothingOfTheHostButItsPrograms) {
  ASSERT_TRUE(write_file(path() / "server.db", "the server's data"));
  EXPECT_NE(run("cat '" + (path() / "server.db").string() + "'").exit_code, 0);
  EXPECT_NE(run("cat /etc/shadow || ls /root/.ssh || ls /home/* || ls /var/lib || ls /mnt").exit_code, 0);
  EXPECT_THAT(output_, Not(HasSubstr("the server's data")));
  EXPECT_EQ(run("ls -A /home /root /var 2>/dev/null; ls -A /run /scratch").exit_code, 0);
  EXPECT_EQ(output_.find("lib"), std::string::npos) << output_;
}

TEST_F(SandboxTest, CanNotWriteTheHost) {
  EXPECT_NE(run("echo x > /usr/bin/evil").exit_code, 0);
  EXPECT_NE(run("echo x > /bowsprit/bowsprit").exit_code, 0);
  EXPECT_NE(run("echo x > /etc/passwd").exit_code, 0);
  EXPECT_NE(run("echo x > /evil").exit_code, 0);
  EXPECT_NE(run("echo 1 > /proc/sys/kernel/printk").exit_code, 0);
  EXPECT_NE(run("echo c > /proc/sysrq-trigger").exit_code, 0);
}

TEST_F(SandboxTest, SeesNoOtherProcess) {
  EXPECT_EQ(run("ls -d /proc/[0-9]* | wc -l").exit_code, 0);
  EXPECT_LE(parse_int(trim(output_)).value_or(99), 5) << output_;
  EXPECT_NE(run(fmt::format("kill -0 {}", ::getpid() > 10 ? ::getpid() : 99999)).exit_code, 0);
}

TEST_F(SandboxTest, HasNoNetwork) {
  const auto connects_to = [&](const std::string& address) {
    return run("perl -MSocket -e 'socket(S,PF_INET,SOCK_STREAM,0) or exit 2; connect(S,sockaddr_in(53,inet_aton(\"" +
               address + "\"))) or exit 9'")
        .exit_code;
  };
  EXPECT_EQ(connects_to("8.8.8.8"), 9);
  EXPECT_EQ(connects_to("127.0.0.1"), 9);
  for (const char* family :
       {"16" /* netlink */, "17" /* packet */, "38" /* crypto */, "40" /* vsock, in no network namespace */})
    EXPECT_EQ(run(fmt::format("perl -e 'socket(S,{},2,0) or exit 9'", family)).exit_code, 9) << family;
  EXPECT_EQ(run("grep -c : /proc/net/dev").exit_code, 0);
  EXPECT_EQ(output_, "1\n") << "lo, which is down, and no other";
}

TEST_F(SandboxTest, HasExecutableSharedMemoryAndTmp) {
  EXPECT_EQ(run("for d in /dev/shm /tmp; do cp /bin/true $d/t && $d/t || exit 1; done").exit_code, 0) << output_;
}

TEST_F(SandboxTest, CanNotStopProcessOne) {
  const auto end = run("kill -KILL 1; kill -STOP 1; cat /proc/1/environ; kill -TERM 1; echo alive; exit 3");
  EXPECT_EQ(end.how, How::exited);
  EXPECT_EQ(end.exit_code, 3);
}

TEST_F(SandboxTest, EndsInTimeAlsoWhenTermIsIgnored) {
  auto job = shell(
      "trap '' TERM; echo kept > /logs/artifacts/kept; (trap '' TERM; setsid sleep 1000) & while :; do sleep 1; done");
  job.timeout = milliseconds(500);
  const auto end = run(job);
  EXPECT_EQ(end.how, How::timed_out);
  EXPECT_THAT(end.reason, HasSubstr("500ms"));
  EXPECT_LT(end.seconds, 8.0);
  EXPECT_EQ(artifact("kept"), "kept\n");
}

TEST_F(SandboxTest, LetsAJobEndWellOnTerm) {
  auto job = shell("trap 'echo bye > /logs/artifacts/bye; exit 9' TERM; echo ready; while :; do sleep 0.05; done");
  job.grace = seconds(20);
  const auto end = sandbox_->run(job, [&](std::string_view) { stop_.set(); }, stop_);
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(end->how, How::stopped);
  EXPECT_EQ(end->exit_code, 9);
  EXPECT_EQ(artifact("bye"), "bye\n");
}

TEST_F(SandboxTest, LeavesNoDaemonBehind) {
  // A name for the daemon that the host can look for.
  const std::string mark = "31.4159" + std::to_string(::getpid());
  EXPECT_EQ(run("setsid sleep " + mark + " & exit 0").exit_code, 0);
  const auto found = run_command({.argv = {"pgrep", "-f", "sleep " + mark}}, seconds(5));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->out, "");
}

TEST_F(SandboxTest, StopsWhenAsked) {
  const auto end =
      sandbox_->run(shell("trap '' TERM; echo ready; sleep 1000"), [&](std::string_view) { stop_.set(); }, stop_);
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(end->how, How::stopped);
  EXPECT_EQ(end->exit_code, 128 + SIGKILL);
}

TEST_F(SandboxTest, ContainsAForkBomb) {
  auto job = shell("perl -e 'fork while 1'");
  job.limits.pids = 100;
  job.timeout = seconds(2);
  const auto end = run(job);
  EXPECT_EQ(end.how, How::over_limit) << output_;
  EXPECT_THAT(end.reason, HasSubstr("processes"));
  EXPECT_LT(end.seconds, 10.0);
  EXPECT_EQ(run("echo fine").exit_code, 0) << "the next job is unharmed";
}

TEST_F(SandboxTest, ContainsAMemoryHog) {
  auto job = shell("perl -e '$x = \"x\" x (1 << 20); push @a, $x . $_ for 1..2000; sleep 10'");
  job.limits.memory = 200U << 20U;
  const auto end = run(job);
  EXPECT_EQ(end.how, How::over_limit) << end.exit_code << output_;
  EXPECT_THAT(end.reason, HasSubstr("memory"));
  EXPECT_EQ(run("echo fine").exit_code, 0);
}

TEST_F(SandboxTest, ContainsWhoeverFillsTheDisk) {
  for (const char* place : {"/tmp", "/logs/artifacts", "/dev/shm", "/work"}) {
    auto job = shell(fmt::format("cat /dev/zero > {}/fill", place));
    job.limits.disk = 16U << 20U;
    job.limits.shm = 16U << 20U;
    job.folders = {{.inside = "/work"}};
    job.artifacts.clear();
    const auto end = run(job);
    EXPECT_EQ(end.how, How::over_limit) << place << " " << end.exit_code << output_;
    EXPECT_THAT(end.reason, HasSubstr("wrote more")) << place;
  }
  EXPECT_NE(run("cat /dev/zero > /dev/fill; cat /dev/zero > /run/fill; cat /dev/zero > /scratch/fill; exit 1").how,
            How::timed_out);
  EXPECT_EQ(run("echo fine").exit_code, 0);
}

TEST_F(SandboxTest, CanKeepItsScratchOnDisk) {
  auto sandbox = Sandbox::create({.work = path() / "on-disk", .bowsprit = BOWSPRIT_BINARY, .scratch_on_disk = true});
  ASSERT_TRUE(sandbox) << sandbox.error().text();
  const auto lower = path() / "lower";
  ASSERT_TRUE(make_dirs(lower / "dir"));
  ASSERT_TRUE(sandbox->give_to_job(lower));
  auto job =
      shell("rm -r dir; mkdir dir; echo kept > dir/x; cp dir/x /logs/artifacts; echo > /tmp/t; cat /dev/zero > big");
  job.folders = {{.inside = "/src", .layers = {lower}}};
  job.cwd = "/src";
  job.limits.disk = 64U << 20U;
  const auto end = sandbox->run(job, [](std::string_view) {}, stop_);
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(end->how, How::over_limit);
  EXPECT_THAT(end->reason, HasSubstr("wrote more"));
  EXPECT_TRUE(fs::is_empty(path() / "on-disk/runs"));
  EXPECT_TRUE(fs::is_empty(lower / "dir"));
}

TEST_F(SandboxTest, SurvivesAFloodOfOutput) {
  auto job = shell("yes flood");
  job.timeout = seconds(1);
  std::uint64_t bytes = 0;
  const auto end = sandbox_->run(job, [&](std::string_view text) { bytes += text.size(); }, stop_);
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(end->how, How::timed_out);
  EXPECT_LT(end->seconds, 8.0);
  EXPECT_GT(bytes, 1U << 20U);
}

TEST_F(SandboxTest, TakesNoLinksOutAsArtifacts) {
  ASSERT_TRUE(write_file(path() / "secret", "secret"));
  EXPECT_EQ(run("cd /logs/artifacts; ln -s '" + (path() / "secret").string() +
                "' link; ln -s / root; mkfifo pipe; echo x > real; ln real hard; mkdir d; ln -s ../.. d/up")
                .exit_code,
            0);
  EXPECT_EQ(artifact("real"), "x\n");
  for (const char* name : {"link", "root", "pipe", "d/up"})
    EXPECT_FALSE(fs::exists(fs::symlink_status(path() / "artifacts" / name))) << name;
}

TEST_F(SandboxTest, BoundsArtifacts) {
  auto sandbox = Sandbox::create(
      {.work = path() / "bounded", .bowsprit = BOWSPRIT_BINARY, .artifact_limits = {.bytes = 100000, .files = 10}});
  ASSERT_TRUE(sandbox);
  const auto quiet = [](std::string_view) {};
  auto end =
      sandbox->run(shell("cd /logs/artifacts; head -c 1000000 /dev/zero > big; truncate -s 1T sparse"), quiet, stop_);
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_FALSE(end->artifacts_left_out.empty());
  std::uintmax_t size = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path() / "artifacts")) size += entry.file_size();
  EXPECT_LE(size, 100000U);
  ASSERT_TRUE(remove_tree(path() / "artifacts"));
  ASSERT_TRUE(make_dirs(path() / "artifacts"));
  end = sandbox->run(shell("cd /logs/artifacts; for i in $(seq 50); do echo > $i; done"), quiet, stop_);
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_LE(std::distance(fs::directory_iterator(path() / "artifacts"), fs::directory_iterator()), 10);
  EXPECT_FALSE(end->artifacts_left_out.empty());
}

TEST_F(SandboxTest, LaysChangesOverLayersThatStayAsTheyAre) {
  const auto lower = path() / "lower";
  const auto upper = path() / "upper";
  ASSERT_TRUE(make_dirs(lower / "dir"));
  ASSERT_TRUE(make_dirs(upper));
  ASSERT_TRUE(write_file(lower / "a", "lower"));
  ASSERT_TRUE(write_file(lower / "dir/b", "b"));
  ASSERT_TRUE(write_file(upper / "a", "upper"));
  for (const auto& folder : {lower, upper}) ASSERT_TRUE(sandbox_->give_to_job(folder));
  auto job = shell(
      "cat a; echo tampered >> a; echo more >> dir/b; rm -r dir; mkdir dir; echo new > dir/b; chmod 777 a; ls -la "
      "/src");
  job.folders = {{.inside = "/src", .layers = {upper, lower}}};
  job.cwd = "/src";
  EXPECT_EQ(run(job).exit_code, 0) << output_;
  EXPECT_THAT(output_, HasSubstr("upper"));
  EXPECT_EQ(*read_file(lower / "dir/b"), "b");
  EXPECT_EQ(*read_file(lower / "a"), "lower");
  EXPECT_EQ(*read_file(upper / "a"), "upper");
}

TEST_F(SandboxTest, KeepsWhatIsWrittenToAWritableFolder) {
  const auto kept = path() / "kept";
  ASSERT_TRUE(make_dirs(kept));
  ASSERT_TRUE(sandbox_->give_to_job(kept));
  auto job = shell("echo built > /build/object");
  job.folders = {{.inside = "/build", .writable = kept}};
  EXPECT_EQ(run(job).exit_code, 0) << output_;
  EXPECT_EQ(*read_file(kept / "object"), "built\n");
}

TEST_F(SandboxTest, IsNeverRootOutside) {
  const auto kept = path() / "kept";
  ASSERT_TRUE(make_dirs(kept));
  ASSERT_TRUE(sandbox_->give_to_job(kept));
  auto job = shell("echo > /build/mine; cat /proc/self/uid_map");
  job.folders = {{.inside = "/build", .writable = kept}};
  EXPECT_EQ(run(job).exit_code, 0) << output_;
  struct stat info{};
  ASSERT_EQ(::stat((kept / "mine").c_str(), &info), 0);
  EXPECT_NE(info.st_uid, 0U);
  EXPECT_EQ(info.st_uid, sandbox_->file_owner());
}

TEST_F(SandboxTest, DiesWithAKilledServerAndIsCleanedUpByTheNext) {
  const std::string mark = "27.1828" + std::to_string(::getpid());
  auto ready = Pipe::create();
  ASSERT_TRUE(ready);
  const pid_t server = ::fork();
  if (server == 0) {
    auto job = shell("trap '' TERM; setsid sleep " + mark + " & echo ready; sleep " + mark);
    [[maybe_unused]] const auto end = sandbox_->run(
        job, [&](std::string_view) { [[maybe_unused]] const auto sent = ready->writer.write_all("r"); }, stop_);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_TRUE(ready->reader.read(&byte, 1));
  ASSERT_EQ(::kill(server, SIGKILL), 0);
  ASSERT_EQ(::waitpid(server, nullptr, 0), server);
  EXPECT_TRUE(fs::exists(path() / "sandbox/runs/job-1"));
  auto next = Sandbox::create({.work = path() / "sandbox", .bowsprit = BOWSPRIT_BINARY});
  ASSERT_TRUE(next);
  EXPECT_TRUE(next->recover());
  const auto found = run_command({.argv = {"pgrep", "-f", "sleep " + mark}}, seconds(5));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->out, "");
  EXPECT_TRUE(fs::is_empty(path() / "sandbox/runs"));
  EXPECT_TRUE(fs::is_empty(path() / "sandbox/state"));
}

TEST_F(SandboxTest, SaysWhatIsWrongWhenItCanNotStart) {
  auto broken = Sandbox::create({.work = path() / "broken", .bowsprit = BOWSPRIT_BINARY});
  ASSERT_TRUE(broken);
  auto job = shell("true");
  job.folders = {{.inside = "/src", .layers = {path() / "not-there"}}};
  const auto end = broken->run(job, [](std::string_view) {}, stop_);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().blame, Blame::infrastructure);
  EXPECT_THAT(end.error().text(), HasSubstr("/src"));
  EXPECT_FALSE(Sandbox::create({.work = path() / "broken", .bowsprit = BOWSPRIT_BINARY, .runc = "/no/runc"}));
}

}  // namespace
}  // namespace bowsprit::exec
