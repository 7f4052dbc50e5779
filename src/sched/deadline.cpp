// SPDX-License-Identifier: Apache-2.0
#include "sched/deadline.h"

#include <array>

#include <fmt/core.h>

namespace bowsprit::sched {
namespace {

struct Rule {
  JobState state;
  std::string_view phase;  ///< empty: any
  milliseconds Deadlines::* limit;
  std::string_view name;
  std::string_view what;
};
constexpr std::array kRules{
    Rule{JobState::triggered, "", &Deadlines::scheduling, "scheduling timeout", "it waited in the queue"},
    Rule{JobState::pending, "source", &Deadlines::pending, "pending timeout", "its source was not there"},
    Rule{JobState::pending, "run", &Deadlines::running, "running timeout", "it ran"},
};

}  // namespace

std::optional<std::string> overdue(const Stay& stay, const Deadlines& limits) {
  for (const Rule& rule : kRules) {
    if (rule.state != stay.state || (!rule.phase.empty() && rule.phase != stay.phase)) continue;
    const milliseconds limit = limits.*rule.limit;
    if (limit.count() > 0 && stay.for_time >= limit)
      return fmt::format("{}: {} for {}", rule.name, rule.what,
                         format_duration(std::chrono::floor<seconds>(stay.for_time)));
  }
  return std::nullopt;
}

}  // namespace bowsprit::sched
