// SPDX-License-Identifier: Apache-2.0
#include "app/compare_base.h"

#include <algorithm>
#include <optional>

#include "app/base_run.h"
#include "app/try_again.h"
#include "verdict/judge.h"
#include "verdict/origin.h"

namespace bowsprit::app {
namespace {

std::string short_id(const std::string& commit) { return commit.substr(0, 12); }

std::string count_of(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

class Origins {
 public:
  Origins(RunResult& result, const JudgeTreeOptions& options, const JudgedKernel& kernel, JudgeTreeWatch& watch)
      : result_(result), options_(options), kernel_(kernel), watch_(watch) {}

  void add() {
    const auto start = std::chrono::steady_clock::now();
    const bool going_on = options_.base.empty() ? find_base() : judge_base();
    if (going_on) {
      settle();
      try_tests_again();
    }
    if (notes_.empty()) return;  // nothing was booted, nothing took time
    result_.phases.push_back({"base", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()});
    std::string note;
    for (const auto& one : notes_) note += (note.empty() ? "" : ", ") + one;
    watch_.on_phase_end(result_.phases.back(), note);
  }

 private:
  /// --base: the commit is built and run like the change.
  bool judge_base() {
    begin_phase();
    notes_.push_back(short_id(options_.base));
    auto base = app::judge_base(options_, options_.base, watch_);
    if (base && base->verdict == Verdict::aborted) {
      stop("while the base was judged");
      return false;
    }
    if (!base || base->suites.empty()) {
      // The change's own verdict stands; whose fault its failures are stays unknown.
      const auto why = base ? base->summary : base.error().text();
      notes_.push_back("no comparison: " + why);
      watch_.on_note(fmt::format("the base {} gave no tests to compare with: {}", short_id(options_.base), why));
      return true;
    }
    base_ = KeptBase{.result = *std::move(base)};
    auto wanted = kernel_.from;
    wanted.commit = options_.base;
    // Its result may be an older one, its kernel by now another commit's.
    if (auto kept = find_kept_base(base_build_folder(options_), wanted)) {
      base_->kernel = std::move(kept->kernel);
      base_->boot_arguments = std::move(kept->boot_arguments);
    }
    return true;
  }

  bool find_base() {
    if (options_.kept_base.empty()) return true;
    auto wanted = kernel_.from;
    wanted.commit = options_.kept_base;
    auto kept = find_kept_base(options_.build, wanted);
    if (kept)
      base_ = *std::move(kept);
    else
      watch_.on_note(fmt::format("no comparison with the base: {}", kept.error().message));
    return true;
  }

  void settle() {
    evidence_.strict = options_.strict;
    if (base_) {
      evidence_.base = &base_->result;
      evidence_.same_configuration = base_->same_configuration;
      const auto& commit = options_.base.empty() ? options_.kept_base : options_.base;
      if (auto diff = change_diff(options_, commit))
        evidence_.removed_by_change = deleted_tests(*diff, base_->result, result_);
      else
        watch_.on_note(diff.error().text());
      settle_origins(result_, evidence_);
    }
  }

  void try_tests_again() {
    const auto tests = worth_trying_again(result_, evidence_);
    if (tests.empty()) return;
    begin_phase();
    TryAgainOptions how{.kernel = {.boot = kernel_.boots(kernel_.kernel, kernel_.boot_arguments),
                                   .console = options_.artifacts / "retries.log",
                                   .suite_limit = options_.suite_limit,
                                   .jobs = options_.jobs},
                        .base_console = options_.artifacts / "base.log",
                        .limit = options_.boot_limit,
                        .failed_in = kernel_.failed_in};
    if (base_ && base_->same_configuration && !base_->kernel.empty())
      how.base_kernel = kernel_.boots(base_->kernel, base_->boot_arguments);
    auto tried = try_again(result_, tests, evidence_.base, how);
    if (!tried && tried.error().kind == ErrorKind::cancelled) return stop("while failing tests were tried again");
    if (tried) {
      evidence_.tried = std::move(tried->tests);
      notes_.push_back(fmt::format("{} tried again in {}", count_of(evidence_.tried.size(), "failing test"),
                                   count_of(static_cast<std::size_t>(tried->boots), "boot")));
    } else {
      watch_.on_note(tried.error().text());
      for (const auto& test : tests) evidence_.tried[test].cut = true;
      notes_.emplace_back("failing tests could not be tried again");
    }
    settle_origins(result_, evidence_);
    for (auto& failure : result_.failures) explain(failure);
  }

  /// What the origin alone does not say.
  void explain(Failure& failure) const {
    const auto found = evidence_.tried.find(failure.test);
    if (found == evidence_.tried.end()) return;
    const auto& [alone, same_way, on_base, cut] = found->second;
    if (failure.origin == Origin::new_failure && same_way.passed > 0)
      failure.message += "\npassed when tried again, but the base has no such test: a new test must be reliable";
    else if (alone.passed > 0 && same_way.passed == 0 && !cut)
      failure.message += "\npasses alone: what runs before it makes it fail";
    else if (cut)
      failure.message += "\nthere was no time to see whether it fails each time";
  }

  void begin_phase() {
    if (in_phase_) return;
    in_phase_ = true;
    watch_.on_phase("base");
  }

  void stop(std::string_view when) {
    auto stopped = aborted(fmt::format("stopped by a signal {}", when));
    stopped.phases = std::move(result_.phases);
    result_ = std::move(stopped);
    notes_.emplace_back("stopped");
  }

  RunResult& result_;
  const JudgeTreeOptions& options_;
  const JudgedKernel& kernel_;
  JudgeTreeWatch& watch_;
  std::optional<KeptBase> base_;
  Evidence evidence_;
  std::vector<std::string> notes_;
  bool in_phase_ = false;
};

}  // namespace

void add_origins(RunResult& result, const JudgeTreeOptions& options, const JudgedKernel& kernel,
                 JudgeTreeWatch& watch) {
  Origins(result, options, kernel, watch).add();
}

}  // namespace bowsprit::app
