// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

namespace bowsprit::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> table{
      run_command(),        presubmit_command(), serve_command(),        jobs_command(),         pod_command(),
      rerun_command(),      abort_command(),     trigger_command(),      config_check_command(), parse_command(),
      report_command(),     warm_command(),      sandbox_init_command(), clonerefs_command(),    initupload_command(),
      entrypoint_command(), sidecar_command(),
  };
  return table;
}

}  // namespace bowsprit::cli
