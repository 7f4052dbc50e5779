// SPDX-License-Identifier: Apache-2.0
/// States of a run and the edges between them, as data (Prow: pkg/apis/prowjobs/v1/types.go ProwJobState).
///
///   triggered -> pending -> success | failure | error | aborted
///        \__________________________________________/      (a queued run may be aborted or fail before it starts)
///   pending -> triggered      (the server died: the run starts again)
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace bowsprit::sched {

enum class JobState { triggered, pending, success, failure, aborted, error };
std::string_view to_string(JobState state);
std::optional<JobState> job_state_from_string(std::string_view text);
bool is_final(JobState state);
bool can_move(JobState from, JobState to);

}  // namespace bowsprit::sched
