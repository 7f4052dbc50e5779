// SPDX-License-Identifier: Apache-2.0
/// A run's result as the store's history of tests takes it. Pure. Threads: any.
#pragma once

#include "store/test_history.h"

namespace bowsprit::app {

/// Every leaf of the tree, and every failure that the tree does not have (a test that is gone).
std::vector<store::TestResult> test_results(const RunResult& result);

}  // namespace bowsprit::app
