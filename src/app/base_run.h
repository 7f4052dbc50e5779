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

/// Suites and cases ("suite", "suite.case") that the change deletes from the source, by its diff against the base: their definition is
/// gone, not only their registration.
Result<std::set<std::string>> tests_deleted_since(const fs::path& tree, const std::string& base,
                                                  const RunResult& base_result);
std::set<std::string> deleted_tests(std::string_view diff, const RunResult& base_result);

}  // namespace bowsprit::app
