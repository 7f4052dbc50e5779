// SPDX-License-Identifier: Apache-2.0
#include "app/base_run.h"

#include <algorithm>

#include "artifact/result_json.h"
#include "base/strings.h"
#include "os/process.h"

namespace bowsprit::app {
namespace {

constexpr std::chrono::minutes kGitLimit{10};  // the first checkout writes 86,000 files
constexpr std::size_t kMaxDiff = 64U << 20U;

/// git on the tree's repository; `safe.directory`, since a job's tree may belong to another user of the machine.
std::vector<std::string> git(const fs::path& tree, std::vector<std::string> words) {
  std::vector<std::string> argv{"git", "-c", "safe.directory=*", "-C", tree.string()};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

/// Shows a base's build as the progress of one phase; its tests and messages are not the change's.
class BaseWatch final : public JudgeTreeWatch {
 public:
  explicit BaseWatch(JudgeTreeWatch& watch) : watch_(watch) {}
  void on_phase(std::string_view) override {}
  void on_phase_end(const Phase&, std::string_view) override {}
  void on_build_output(std::string_view) override {}
  void on_build_progress(const kernel::BuildProgress& progress) override { watch_.on_build_progress(progress); }
  void on_test(const std::string&, const ktap::TestNode&) override {}
  void on_note(std::string_view text) override { watch_.on_note(text); }

 private:
  JudgeTreeWatch& watch_;
};

/// The commit's files at `to`, writing only what differs from the commit that is there.
Result<> check_out(const fs::path& tree, const std::string& commit, const fs::path& to, const fs::path& index) {
  TRY(make_dirs(to));
  auto env = current_environment();
  env["GIT_INDEX_FILE"] = index.string();
  // An interrupted git leaves its lock; nobody else uses this index, as we hold the build folder.
  std::error_code ignored;
  fs::remove(index.string() + ".lock", ignored);
  auto argv = git(tree, {"--work-tree=" + to.string(), "read-tree", "--reset", "-u", commit});
  if (auto done = run_checked({.argv = std::move(argv), .env = std::move(env)}, kGitLimit); !done)
    return std::unexpected(std::move(done).error().with("check out the base {}", commit));
  return {};
}

/// What the result of a base depends on beside the machine: its source, the options asked for, the runner.
std::string result_key(const JudgeTreeOptions& options, const std::string& base) {
  std::string text = base;
  for (const auto& path : options.kunitconfig) text += "\n" + path.string();
  if (!options.default_kunitconfig.empty())
    if (const auto fallback = read_file(options.default_kunitconfig)) text += "\ndefault " + *fallback;
  text += options.runner == Runner::kunit_py ? "\nkunit.py" : "";
  return sha256_hex(text).substr(0, 32);
}

}  // namespace

Result<std::string> resolve_revision(const fs::path& tree, const std::string& revision) {
  const auto found = run_command(
      {.argv = git(tree, {"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"})}, kGitLimit);
  if (!found) return std::unexpected(found.error());
  if (found->status.ok()) return std::string(trim(found->out));
  return fail(ErrorKind::usage, "--base: '{}' is no commit of the git repository at '{}'{}", revision, tree.string(),
              found->err.empty() ? "" : fmt::format(" ({})", trim(shorten(found->err, 300))));
}

Result<RunResult> judge_base(const JudgeTreeOptions& change, const std::string& base, JudgeTreeWatch& watch) {
  const fs::path folder = change.build / "base";
  TRY(make_dirs(folder / "results"));
  const fs::path kept = folder / "results" / (result_key(change, base) + ".json");
  if (const auto text = read_file(kept))
    if (auto result = artifact::read_result_json(*text)) return result;

  JudgeTreeOptions options = change;
  options.tree = folder / "linux";
  options.build = folder / "build";
  options.artifacts = folder / "artifacts";
  options.base.clear();
  for (auto& path : options.kunitconfig) {  // a path in the tree means the same file of the base
    const auto relative = fs::absolute(path).lexically_normal().lexically_relative(change.tree);
    if (!relative.empty() && *relative.begin() != "..") path = options.tree / relative;
  }
  TRY(check_out(change.tree, base, options.tree, folder / "index"));
  BaseWatch quiet(watch);
  auto result = judge_tree(options, quiet);
  if (!result.suites.empty()) TRY(write_file_atomic(kept, artifact::result_json(result)));
  return result;
}

std::set<std::string> deleted_tests(std::string_view diff, const RunResult& base_result) {
  std::set<std::string> gone;
  std::set<std::string> still;
  for (const auto& line : split_lines(diff)) {
    if (line.size() < 2 || (line[0] != '-' && line[0] != '+')) continue;
    const auto text = trim(std::string_view(line).substr(1));
    auto& names = line[0] == '-' ? gone : still;
    // "static void NAME(struct kunit *test)": a case's own function
    if (const auto open = text.find("(struct kunit"); open != std::string_view::npos)
      names.emplace(text.substr(text.rfind(' ', open) + 1, open - text.rfind(' ', open) - 1));
    // ".name = "SUITE","
    if (text.starts_with(".name"))
      if (const auto quote = text.find('"'); quote != std::string_view::npos)
        names.emplace(text.substr(quote + 1, text.find('"', quote + 1) - quote - 1));
  }
  for (const auto& name : still) gone.erase(name);
  std::set<std::string> tests;
  for (const auto& suite : base_result.suites) {
    if (gone.contains(suite.name)) tests.insert(suite.name);
    for (const auto& test : suite.children)
      if (gone.contains(test.name)) tests.insert(suite.name + "." + test.name);
  }
  return tests;
}

Result<std::set<std::string>> tests_deleted_since(const fs::path& tree, const std::string& base,
                                                  const RunResult& base_result) {
  TRY_ASSIGN(const auto diff, run_command({.argv = git(tree, {"diff", "--no-ext-diff", "--no-textconv", "--no-color",
                                                              "-U0", base, "--", "*.c", "*.h"})},
                                          kGitLimit, {}, kMaxDiff));
  if (!diff.status.ok()) return fail(ErrorKind::os, "git diff {}: {}", base, trim(shorten(diff.err, 300)));
  return deleted_tests(diff.out, base_result);
}

}  // namespace bowsprit::app
