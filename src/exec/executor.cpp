// SPDX-License-Identifier: Apache-2.0
#include "exec/executor.h"

namespace bowsprit::exec {

std::string_view to_string(RunState state) {
  switch (state) {
    case RunState::exited: return "exited";
    case RunState::timed_out: return "timed_out";
    case RunState::aborted: return "aborted";
    case RunState::merge_conflict: return "merge_conflict";
    case RunState::over_limit: return "over_limit";
    case RunState::infra_error: return "infra_error";
  }
  return "unknown";
}

}  // namespace bowsprit::exec
