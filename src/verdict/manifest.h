// SPDX-License-Identifier: Apache-2.0
/// What ought to have run, laid over what did. Internal to verdict/. Threads: pure functions; any thread.
#pragma once

#include <vector>

#include "verdict/judge.h"

namespace bowsprit {

/// Gives names to the tests that only a plan announced, mends names with other text glued on, and adds what the
/// manifest has and the tree has not as `missing`.
void apply_manifest(std::vector<ktap::TestNode>& suites, const Manifest& manifest);

/// The nodes from the root to the test of this path; names may have dots themselves. Empty: there is none.
std::vector<ktap::TestNode*> find_path(std::vector<ktap::TestNode>& nodes, std::string_view path);

/// The test during which the kernel reported this: a report tied to a suite whose running case got its name only now
/// moves there.
void tie_to_running_case(ktap::Splat& splat, std::vector<ktap::TestNode>& suites);

/// Names what is still unnamed by its position: "(test 3 of 5)".
void name_by_position(std::vector<ktap::TestNode>& nodes);

}  // namespace bowsprit
