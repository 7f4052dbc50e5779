// SPDX-License-Identifier: Apache-2.0
#include "app/outcome.h"

#include <gtest/gtest.h>

namespace bowsprit::app {
namespace {

using exec::RunOutcome;
using exec::RunState;
using sched::JobState;

RunResult result_of(Verdict verdict) {
  RunResult result;
  result.verdict = verdict;
  result.summary = "as the job says";
  return result;
}

struct Row {
  const char* name;
  RunState state;
  int exit_code;
  std::optional<Verdict> claimed;
  JobState expected_state;
  Verdict expected_verdict;
  int retries;
};

class Outcome : public testing::TestWithParam<Row> {};

TEST_P(Outcome, StateAndVerdict) {
  const Row& row = GetParam();
  RunOutcome outcome;
  outcome.state = row.state;
  outcome.exit_code = row.exit_code;
  const auto judged = judge_outcome(outcome, row.claimed ? std::optional(result_of(*row.claimed)) : std::nullopt);
  EXPECT_EQ(judged.state, row.expected_state);
  EXPECT_EQ(to_string(judged.result.verdict), to_string(row.expected_verdict));
  EXPECT_EQ(judged.retries, row.retries);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Outcome,
    testing::Values(
        Row{"green", RunState::exited, 0, Verdict::passed, JobState::success, Verdict::passed, 0},
        Row{"also_on_base", RunState::exited, 0, Verdict::no_new_failures, JobState::success, Verdict::no_new_failures,
            0},
        Row{"red", RunState::exited, 1, Verdict::crashed, JobState::failure, Verdict::crashed, 0},
        Row{"no_files_green", RunState::exited, 0, std::nullopt, JobState::success, Verdict::passed, 0},
        Row{"no_files_red", RunState::exited, 127, std::nullopt, JobState::failure, Verdict::failed, 0},
        // A job can't talk itself green: neither by its exit code alone nor by its file alone.
        Row{"code_against_file", RunState::exited, 0, Verdict::failed, JobState::failure, Verdict::failed, 0},
        Row{"file_against_code", RunState::exited, 1, Verdict::passed, JobState::failure, Verdict::failed, 0},
        Row{"killed_but_green_file", RunState::timed_out, 0, Verdict::passed, JobState::failure, Verdict::timed_out, 0},
        Row{"says_aborted", RunState::exited, 3, Verdict::aborted, JobState::error, Verdict::infra_error,
            kAsOftenAsAllowed},
        Row{"infra", RunState::infra_error, 0, std::nullopt, JobState::error, Verdict::infra_error, kAsOftenAsAllowed},
        Row{"infra_in_job", RunState::exited, 3, Verdict::infra_error, JobState::error, Verdict::infra_error,
            kAsOftenAsAllowed},
        Row{"killed", RunState::exited, 137, std::nullopt, JobState::error, Verdict::infra_error, kAsOftenAsAllowed},
        Row{"killed_after_green", RunState::exited, 137, Verdict::passed, JobState::error, Verdict::infra_error,
            kAsOftenAsAllowed},
        Row{"killed_after_red", RunState::exited, 137, Verdict::crashed, JobState::failure, Verdict::crashed, 0},
        Row{"over_limit", RunState::over_limit, 137, Verdict::passed, JobState::error, Verdict::infra_error, 1},
        Row{"aborted", RunState::aborted, 0, Verdict::passed, JobState::aborted, Verdict::aborted, 0},
        Row{"conflict", RunState::merge_conflict, 0, std::nullopt, JobState::failure, Verdict::merge_conflict, 0}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(OutcomeText, NamesTheConflictingFiles) {
  RunOutcome outcome;
  outcome.state = RunState::merge_conflict;
  outcome.conflicts = {"lib/a.c", "lib/b.c"};
  const auto judged = judge_outcome(outcome, std::nullopt);
  EXPECT_NE(judged.result.summary.find("lib/a.c, lib/b.c"), std::string::npos);
  EXPECT_EQ(judged.result.diagnostics.size(), 2U);
}

}  // namespace
}  // namespace bowsprit::app
