// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

namespace bowsprit::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> table{
      abort_command(),
      config_check_command(),
      jobs_command(),
      parse_command(),
      presubmit_command(),
      rerun_command(),
      sandbox_init_command(),
      serve_command(),
      trigger_command(),
  };
  return table;
}

}  // namespace bowsprit::cli
