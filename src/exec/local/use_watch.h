// SPDX-License-Identifier: Apache-2.0
/// What a sandbox holds, counted from outside, for limits that the kernel does not keep for us: memory where no
/// control group may be made, disk where the scratch folder is no tmpfs. Counts private memory of every descendant of
/// process 1 (orphans are its children, so none is missed); what is written to a tmpfs is limited by that tmpfs's
/// size.
/// Does not: stop anything.
/// Threads: any.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace bowsprit::exec {

struct MemoryUse {
  std::uint64_t bytes = 0;
  int processes = 0;
};

/// Of `pid` and its descendants now; zeros where it is gone.
MemoryUse memory_of_tree(pid_t pid);
/// Bytes on disk of all files below `folder`; follows no link, and leaves out what it can't read.
std::uint64_t disk_use(const std::filesystem::path& folder);

}  // namespace bowsprit::exec
