// SPDX-License-Identifier: Apache-2.0
#include "app/try_again.h"

#include <algorithm>
#include <set>

#include "verdict/isolation.h"

namespace bowsprit::app {
namespace {

SteadyTime now() { return std::chrono::steady_clock::now(); }

/// The child of `nodes` that `path` is or leads through.
const ktap::TestNode* step(const std::vector<ktap::TestNode>& nodes, std::string_view path) {
  for (const auto& node : nodes)
    if (!node.name.empty() && path.starts_with(node.name) &&
        (path.size() == node.name.size() || path[node.name.size()] == '.'))
      return &node;
  return nullptr;
}

class Trier {
 public:
  Trier(const RunResult& result, TriedAgain& done, SteadyTime deadline)
      : result_(result), done_(done), deadline_(deadline) {}

  using Globs = std::map<std::string, std::string>;  ///< test -> pattern

  /// Boots each pattern so many times, and notes what became of the tests in it.
  Result<> boot(const TestsRunOptions& kernel, const Globs& globs, int times, Tries TriedTest::* kind) {
    std::set<std::string> different;
    for (const auto& [test, glob] : globs) different.insert(glob);
    std::vector<std::string> all;
    for (int i = 0; i < times; ++i) all.insert(all.end(), different.begin(), different.end());
    if (all.empty()) return {};
    const auto left = std::chrono::ceil<milliseconds>(deadline_ - now());
    TRY_ASSIGN(const auto records, boot_each(kernel, all, std::max(left, milliseconds(0)), {}));
    done_.boots += static_cast<int>(records.size());
    for (const auto& record : records) note(record, globs, kind);
    for (const auto& [test, glob] : globs) {
      auto& tried = done_.tests[test];
      const Tries& tries = tried.*kind;
      tried.cut = tried.cut || tries.passed + tries.failed < times;
    }
    return {};
  }

 private:
  void note(const BootRecord& record, const Globs& globs, Tries TriedTest::* kind) {
    if (record.outcome.end != kernel::BootEnd::exited) return;  // neither a pass nor a failure
    TestsRun run;
    run.boots.push_back(record);
    const auto again = judge(judge_input(std::move(run)));
    for (const auto& [test, glob] : globs) {
      if (glob != record.glob) continue;
      Tries& tries = done_.tests[test].*kind;
      ++(passed_cleanly(again, test, result_) ? tries.passed : tries.failed);
    }
  }

  const RunResult& result_;
  TriedAgain& done_;
  SteadyTime deadline_;
};

}  // namespace

std::string glob_of_test(const std::vector<ktap::TestNode>& suites, const std::string& test) {
  const auto* suite = step(suites, test);
  if (suite == nullptr) return glob_of(test);
  if (suite->name.size() == test.size()) return glob_of(test) + ".*";
  const auto rest = test.substr(suite->name.size() + 1);
  const auto* found = step(suite->children, rest);
  return glob_of(suite->name) + "." + glob_of(found != nullptr ? found->name : rest);
}

Result<TriedAgain> try_again(const RunResult& result, const std::vector<std::string>& tests, const RunResult* base,
                             const TryAgainOptions& options) {
  TriedAgain done;
  Trier trier(result, done, now() + options.limit);
  Trier::Globs alone;
  for (const auto& test : tests)
    if (alone.size() < kMostTriedTests) alone.emplace(test, glob_of_test(result.suites, test));
  TRY(trier.boot(options.kernel, alone, kTriesAlone, &TriedTest::alone));

  Trier::Globs same_way;
  Trier::Globs on_base;
  for (const auto& [test, glob] : alone) {
    auto& tried = done.tests[test];
    const auto failed_in = options.failed_in.find(test);
    if (failed_in != options.failed_in.end() && failed_in->second == glob)
      tried.same_way = tried.alone;
    else if (tried.alone.passed > 0)
      same_way.emplace(test, failed_in == options.failed_in.end() ? "" : failed_in->second);
    if (tried.alone.passed == 0 && !tried.cut && options.base_kernel && base != nullptr && has_test(*base, test))
      on_base.emplace(test, glob);
  }
  TRY(trier.boot(options.kernel, same_way, kTriesSameWay, &TriedTest::same_way));
  TestsRunOptions base_kernel = options.kernel;
  base_kernel.boot = options.base_kernel;
  base_kernel.console = options.base_console;
  TRY(trier.boot(base_kernel, on_base, kTriesAlone, &TriedTest::base));
  return done;
}

}  // namespace bowsprit::app
