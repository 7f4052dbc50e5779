// SPDX-License-Identifier: Apache-2.0
/// Where User-Mode Linux can put its memory. It maps a sparse file of its memory's size (arch/um/os-Linux/mem.c:
/// $TMPDIR, $TMP, $TEMP, /dev/shm, /tmp), so that folder must allow execution and have room; else the kernel dies
/// before its first line, or with a bus error in the middle of a test. Docker's /dev/shm has 64 MB and noexec. Does
/// not: keep the space reserved. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/files.h"

namespace bowsprit::kernel {

struct MemoryFolder {
  fs::path path;
  std::string note;  ///< why not the first choice, or that the room may not do; empty: all is well
};

/// Below this the boot itself is at risk (lib/kunit's own tests on 6.12 touch 23 MB).
inline constexpr std::uint64_t kLeastMemoryRoom = 128U << 20U;

/// The places UML itself would try, in its order.
std::vector<fs::path> memory_folder_candidates();
/// The first candidate that can be executed from and has `memory` bytes free; else the roomiest with kLeastMemoryRoom.
/// @error unavailable  none can; says what is wrong with each and which option of which tool mends it
Result<MemoryFolder> find_memory_folder(const std::vector<fs::path>& candidates, std::uint64_t memory);

}  // namespace bowsprit::kernel
