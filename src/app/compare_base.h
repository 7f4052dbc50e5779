// SPDX-License-Identifier: Apache-2.0
/// What the base says of a result: the origin of each failure, and the tests that ran there and are gone.
/// Does not: decide (verdict/judge.h compares). Threads: the calling one.
#pragma once

#include "app/judge_tree.h"
#include "verdict/run_result.h"

namespace bowsprit::app {

/// Judges options.base too, and adds what follows from it to `result`.
void add_comparison(RunResult& result, const JudgeTreeOptions& options, JudgeTreeWatch& watch);

}  // namespace bowsprit::app
