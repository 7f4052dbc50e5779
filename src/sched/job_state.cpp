// SPDX-License-Identifier: Apache-2.0
#include "sched/job_state.h"

#include <algorithm>
#include <utility>

namespace bowsprit::sched {
namespace {

using enum JobState;

constexpr std::array kNames{
    std::pair{triggered, std::string_view("triggered")}, std::pair{pending, std::string_view("pending")},
    std::pair{success, std::string_view("success")},     std::pair{failure, std::string_view("failure")},
    std::pair{aborted, std::string_view("aborted")},     std::pair{error, std::string_view("error")},
};

constexpr std::array kEdges{
    std::pair{triggered, pending}, std::pair{triggered, aborted}, std::pair{triggered, error},
    std::pair{pending, triggered}, std::pair{pending, success},   std::pair{pending, failure},
    std::pair{pending, aborted},   std::pair{pending, error},
};

}  // namespace

std::string_view to_string(JobState state) {
  const auto* it = std::ranges::find(kNames, state, &decltype(kNames)::value_type::first);
  return it == kNames.end() ? "error" : it->second;
}

std::optional<JobState> job_state_from_string(std::string_view text) {
  const auto* it = std::ranges::find(kNames, text, &decltype(kNames)::value_type::second);
  return it == kNames.end() ? std::nullopt : std::optional(it->first);
}

bool is_final(JobState state) { return state != triggered && state != pending; }

bool can_move(JobState from, JobState to) { return std::ranges::find(kEdges, std::pair{from, to}) != kEdges.end(); }

}  // namespace bowsprit::sched
