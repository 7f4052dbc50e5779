// SPDX-License-Identifier: Apache-2.0
/// A shell script stands in for QEMU, so that its ends can be had at will; tests/functional boots real kernels.
#include "kernel/qemu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace bowsprit::kernel {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const Architecture& x86_64() { return **find_architecture("x86_64"); }

bool has_pair(const std::vector<std::string>& argv, const std::string& name, const std::string& value) {
  const auto at = std::ranges::adjacent_find(
      argv, [&](const std::string& a, const std::string& b) { return a == name && b == value; });
  return at != argv.end();
}

TEST(QemuCommand, IsAMachineWithASerialLineAndNothingElse) {
  const auto argv = qemu_command(x86_64(), {.kernel = "/b/bzImage", .arguments = {"kunit.filter_glob=a.b"}}, 2,
                                 /*kvm=*/true);
  EXPECT_EQ(argv.front(), "qemu-system-x86_64");
  EXPECT_TRUE(has_pair(argv, "-kernel", "/b/bzImage"));
  EXPECT_TRUE(
      has_pair(argv, "-append", "kunit.enable=1 kunit_shutdown=reboot panic=-1 console=ttyS0 kunit.filter_glob=a.b"));
  EXPECT_TRUE(has_pair(argv, "-smp", "2"));
  EXPECT_TRUE(has_pair(argv, "-m", "1024M"));
  EXPECT_TRUE(has_pair(argv, "-accel", "kvm"));
  EXPECT_TRUE(has_pair(argv, "-cpu", "host"));
  EXPECT_NE(std::ranges::find(argv, "-nodefaults"), argv.end());
  EXPECT_NE(std::ranges::find(argv, "-no-reboot"), argv.end());
}

TEST(QemuCommand, EmulatesTheProcessorWithoutKvm) {
  const auto argv = qemu_command(**find_architecture("arm64"), {.kernel = "/b/Image"}, 1, /*kvm=*/false);
  EXPECT_FALSE(has_pair(argv, "-accel", "kvm"));
  EXPECT_TRUE(has_pair(argv, "-accel", "tcg"));
  EXPECT_TRUE(has_pair(argv, "-cpu", "max"));
  EXPECT_TRUE(has_pair(argv, "-machine", "virt"));
}

class QemuTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("PATH");
    path_ = path != nullptr ? path : "/usr/bin:/bin";
    ASSERT_EQ(::setenv("PATH", (dir_->path().string() + ":" + path_).c_str(), 1), 0);
  }
  void TearDown() override { ASSERT_EQ(::setenv("PATH", path_.c_str(), 1), 0); }

  Result<BootOutcome> boot(const std::string& script, milliseconds limit = seconds(20)) {
    EXPECT_TRUE(write_file(dir_->path() / "qemu-system-x86_64", "#!/bin/sh\n" + script, 0755));
    return boot_qemu(x86_64(), {.kernel = "/none", .console = dir_->path() / "kunit.log", .limit = limit}, 1,
                     [this](std::string_view bytes) { seen_ += bytes; });
  }
  Result<TempDir> dir_ = TempDir::create("qemu-test");
  std::string path_;
  std::string seen_;
};

TEST_F(QemuTest, GivesTheConsoleOfAMachineThatEnded) {
  const auto outcome = boot("echo KTAP version 1");
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->end, BootEnd::exited);
  EXPECT_EQ(seen_, "KTAP version 1\n");
  EXPECT_EQ(*read_file(dir_->path() / "kunit.log"), seen_);
}

TEST_F(QemuTest, BlamesNoChangeWhereQemuItselfFails) {
  const auto outcome = boot("echo 'qemu-system-x86_64: could not load the image' >&2; exit 1");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(outcome.error().text(), AllOf(HasSubstr("exit code 1"), HasSubstr("could not load the image")));
}

TEST_F(QemuTest, EmulatesWhereNoKernelComesUpUnderKvm) {
  const auto outcome = boot(
      "case \"$*\" in *'-accel kvm'*) echo damaged; kill -ABRT $$;; esac; echo Linux version 6.12; echo KTAP version "
      "1");
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->status.signal, 0);
  EXPECT_EQ(seen_, "Linux version 6.12\nKTAP version 1\n");
  EXPECT_EQ(*read_file(dir_->path() / "kunit.log"), seen_);
}

TEST_F(QemuTest, EndsAMachineThatHangs) {
  const auto outcome = boot("trap '' TERM INT; echo up; while :; do sleep 1; done", milliseconds(300));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->end, BootEnd::timed_out);
  EXPECT_EQ(seen_, "up\n");
  EXPECT_LT(outcome->seconds, 10);
}

TEST(CheckTools, NamesThePackageOfWhatIsNotInstalled) {
  Architecture other = x86_64();
  other.qemu = "qemu-system-none";
  const auto checked = check_tools(other);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().text(),
              AllOf(HasSubstr("qemu-system-none"), HasSubstr("Debian package qemu-system-x86")));
  other.machine = "none";
  other.compiler = "none-linux-gnu-";
  EXPECT_THAT(check_tools(other).error().text(), HasSubstr("none-linux-gnu-gcc is not installed"));
  EXPECT_TRUE(check_tools(architectures().front()));
}

}  // namespace
}  // namespace bowsprit::kernel
