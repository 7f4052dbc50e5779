// SPDX-License-Identifier: Apache-2.0
/// What the changed files of a change say about a job: run_if_changed, skip_if_only_changed (Prow: RegexpChangeMatcher in
/// pkg/config/jobs.go). Inside trigger/ only. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gerrit/change.h"
#include "prow/job.h"

namespace bowsprit::trigger {

/// The paths of the current patch set against its own parent, so each change of a stack is judged by its own files. A
/// renamed file counts with its old path too; a copied one does not.
std::vector<std::string> changed_paths(const gerrit::Change& change);

/// For a job that has one of the two expressions. "run_if_changed 'x' matches lib/x.c", or nullopt where no changed file
/// lets it run; `why_not` is filled then.
std::optional<std::string> changed_files_say(const prow::ChangeJob& job, const std::vector<std::string>& files,
                                             std::string& why_not);

}  // namespace bowsprit::trigger
