// SPDX-License-Identifier: Apache-2.0
#include "app/compare_base.h"

#include "app/base_run.h"
#include "verdict/judge.h"

namespace bowsprit::app {

void add_comparison(RunResult& result, const JudgeTreeOptions& options, JudgeTreeWatch& watch) {
  watch.on_phase("base");
  const auto start = std::chrono::steady_clock::now();
  std::string note = options.base.substr(0, 12);
  const auto base = judge_base(options, options.base, watch);
  if (base && base->verdict == Verdict::aborted) {
    auto stopped = aborted("stopped by a signal while the base was judged");
    stopped.phases = std::move(result.phases);
    result = std::move(stopped);
  } else if (!base || base->suites.empty()) {
    // The change's own verdict stands; whose fault its failures are stays unknown.
    note += fmt::format(", no comparison: {}", base ? base->summary : base.error().text());
    watch.on_note(fmt::format("the base {} gave no tests to compare with: {}", options.base.substr(0, 12),
                              base ? base->summary : base.error().text()));
  } else {
    BaseComparison how;
    if (auto deleted = tests_deleted_since(options.tree, options.base, *base)) {
      how.removed_by_change = *std::move(deleted);
    } else {
      watch.on_note(deleted.error().text());
    }
    compare_with_base(result, *base, how);
  }
  result.phases.push_back({"base", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()});
  watch.on_phase_end(result.phases.back(), note);
}

}  // namespace bowsprit::app
