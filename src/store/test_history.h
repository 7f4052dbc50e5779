// SPDX-License-Identifier: Apache-2.0
/// What each test did in each run: the memory behind flake rates and the pages of a test and of a job's tests.
///
/// A run's results are written once, when it ends, and packed: about two bytes each, four where the kernel printed times
/// (a test measures it). Names are stored once. A name longer than 400 bytes is cut, control characters are replaced;
/// of one name twice in a run the worse outcome stays; of a run with more than 50,000 names the first ones. Times are kept to 0.1 ms.
/// Does not: judge (verdict/flake.h does), or keep logs and messages; they are in result.json.
/// Threads and errors: as the Store that it works on, which must outlive it.
#pragma once

#include "ktap/result_tree.h"
#include "store/store.h"
#include "verdict/run_result.h"

namespace bowsprit::store {

struct TestOutcome {
  ktap::TestStatus status = ktap::TestStatus::missing;
  Origin origin = Origin::unknown;
  std::optional<double> seconds;
};
struct TestResult {
  std::string test;  ///< "suite.case", "suite.case.param"
  TestOutcome outcome;
};

/// What a test did in one run.
struct TestRun {
  Run run;
  TestOutcome outcome;
};
/// A part of a history, newest first.
struct TestRuns {
  std::vector<TestRun> entries;
  std::int64_t next_before = 0;  ///< where the next part begins; 0: there is none
};

/// Runs of a job side by side.
struct JobGrid {
  std::vector<Run> runs;  ///< newest first; also those that ended without results
  struct Row {
    std::string test;
    std::vector<std::optional<TestOutcome>> outcomes;  ///< one for each run; none: it was not there
  };
  std::vector<Row> rows;         ///< at most 500, in the order in which the tests were first seen
  std::int64_t next_test = 0;    ///< after which the next rows of these runs come; 0: there are none
  std::size_t left_out = 0;      ///< tests that did well in all of these runs, where only others were asked for
  std::int64_t next_before = 0;  ///< as in TestRuns
};

class TestHistory {
 public:
  explicit TestHistory(Store& store) : store_(store) {}

  /// Replaces what is there of the run. All or nothing.
  Result<> save(std::int64_t run, const std::string& job, SystemTime when, std::vector<TestResult> results);
  /// Forgets results of at most `limit` runs that were queued before `cutoff`, then names that nothing used since then;
  /// how many runs. Call it again while it gives `limit`.
  Result<int> prune(SystemTime cutoff, int limit = 200);

  /// Names that contain all words, in any case, after the name `after`, sorted.
  Result<std::vector<std::string>> search(const std::string& words, const std::string& after, int limit);
  /// Jobs in which the test was seen, sorted.
  Result<std::vector<std::string>> jobs_of(const std::string& test);
  /// Runs of the job before run `before` (0: from the newest) that have a result of the test. Looks at 5000 runs at
  /// most: where they hold fewer than `limit` results, the part is short and still has a next one.
  Result<TestRuns> of_test(const std::string& test, const std::string& job, std::int64_t before, int limit);
  /// @param all  also tests that were good in all of these runs
  /// @param after_test  JobGrid::next_test of the rows before; 0: from the first one
  Result<JobGrid> of_job(const std::string& job, std::int64_t before, int limit, bool all, std::int64_t after_test = 0);

 private:
  Store& store_;
};

}  // namespace bowsprit::store
