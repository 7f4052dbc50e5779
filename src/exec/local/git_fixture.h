// SPDX-License-Identifier: Apache-2.0
/// For tests: a real git repository that stands for the Gerrit project, with changes under refs/changes/.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "os/files.h"
#include "os/process.h"
#include "prow/job.h"

namespace bowsprit::exec {

class GitFixture {
 public:
  explicit GitFixture(fs::path folder) : folder_(std::move(folder)) {
    EXPECT_TRUE(make_dirs(folder_));
    git({"init", "--quiet", "--initial-branch=master"});
    git({"config", "user.name", "Alice"});
    git({"config", "user.email", "alice@example.org"});
  }

  /// Runs git in the repository; its output without the last newline.
  std::string git(std::vector<std::string> args, const Environment& extra = {}) const {
    auto env = current_environment();
    env["GIT_CONFIG_GLOBAL"] = "/dev/null";
    env["TZ"] = "UTC";
    for (const auto& [name, value] : extra) env[name] = value;
    args.insert(args.begin(), "git");
    const auto out = run_checked({.argv = std::move(args), .env = env, .cwd = folder_.string()}, seconds(60));
    EXPECT_TRUE(out) << out.error().text();
    return std::string(trim(out.value_or("")));
  }
  void write(const std::string& path, std::string_view text) const {
    EXPECT_TRUE(make_dirs((folder_ / path).parent_path()));
    EXPECT_TRUE(write_file(folder_ / path, text));
  }
  /// Commits everything that is in the folder; the commit's id.
  std::string commit(const std::string& message) const {
    git({"add", "--all"});
    git({"commit", "--quiet", "--allow-empty", "-m", message});
    return git({"rev-parse", "HEAD"});
  }
  /// Makes HEAD change `number` and goes back to where `branch` was.
  prow::Pull change(int number, const std::string& back_to) const {
    const auto sha = git({"rev-parse", "HEAD"});
    const auto ref = fmt::format("refs/changes/{:02}/{}/1", number % 100, number);
    git({"update-ref", ref, sha});
    git({"reset", "--quiet", "--hard", back_to});
    return {.number = number, .sha = sha, .ref = ref};
  }
  [[nodiscard]] prow::Refs refs(const prow::Pull& pull) const {
    return {.org = "https://git.example.org",
            .repo = "linux",
            .repo_link = "https://git.example.org/linux",
            .base_ref = "master",
            .clone_uri = folder_.string(),
            .pulls = {pull}};
  }
  [[nodiscard]] const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

}  // namespace bowsprit::exec
