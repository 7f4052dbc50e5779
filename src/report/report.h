// SPDX-License-Identifier: Apache-2.0
/// The Gerrit message and vote for the runs of one patch set, in Prow's format (prow pkg/crier/reporters/gerrit/reporter.go), then KUnit's own lines.
///
/// Pure and golden-tested. Does not: post. The message is valid UTF-8 and at most `limit` bytes in every case; a failing job's
/// line is never dropped before details, and what is left out is counted in the text.
#pragma once

#include <optional>
#include <string>
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
  std::size_t limit = 15 * 1024;
  std::string key;  ///< last line "bowsprit-report: KEY", by which a posted report is found again
};

struct ReportText {
  std::string message;
  int vote =
      0;  ///< +1 all required jobs succeeded, -1 one failed by the change, 0 where only the infrastructure failed
};

ReportText make_report(const std::vector<JobLine>& jobs, const Options& options);

}  // namespace bowsprit::report
