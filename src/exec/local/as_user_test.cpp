// SPDX-License-Identifier: Apache-2.0
// The sandbox's tests, and of the executor's those about warm builds and refusals, again with a server that is an ordinary user.
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/json.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/process.h"

namespace bowsprit::exec {
namespace {

constexpr uid_t kUser = 60123;  // has no name, no home, no group of the machine

TEST(AsOrdinaryUser, TheServerGivesTheSameGuarantees) {
  if (::geteuid() != 0) GTEST_SKIP() << "this whole run is already an ordinary user's";
  const auto dir = TempDir::create("as-user-test");
  ASSERT_TRUE(dir);
  ASSERT_EQ(::chown(dir->path().c_str(), kUser, kUser), 0);
  auto env = current_environment();
  env["TMPDIR"] = dir->path().string();
  env["HOME"] = dir->path().string();
  env["GTEST_OUTPUT"] = "json:" + (dir->path() / "report.json").string();
  const auto self = fs::read_symlink("/proc/self/exe");
  const auto done = run_command(
      {.argv = {self.string(), "--gtest_filter=SandboxTest.*:LocalExecutorTest.Builds*:LocalExecutorTest.CanNot*",
                "--gtest_brief=1"},
       .env = env,
       .run_as = UserId{kUser, kUser}},
      seconds(280));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_TRUE(done->status.ok()) << done->status.text() << "\n" << done->out << shorten(done->err, 4000);
  // A filter that names no test any more ends well too; at least one must have run, and not only been skipped.
  const auto report = read_file(dir->path() / "report.json");
  ASSERT_TRUE(report) << report.error().text();
  const auto json = parse_json(*report);
  ASSERT_TRUE(json) << json.error().text();
  int ran = 0;
  for (const auto& suite : json_get(*json, "testsuites"))
    for (const auto& test : json_get(suite, "testsuite")) ran += json_string(test, "result") == "COMPLETED" ? 1 : 0;
  EXPECT_GT(ran, 0) << done->out;
}

}  // namespace
}  // namespace bowsprit::exec
