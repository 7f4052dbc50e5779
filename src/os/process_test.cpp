// SPDX-License-Identifier: Apache-2.0
#include "os/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "base/strings.h"
#include "os/files.h"
#include "os/stoppable.h"

namespace bowsprit {
namespace {

bool alive(pid_t pid) { return ::kill(pid, 0) == 0; }

TEST(Process, GivesOutputInputAndExitCode) {
  const auto output = run_command({.argv = {"sh", "-c", "cat; echo err >&2; exit 3"}}, seconds(10), "in");
  ASSERT_TRUE(output) << output.error().text();
  EXPECT_EQ(output->out, "in");
  EXPECT_EQ(output->err, "err\n");
  EXPECT_EQ(output->status.code, 3);
}

TEST(Process, MissingProgramIsNotFound) {
  const auto child = ChildProcess::spawn({.argv = {"/no/such/program"}});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().kind, ErrorKind::not_found);
}

TEST(Process, LimitKillsTheWholeGroup) {
  const auto dir = TempDir::create("process-test");
  ASSERT_TRUE(dir);
  const std::string pid_file = (dir->path() / "pid").string();
  // The shell ignores TERM and leaves a child behind: the group must be dead all the same.
  auto child = ChildProcess::spawn({.argv = {"sh", "-c",
                                             "trap '' TERM; sleep 1000 & echo $! > " + pid_file + ".t; mv " + pid_file +
                                                 ".t " + pid_file + "; wait; sleep 1000"}});
  ASSERT_TRUE(child);
  while (!fs::exists(pid_file)) ::usleep(1000);
  const auto grandchild = parse_int(trim(*read_file(pid_file)));
  ASSERT_TRUE(grandchild);
  EXPECT_EQ(child->stop(milliseconds(100)).signal, SIGKILL);
  // The grandchild is reaped by init some time later; until then it is a zombie, which is dead enough.
  for (int i = 0; i < 2000 && alive(static_cast<pid_t>(*grandchild)); ++i) {
    const auto stat = read_file(fmt::format("/proc/{}/stat", *grandchild));
    if (stat && stat->find(") Z ") != std::string::npos) break;
    ::usleep(1000);
  }
  const auto stat = read_file(fmt::format("/proc/{}/stat", *grandchild));
  EXPECT_TRUE(!stat || stat->find(") Z ") != std::string::npos);
}

TEST(Process, TimeoutIsAnErrorOfItsOwn) {
  const auto output = run_command({.argv = {"sleep", "1000"}}, milliseconds(50));
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ErrorKind::timeout);
}

TEST(Process, EndsAtOnceWhenItsStopDescriptorIsReadable) {
  auto stop = Pipe::create();
  ASSERT_TRUE(stop);
  std::thread stopper([&] { stop->writer.reset(); });  // the end of a file is readable, too
  for (const char* script : {"sleep 1000", "exec >/dev/null 2>&1; sleep 1000"}) {
    const auto output = run_stoppable({.argv = {"sh", "-c", script}}, seconds(600), stop->reader.get());
    ASSERT_FALSE(output) << script;
    EXPECT_EQ(output.error().kind, ErrorKind::cancelled);
  }
  stopper.join();
}

TEST(Files, AtomicWriteLeavesNoTemporary) {
  const auto dir = TempDir::create("files-test");
  ASSERT_TRUE(dir);
  ASSERT_TRUE(write_file_atomic(dir->path() / "a", "one"));
  ASSERT_TRUE(write_file_atomic(dir->path() / "a", "two"));
  EXPECT_EQ(*read_file(dir->path() / "a"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(dir->path()), fs::directory_iterator()), 1);
}

TEST(Files, RemoveTreeOpensReadOnlyFolders) {
  const auto dir = TempDir::create("files-test");
  ASSERT_TRUE(dir);
  ASSERT_TRUE(make_dirs(dir->path() / "a/b"));
  ASSERT_TRUE(write_file(dir->path() / "a/b/c", "x"));
  fs::permissions(dir->path() / "a/b", fs::perms::none);
  EXPECT_TRUE(remove_tree(dir->path() / "a"));
  EXPECT_FALSE(fs::exists(dir->path() / "a"));
}

}  // namespace
}  // namespace bowsprit
