// SPDX-License-Identifier: Apache-2.0
/// The table of subcommands, in the order of `bowsprit --help`. A command lives in cli/NAME.cpp and is one line here
/// and one in commands.cpp.
#pragma once

#include "cli/command.h"

namespace bowsprit::cli {

const std::vector<Command>& commands();

Command abort_command();
Command clonerefs_command();
Command config_check_command();
Command entrypoint_command();
Command initupload_command();
Command jobs_command();
Command parse_command();
Command pod_command();
Command presubmit_command();
Command rerun_command();
Command run_command();
Command report_command();
Command sandbox_init_command();
Command serve_command();
Command sidecar_command();
Command trigger_command();
Command warm_command();

}  // namespace bowsprit::cli
