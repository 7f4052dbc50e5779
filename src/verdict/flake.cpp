// SPDX-License-Identifier: Apache-2.0
#include "verdict/flake.h"

#include <set>
#include <tuple>

namespace bowsprit {
namespace {

using ktap::TestStatus;

bool is_run(TestStatus status) { return status != TestStatus::skipped && status != TestStatus::missing; }

enum class Base { good, bad, maybe_bad, unknown };

Base evidence(const HistoricOutcome& outcome) {
  if (!is_run(outcome.status) || outcome.origin == Origin::flaky) return Base::unknown;
  if (is_good(outcome.status)) return Base::good;
  switch (outcome.origin) {
    case Origin::new_failure: return Base::good;
    case Origin::also_on_base: return Base::bad;
    case Origin::flaky: return Base::unknown;
    case Origin::unknown: return Base::maybe_bad;
  }
  return Base::unknown;
}

void find_break(std::span<const HistoricOutcome> outcomes, TestTrend& trend) {
  bool sure = false;
  std::optional<int> change;
  std::optional<std::int64_t> first_bad;
  for (const auto& outcome : outcomes) {
    const Base base = evidence(outcome);
    if (base == Base::unknown) continue;
    if (base == Base::good) {
      if (first_bad) trend.last_good = outcome.run;
      break;
    }
    first_bad = outcome.run;
    sure = sure || base == Base::bad || (change && *change != outcome.change);
    change = outcome.change;
  }
  trend.base_broken = sure;
  if (sure)
    trend.first_bad = first_bad;
  else
    trend.last_good.reset();
}

}  // namespace

TestTrend trend_of(std::span<const HistoricOutcome> outcomes) {
  TestTrend trend;
  std::set<std::tuple<int, int, std::string_view>> passed;  // code on which it passed at least once
  const auto code_of = [](const HistoricOutcome& outcome) {
    return std::tuple(outcome.change, outcome.patchset, outcome.base);
  };
  for (const auto& outcome : outcomes)
    if (is_run(outcome.status) && is_good(outcome.status)) passed.insert(code_of(outcome));
  for (const auto& outcome : outcomes) {
    if (!is_run(outcome.status)) continue;
    ++trend.ran;
    const bool failed = !is_good(outcome.status);
    // Without a base nobody knows whether two runs tested the same code.
    const bool contradicted = failed && !outcome.base.empty() && passed.contains(code_of(outcome));
    const bool flaky = outcome.origin == Origin::flaky || contradicted;
    trend.failed += failed || flaky ? 1 : 0;
    trend.flaky += flaky ? 1 : 0;
    trend.caused += failed && !flaky && outcome.origin == Origin::new_failure ? 1 : 0;
  }
  if (trend.ran > 0) trend.rate = static_cast<double>(trend.flaky) / trend.ran;
  find_break(outcomes, trend);
  return trend;
}

}  // namespace bowsprit
