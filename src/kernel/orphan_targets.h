// SPDX-License-Identifier: Apache-2.0
/// Objects in a kept build folder whose source is gone from the tree.
///
/// make takes such an object as it is: without the source no rule of Kbuild fits it, so it is nobody's business and "up to date",
/// and a change that deletes a source that is still asked for builds in a warm folder and nowhere else.
/// Does not: know whether the object is still asked for; without it make says so.
/// Source: the kernel's scripts/Makefile.build (pattern rules) and scripts/basic/fixdep.c (source_TARGET in .TARGET.cmd).
/// Threads: the caller holds the build folder.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "os/files.h"

namespace bowsprit::kernel {

/// Removes them and their commands; gives their paths below `build`.
/// @error os  one can't be removed
Result<std::vector<std::string>> remove_orphan_targets(const fs::path& tree, const fs::path& build);

}  // namespace bowsprit::kernel
