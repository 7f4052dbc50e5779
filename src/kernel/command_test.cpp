// SPDX-License-Identifier: Apache-2.0
#include "kernel/command.h"

#include <signal.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "kernel/boot.h"
#include "kernel/memory_file.h"
#include "os/files.h"

namespace bowsprit::kernel {
namespace {

using ::testing::HasSubstr;

SpawnOptions shell(const std::string& script) { return {.argv = {"/bin/sh", "-c", script}}; }

TEST(RunStreaming, GivesOutputOfBothStreamsInOrder) {
  std::string seen;
  const auto outcome = run_streaming(shell("echo a; echo b >&2; echo c; exit 3"), seconds(20), -1,
                                     [&](std::string_view bytes) { seen += bytes; });
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(seen, "a\nb\nc\n");
  EXPECT_EQ(outcome->end, CommandEnd::exited);
  EXPECT_EQ(outcome->status.code, 3);
}

TEST(RunStreaming, EndsAtTheLimitWhateverTheCommandDoes) {
  const auto start = std::chrono::steady_clock::now();
  const auto outcome = run_streaming(shell("trap '' TERM; while :; do echo flood; done"), milliseconds(200), -1,
                                     [](std::string_view) {});
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->end, CommandEnd::timed_out);
  EXPECT_EQ(outcome->status.signal, SIGKILL);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

TEST(RunStreaming, EndsWhenTheStopDescriptorIsReadable) {
  auto pipe = Pipe::create();
  ASSERT_TRUE(pipe);
  std::string seen;
  const auto outcome =
      run_streaming(shell("echo ready; exec sleep 60"), seconds(60), pipe->reader.get(), [&](std::string_view bytes) {
        seen += bytes;
        ASSERT_TRUE(pipe->writer.write_all("x"));
      });
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, CommandEnd::stopped);
}

TEST(RunStreaming, LeavesTheCommandNoTerminal) {
  std::string seen;
  const auto outcome = run_streaming(shell("(: </dev/tty) 2>&1; ps -o sid= -p $$ | tr -d ' '; echo $$; cat"),
                                     seconds(20), -1, [&](std::string_view bytes) { seen += bytes; });
  ASSERT_TRUE(outcome);
  const auto lines = split_lines(seen);
  ASSERT_EQ(lines.size(), 3U) << seen;
  EXPECT_THAT(lines[0], HasSubstr("/dev/tty"));
  EXPECT_EQ(lines[1], lines[2]) << "it leads a session of its own";
}

TEST(EndOrphans, KillsWhatEscapedTheGroup) {
  ASSERT_TRUE(adopt_orphans());
  std::string seen;
  const auto outcome = run_streaming(shell("setsid sh -c 'echo $$; trap \"\" TERM; sleep 60' & read -r never; wait"),
                                     milliseconds(400), -1, [&](std::string_view bytes) { seen += bytes; });
  ASSERT_TRUE(outcome);
  const auto pid = parse_int(trim(seen));
  ASSERT_TRUE(pid) << seen;
  EXPECT_GE(end_orphans(), 1);
  EXPECT_NE(::kill(static_cast<pid_t>(*pid), 0), 0);
}

/// A program that stands in for the kernel: boot_uml only starts it, so a shell script shows the limits.
class BootTest : public ::testing::Test {
 protected:
  BootOptions options(const std::string& script) {
    const auto path = dir_->path() / "linux";
    EXPECT_TRUE(write_file(path, "#!/bin/sh\n" + script, 0755));
    return {.kernel = path, .console = dir_->path() / "kunit.log", .memory_folder = "/tmp", .limit = seconds(20)};
  }
  Result<TempDir> dir_ = TempDir::create("boot-test");
  std::string seen_;
  std::function<void(std::string_view)> sink_ = [this](std::string_view bytes) { seen_ += bytes; };
};

TEST_F(BootTest, GivesAllOfTheConsoleAndTheArguments) {
  const auto outcome = boot_uml(
      options("echo \"$@\"; i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; echo end >&2"), sink_);
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->end, BootEnd::exited);
  EXPECT_THAT(seen_, HasSubstr("kunit_shutdown=halt"));
  EXPECT_TRUE(seen_.ends_with("line 1999\nend\n"));
  EXPECT_EQ(*read_file(dir_->path() / "kunit.log"), seen_);
  EXPECT_EQ(outcome->console_bytes, seen_.size());
}

TEST_F(BootTest, EndsAKernelThatIgnoresTerm) {
  auto boot = options("trap '' TERM INT; echo up; while :; do sleep 1; done");
  boot.limit = milliseconds(300);
  const auto outcome = boot_uml(boot, sink_);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, BootEnd::timed_out);
  EXPECT_EQ(seen_, "up\n");
  EXPECT_LT(outcome->seconds, 10);
}

TEST_F(BootTest, EndsAFloodAndKeepsBothEndsOfIt) {
  auto boot = options("echo first; exec yes a-long-line-of-output-that-never-ends");
  boot.console_limit = 40U << 20U;
  std::uint64_t bytes = 0;
  const auto outcome = boot_uml(boot, [&](std::string_view chunk) { bytes += chunk.size(); });
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, BootEnd::flooded);
  EXPECT_GT(bytes, boot.console_limit);
  const auto kept = read_file(boot.console);
  ASSERT_TRUE(kept);
  EXPECT_LT(kept->size(), 17U << 20U);
  EXPECT_TRUE(kept->starts_with("first\n"));
  EXPECT_THAT(*kept, HasSubstr("bytes of console output are left out here"));
}

TEST_F(BootTest, TellsAKernelThatCannotStart) {
  auto boot = options("");
  boot.kernel = dir_->path() / "none";
  EXPECT_THAT(boot_uml(boot, sink_).error().text(), HasSubstr("none"));
}

TEST(MemoryFolder, TakesTheFirstGoodOneAndSaysWhyNotTheOthers) {
  const auto dir = TempDir::create("memory-test");
  ASSERT_TRUE(dir);
  const auto found = find_memory_folder({"/proc/none", dir->path()}, 4096);
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->path, dir->path());
  EXPECT_THAT(found->note, HasSubstr("/proc/none"));
}

TEST(MemoryFolder, NamesTheOptionsThatMendIt) {
  const auto found = find_memory_folder({"/proc"}, 4096);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().text(), HasSubstr("--tmpfs /dev/shm:exec"));
  EXPECT_THAT(found.error().text(), HasSubstr("TMPDIR="));
}

TEST(MemoryFolder, TellsRoomThatMayNotDo) {
  const auto dir = TempDir::create("memory-test");
  ASSERT_TRUE(dir);
  const auto found = find_memory_folder({dir->path()}, std::uint64_t{1} << 60U);
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_THAT(found->note, HasSubstr("bus error"));
}

}  // namespace
}  // namespace bowsprit::kernel
