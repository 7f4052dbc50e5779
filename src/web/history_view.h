// SPDX-License-Identifier: Apache-2.0
/// What the pages and data of tests over time show, as values. Does not: read anything. Threads: plain values.
#pragma once

#include "base/json.h"
#include "store/test_history.h"
#include "verdict/flake.h"
#include "web/view.h"

namespace bowsprit::web {

/// One test in one job.
struct TestView {
  std::string test;
  std::string job;                ///< whose history it is; empty: it was never seen
  std::vector<std::string> jobs;  ///< all in which it was seen
  store::TestRuns history;
  int limit = 0;  ///< of this part
  TestTrend trend;
  SystemTime now{};
};
TestTrend trend_of(const std::vector<store::TestRun>& newest_first);
/// The entry of the run, or null.
const store::TestRun* entry_of(const TestView& view, std::optional<std::int64_t> run);

/// The tests of a job's latest runs.
struct JobHistoryView {
  std::string job;
  store::JobGrid grid;
  std::int64_t before = 0;  ///< of these runs; 0: the newest
  int limit = 0;
  bool all = false;  ///< also the tests that were always good
  SystemTime now{};
};
/// Of one row: in how many runs it was there, was bad, flaked.
struct RowCounts {
  int ran = 0;
  int bad = 0;
  int flaky = 0;
};
RowCounts counts_of(const store::JobGrid::Row& row);

struct TestsView {
  std::string words;
  std::vector<std::string> tests;
  bool more = false;  ///< there are more after the last one
  int limit = 0;
};

std::string test_url(std::string_view test, std::string_view job);
std::string job_history_url(std::string_view job);
/// Gerrit's own browser of commits (Gitiles): what came into the branch between two runs. Empty where a commit is not
/// known, or both are the same.
std::string gerrit_log_url(const store::Run& older, const store::Run& newer);

std::string test_page(const TestView& view);
std::string tests_page(const TestsView& view);
std::string job_history_page(const JobHistoryView& view);

Json test_history_json(const TestView& view);
Json tests_json(const TestsView& view);
Json job_history_json(const JobHistoryView& view);

}  // namespace bowsprit::web
