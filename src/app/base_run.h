// SPDX-License-Identifier: Apache-2.0
/// The other half of `bowsprit run --base REV`: the same judgement of a commit that the change is compared with.
///
/// Its source is checked out below the build folder with an index of its own, so the tree's HEAD, index and worktree list stay as
/// they are; from one base to the next only changed files are written, so the base's build is warm too. A result is kept by
/// source and kunitconfig: the same base is built once.
/// Does not: decide (verdict/judge.h compares).
/// Threads: the calling one.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "app/judge_tree.h"
#include "base/result.h"
#include "verdict/run_result.h"

namespace bowsprit::app {

/// The commit that `revision` means in the tree's repository, 40 hex digits or more.
/// @error usage  the tree is no git checkout, or has no such commit
Result<std::string> resolve_revision(const fs::path& tree, const std::string& revision);

/// Judges commit `base` with the options of the change's run. Artifacts go to BUILD/base/artifacts.
/// @error os, timeout  the source could not be checked out
Result<RunResult> judge_base(const JudgeTreeOptions& change, const std::string& base, JudgeTreeWatch& watch);

/// Where judge_base builds.
fs::path base_build_folder(const JudgeTreeOptions& change);

/// What the change changes in C files since commit `base`: options.change_diff, else by the tree's git.
Result<std::string> change_diff(const JudgeTreeOptions& options, const std::string& base);

/// Suites and cases ("suite", "suite.case") of the base that the change deletes from the source or moves to another suite, by its
/// diff: their definition is gone, not only their registration; or they are registered elsewhere, and ran there (in `now`).
std::set<std::string> deleted_tests(std::string_view diff, const RunResult& base, const RunResult& now);

}  // namespace bowsprit::app
