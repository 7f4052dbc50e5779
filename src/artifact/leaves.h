// SPDX-License-Identifier: Apache-2.0
/// The tests of a result as the writers for other systems see them: one flat entry per leaf, in order; so does
/// the history of tests. Threads: pure functions; any thread. The entries point into the result.
#pragma once

#include <string>
#include <vector>

#include "verdict/run_result.h"

namespace bowsprit::artifact {

struct Leaf {
  std::string suite;
  std::string name;  ///< "case" or "case.parameter"; of a suite that failed by itself: its own name
  std::string path;  ///< as in Failure::test
  const ktap::TestNode* node = nullptr;
  const Failure* failure = nullptr;  ///< of the result's list, where it is in it
};
/// Leaves, and inner tests that failed by themselves: the same entries that RunResult::tests counts.
std::vector<Leaf> leaves_of(const RunResult& result);

/// What speaks against passing and is no test's: a panic after the last suite, a build error, a damaged document. Where
/// nothing else tells why a bad verdict is bad, `result.summary` must: `summary_tells` is set then.
struct Faults {
  std::vector<const Diagnostic*> diagnostics;
  bool summary_tells = false;
};
Faults faults_without_test(const RunResult& result);

}  // namespace bowsprit::artifact
