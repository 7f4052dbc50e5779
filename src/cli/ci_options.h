// SPDX-License-Identifier: Apache-2.0
/// The options by which `serve`, `presubmit` and `warm` say which Gerrit, which jobs and which machine: bowsprit.yaml, then the flags over it.
#pragma once

#include "app/server_config.h"
#include "cli/command.h"

namespace bowsprit::cli {

std::vector<Option> ci_options();
/// @error usage, bad_config  with every problem of the file
Result<app::ServerConfig> ci_config(const Arguments& arguments);

}  // namespace bowsprit::cli
