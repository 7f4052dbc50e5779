// SPDX-License-Identifier: Apache-2.0
/// Inside of report.h: what is told of a job that did not pass, and how it is fitted into the room that is left.
/// Pure. Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace bowsprit::report {

inline constexpr std::string_view kHeaderStart = "Prow Status:";
inline constexpr std::string_view kKeyStart = "bowsprit-report: ";

std::string upper_case(std::string_view ascii);

/// Foreign text on one line, cut, without what would end a code span; `code` with the span around it.
std::string one_line(std::string_view text, std::size_t limit);
std::string code(std::string_view text, std::size_t limit);
/// A line of the message: what failed, where, and why.
std::string item_of(const Failure& failure);
std::string item_of(const Diagnostic& diagnostic);

/// Whole lines, each with its line end.
struct JobDetails {
  std::string head;                ///< the verdict as a sentence
  std::vector<std::string> items;  ///< failing tests, build errors, kernel reports; the most telling first
  std::size_t more = 0;            ///< items beyond those, which only are counted
  std::string reproduce;           ///< empty: none
};

/// With at most `items` items; the rest is counted.
JobDetails details_of(const JobLine& job, std::string_view name, bool infrastructure, std::size_t items);

/// At least the bytes that write_details would take with room enough.
std::size_t full_size(const std::vector<JobDetails>& details);

/// As much as fits into `budget`, fairly: every job's sentence, then every job's command, then the first item of each job, the second of each, ...
/// A job whose items do not all fit says how many more there are; sentences that do not fit are counted in a last line.
std::string write_details(const std::vector<JobDetails>& details, std::size_t budget);

}  // namespace bowsprit::report
