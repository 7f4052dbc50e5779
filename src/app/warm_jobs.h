// SPDX-License-Identifier: Apache-2.0
/// Which warm trees a server keeps without a job that asks for one: of each job that starts by itself, on the branches
/// that it names plainly ("master", "^release/6.12$"), else on the one that the repository's HEAD names. Other branches
/// get theirs when a job first runs there.
/// Does not: make any (exec/local/warm_keeper.h). Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/server_config.h"
#include "exec/executor.h"

namespace bowsprit::app {

/// The one branch that a regular expression of Prow's `branches` can only mean; nullopt where it may mean several.
std::optional<std::string> plain_branch(std::string_view expression);

/// Requests without pulls; an empty refs.base_ref means HEAD.
std::vector<exec::RunRequest> warm_requests(
    const ServerConfig& config,
    const std::function<std::vector<prow::Presubmit>(const std::string& project)>& jobs_for);

}  // namespace bowsprit::app
