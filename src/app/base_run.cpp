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
  options.build = base_build_folder(change);
  options.artifacts = folder / "artifacts";
  options.base.clear();
  options.kept_base.clear();
  options.commit = base;
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

fs::path base_build_folder(const JudgeTreeOptions& change) { return change.build / "base" / "build"; }

Result<std::string> change_diff(const JudgeTreeOptions& options, const std::string& base) {
  if (!options.change_diff.empty()) return read_file(options.change_diff, kMaxDiff);
  TRY_ASSIGN(const auto diff, run_command({.argv = git(options.tree, {"diff", "--no-ext-diff", "--no-textconv",
                                                                      "--no-color", "-U0", base, "--", "*.c", "*.h"})},
                                          kGitLimit, {}, kMaxDiff));
  if (!diff.status.ok()) return fail(ErrorKind::os, "git diff {}: {}", base, trim(shorten(diff.err, 300)));
  return diff.out;
}

namespace {

/// What the lines with one sign of a diff name.
struct NamedByDiff {
  std::set<std::string> defined;     ///< functions of cases, and suites
  std::set<std::string> registered;  ///< in KUNIT_CASE and its kin
};

void read_line(std::string_view text, NamedByDiff& names) {
  // "static void NAME(struct kunit *test)": a case's own function
  if (const auto open = text.find("(struct kunit"); open != std::string_view::npos)
    names.defined.emplace(text.substr(text.rfind(' ', open) + 1, open - text.rfind(' ', open) - 1));
  // ".name = "SUITE","
  if (text.starts_with(".name"))
    if (const auto quote = text.find('"'); quote != std::string_view::npos)
      names.defined.emplace(text.substr(quote + 1, text.find('"', quote + 1) - quote - 1));
  // "KUNIT_CASE(NAME)", "KUNIT_CASE_PARAM(NAME, generator)", several in a line
  for (auto at = text.find("KUNIT_CASE"); at != std::string_view::npos; at = text.find("KUNIT_CASE", at + 1)) {
    const auto open = text.find('(', at);
    if (open == std::string_view::npos) break;
    const auto end = text.find_first_of(",)", open);
    names.registered.emplace(trim(text.substr(open + 1, end == std::string_view::npos ? end : end - open - 1)));
  }
}

const ktap::TestNode* suite_of(const RunResult& result, const std::string& name) {
  const auto found = std::ranges::find(result.suites, name, &ktap::TestNode::name);
  return found == result.suites.end() ? nullptr : &*found;
}

bool has_case(const ktap::TestNode* suite, const std::string& name) {
  return suite != nullptr && std::ranges::find(suite->children, name, &ktap::TestNode::name) != suite->children.end();
}

/// It runs now in a suite in which the base did not have it.
bool runs_elsewhere(const std::string& name, const RunResult& base, const RunResult& now) {
  return std::ranges::any_of(now.suites, [&](const ktap::TestNode& suite) {
    return has_case(&suite, name) && !has_case(suite_of(base, suite.name), name);
  });
}

}  // namespace

std::set<std::string> deleted_tests(std::string_view diff, const RunResult& base, const RunResult& now) {
  NamedByDiff before;
  NamedByDiff after;
  for (const auto& line : split_lines(diff))
    if (line.size() >= 2 && (line[0] == '-' || line[0] == '+'))
      read_line(trim(std::string_view(line).substr(1)), line[0] == '-' ? before : after);
  auto gone = std::move(before.defined);
  for (const auto& name : after.defined) gone.erase(name);
  std::set<std::string> tests;
  for (const auto& suite : base.suites) {
    if (gone.contains(suite.name)) tests.insert(suite.name);
    for (const auto& test : suite.children) {
      const bool moved = before.registered.contains(test.name) && after.registered.contains(test.name) &&
                         !has_case(suite_of(now, suite.name), test.name) && runs_elsewhere(test.name, base, now);
      if (gone.contains(test.name) || moved) tests.insert(suite.name + "." + test.name);
    }
  }
  return tests;
}

}  // namespace bowsprit::app
