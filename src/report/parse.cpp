// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/strings.h"
#include "report/details.h"
#include "report/report.h"

namespace bowsprit::report {

using sched::JobState;

namespace {

std::optional<JobState> state_of(std::string_view word) {
  for (const auto state : {JobState::triggered, JobState::pending, JobState::success, JobState::failure,
                           JobState::aborted, JobState::error})
    if (word == upper_case(to_string(state))) return state;
  return std::nullopt;
}

}  // namespace

std::optional<ReportedJob> parse_job_line(std::string_view line) {
  const auto words = split(line, ' ');
  if (words.size() < 3 || std::ranges::any_of(words, &std::string::empty)) return std::nullopt;
  // legacy: ICON NAME STATE - URL
  if (words.size() == 5 && words[3] == "-") {
    const auto state = state_of(words[2]);
    return state ? std::optional(ReportedJob{words[1], *state, words[4]}) : std::nullopt;
  }
  const auto state = state_of(words.back());
  if (!state) return std::nullopt;
  if (words.size() == 4 && words[2] == "(URL_NOT_FOUND)") return ReportedJob{words[1], *state, {}};
  if (words.size() != 3) return std::nullopt;
  const std::string_view name = words[1];
  const auto middle = name.rfind("](");
  if (name.starts_with('[') && name.ends_with(')') && middle != std::string_view::npos)
    return ReportedJob{std::string(name.substr(1, middle - 1)), *state,
                       std::string(name.substr(middle + 2, name.size() - middle - 3))};
  return ReportedJob{words[1], *state, {}};
}

std::optional<std::vector<ReportedJob>> parse_report(std::string_view message) {
  std::optional<std::vector<ReportedJob>> jobs;
  for (const auto& line : split_lines(message)) {
    if (!jobs) {
      if (line.starts_with(kHeaderStart)) jobs.emplace();
    } else if (auto job = parse_job_line(line)) {
      jobs->push_back(std::move(*job));
    }
  }
  return jobs;
}

std::optional<std::string> report_key(std::string_view message) {
  std::optional<std::string> key;
  for (const auto& line : split_lines(message))
    if (line.starts_with(kKeyStart)) key = line.substr(kKeyStart.size());
  return key;
}

}  // namespace bowsprit::report
