// SPDX-License-Identifier: Apache-2.0
/// Copies the line of source that each error, warning and failure stands on into the result, so that the place is known again where only the
/// patch set's files are at hand and not the tree that was judged.
/// Does not: leave the tree, whatever a place says; complain of a place that is none.
/// Threads: any.
#pragma once

#include "os/files.h"
#include "verdict/run_result.h"

namespace bowsprit::app {

void add_source_lines(RunResult& result, const fs::path& tree);

}  // namespace bowsprit::app
