// SPDX-License-Identifier: Apache-2.0
#include "verdict/variants.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "verdict/judge.h"
#include "verdict/summary.h"

namespace bowsprit {
namespace {

/// From the worst to the best. What stopped all variants comes first, then what the change is to blame for, from the earliest step on.
constexpr std::array kWorstFirst{
    Verdict::aborted,     Verdict::merge_conflict,  Verdict::config_error, Verdict::build_error,   Verdict::boot_error,
    Verdict::crashed,     Verdict::timed_out,       Verdict::failed,       Verdict::missing_tests, Verdict::no_tests,
    Verdict::infra_error, Verdict::no_new_failures, Verdict::passed};

bool same(const Failure& a, const Failure& b) {
  return a.test == b.test && a.status == b.status && a.origin == b.origin && a.file == b.file && a.line == b.line &&
         a.message == b.message;
}

bool same(const Diagnostic& a, const Diagnostic& b) {
  return a.kind == b.kind && a.file == b.file && a.line == b.line && a.message == b.message && a.test == b.test &&
         a.origin == b.origin && a.counts == b.counts;
}

/// Puts what one variant says to what the others said.
template <class Item>
void add(std::vector<Item>& all, std::vector<Item> items, const std::string& variant) {
  // Against those of the other variants only: one kernel that says a thing twice has said it twice.
  const auto others = static_cast<std::ptrdiff_t>(all.size());
  for (auto& item : items) {
    const auto end = all.begin() + others;
    const auto known = std::find_if(
        all.begin(), end, [&](const Item& other) { return same(other, item) && other.variants.back() != variant; });
    if (known != end) {
      known->variants.push_back(variant);
      continue;
    }
    item.variants = {variant};
    all.push_back(std::move(item));
  }
}

void add_phases(std::vector<Phase>& all, const std::vector<Phase>& phases) {
  for (const auto& phase : phases) {
    const auto found = std::ranges::find(all, phase.name, &Phase::name);
    if (found == all.end())
      all.push_back(phase);
    else
      found->seconds += phase.seconds;
  }
}

/// "um+kasan: 1 of 75 tests failed: ...; good: um"
std::string joined_summary(const RunResult& joined, const VariantRun& worst) {
  std::vector<std::string> good;
  std::vector<std::string> bad;
  for (const auto& variant : joined.variants)
    if (variant.name != worst.name) (exit_code(variant.verdict) == 0 ? good : bad).push_back(variant.name);
  if (exit_code(joined.verdict) == 0 && bad.empty()) {
    good.insert(good.begin(), worst.name);
    return fmt::format("{} on {}", joined.verdict == Verdict::passed ? summary_of(joined) : worst.result.summary,
                       join(good, ", "));
  }
  std::string out = fmt::format("{}: {}", worst.name, worst.result.summary);
  if (!bad.empty()) out += fmt::format("; also not good: {}", join(bad, ", "));
  if (!good.empty()) out += fmt::format("; good: {}", join(good, ", "));
  return out;
}

}  // namespace

RunResult join_variants(std::vector<VariantRun> runs) {
  const bool others_ran = std::ranges::any_of(runs, [](const VariantRun& run) {
    return !run.handed_over && run.result.tests.total > run.result.tests.missing;
  });
  // It had nothing to run, and says so in its own line.
  for (auto& run : runs) {
    if (run.handed_over && others_ran && run.result.verdict == Verdict::no_tests && run.result.tests.missing == 0) {
      run.result.verdict = Verdict::passed;
      run.result.summary = "has none of the tests; the other variants run them";
    }
  }
  const auto rank = [](const VariantRun& run) {
    return std::ranges::find(kWorstFirst, run.result.verdict) - kWorstFirst.begin();
  };
  const auto worst = std::ranges::min_element(runs, {}, rank);
  if (worst == runs.end()) return {};
  RunResult joined;
  joined.verdict = worst->result.verdict;
  joined.reproduce = worst->result.reproduce;
  for (auto& run : runs) {
    auto& result = run.result;
    joined.variants.push_back({run.name, result.verdict, result.summary, result.tests});
    add(joined.failures, std::move(result.failures), run.name);
    add(joined.diagnostics, std::move(result.diagnostics), run.name);
    merge_tests(joined.suites, std::move(result.suites));
    add_phases(joined.phases, result.phases);
  }
  joined.tests = count_tests(joined.suites);
  joined.summary = joined_summary(joined, *worst);
  return joined;
}

}  // namespace bowsprit
