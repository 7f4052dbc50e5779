// SPDX-License-Identifier: Apache-2.0
/// What ought to have run, laid over what did. Internal to verdict/. Threads: pure functions; any thread.
#pragma once

#include <vector>

#include "verdict/judge.h"

namespace bowsprit {

/// Gives names to the tests that only a plan announced, mends names with other text glued on, and adds what the
/// manifest has and the tree has not as `missing`.
void apply_manifest(std::vector<ktap::TestNode>& suites, const Manifest& manifest);

/// Names what is still unnamed by its position: "(test 3 of 5)".
void name_by_position(std::vector<ktap::TestNode>& nodes);

}  // namespace bowsprit
