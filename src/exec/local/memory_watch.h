// SPDX-License-Identifier: Apache-2.0
/// What the processes of a sandbox hold, counted from outside: the memory limit where no control group may be made.
/// Counts private memory of every descendant of process 1 (orphans are its children, so none is missed); what is
/// written to a tmpfs is limited by that tmpfs's size. Does not: stop anything. Threads: any.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace bowsprit::exec {

struct MemoryUse {
  std::uint64_t bytes = 0;
  int processes = 0;
};

/// Of `pid` and its descendants now; zeros where it is gone.
MemoryUse memory_of_tree(pid_t pid);

}  // namespace bowsprit::exec
