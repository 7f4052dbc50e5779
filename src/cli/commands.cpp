// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

namespace bowsprit::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> table{
      config_check_command(),
      parse_command(),
      sandbox_init_command(),
      trigger_command(),
  };
  return table;
}

}  // namespace bowsprit::cli
