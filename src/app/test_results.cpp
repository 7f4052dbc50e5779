// SPDX-License-Identifier: Apache-2.0
#include "app/test_results.h"

#include <set>

#include "artifact/leaves.h"

namespace bowsprit::app {

std::vector<store::TestResult> test_results(const RunResult& result) {
  std::vector<store::TestResult> out;
  std::set<const Failure*> told;
  for (auto& leaf : artifact::leaves_of(result)) {
    const Origin origin = leaf.failure == nullptr ? Origin::unknown : leaf.failure->origin;
    out.push_back({std::move(leaf.path), {leaf.node->status, origin, leaf.node->seconds}});
    told.insert(leaf.failure);
  }
  for (const auto& failure : result.failures)
    if (!told.contains(&failure)) out.push_back({failure.test, {failure.status, failure.origin, {}}});
  return out;
}

}  // namespace bowsprit::app
