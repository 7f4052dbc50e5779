// SPDX-License-Identifier: Apache-2.0
/// The Gerrit message and vote for the runs of one patch set, in Prow's format (prow pkg/crier/reporters/gerrit/reporter.go), then KUnit's own lines.
///
///   Prow Status: 1 out of 2 pjs passed! ...              what Prow's parser and people's scripts read
///   ❌ [kunit-um](https://ci/run/7) FAILURE
///   ✔️ [kunit-x86](https://ci/run/8) SUCCESS
///
///   kunit-um: 1 of 75 tests failed                       what the author needs: test, place, message, command
///   - `example.parse_test` failed at lib/x.c:282: `Expected 1 == 2, ...`
///   Reproduce: `...`
///
///   bowsprit-report: 4711.2                              by which a posted report is found again
///
/// Each failure says whether it is new, also on the base, or flaky; a job that passed with such excused failures lists them as well.
/// Failing jobs come first. A job without page gets Prow's form without URL, not its "(URL_NOT_FOUND)", which Prow prints and cannot read back.
/// Everything that jobs say is foreign text: it is put on one line, cut, and shown as code, and can neither end that code nor look like a job's line.
/// Pure and golden-tested. Does not: post. The message is valid UTF-8 and at most `limit` bytes in every case; a failing job's
/// line is never dropped before details, and what is left out is counted in the text.
/// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sched/job_state.h"
#include "verdict/run_result.h"

namespace bowsprit::report {

struct JobLine {
  std::string job;
  sched::JobState state = sched::JobState::success;
  std::string url;  ///< of the run's page; empty: none
  bool optional = false;
  std::string description;
  std::optional<RunResult> result;  ///< result.json of the run, where there is one
};

struct Options {
  std::size_t limit = 15 * 1024;  ///< bytes; at least kSmallestLimit is used
  std::string key;                ///< last line "bowsprit-report: KEY", by which a posted report is found again
};
inline constexpr std::size_t kSmallestLimit = 300;  ///< the header and a note on what is left out fit

struct ReportText {
  std::string message;
  /// +1 all required jobs succeeded, -1 one failed by the change, 0 where only the infrastructure failed, a run is not finished, or nothing was required
  int vote = 0;
};

ReportText make_report(const std::vector<JobLine>& jobs, const Options& options);

/// A job as a report names it; `url` may be empty.
struct ReportedJob {
  std::string job;
  sched::JobState state = sched::JobState::success;
  std::string url;
  bool operator==(const ReportedJob&) const = default;
};
/// One line of a report; nullopt where it is not a job's.
std::optional<ReportedJob> parse_job_line(std::string_view line);
/// Reads any report of Prow or of ours, also one that Gerrit has put "Patch Set 2: Verified-1" above: all four forms of Prow's job lines.
/// Lines that are none are skipped; nullopt where no line begins with "Prow Status:".
std::optional<std::vector<ReportedJob>> parse_report(std::string_view message);
/// The KEY of the "bowsprit-report: KEY" line; nullopt where there is none.
std::optional<std::string> report_key(std::string_view message);

}  // namespace bowsprit::report
