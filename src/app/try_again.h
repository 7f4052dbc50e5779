// SPDX-License-Identifier: Apache-2.0
/// Tries failing tests again, to tell a flaky test from one that the change broke.
///
/// Each test gets some boots for itself alone on the same kernel. One that passes there is tried in boots like the one in which it
/// failed; one that fails each time is tried alone on the base's kernel, where there is one. What follows from that says
/// verdict/origin.h.
/// Bounds: kMostTriedTests tests, a few boots of each kind, one time limit for all; what is left out is marked as cut.
/// Does not: know how a kernel is booted, or decide. Threads: as app/tests_run.h.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/tests_run.h"
#include "verdict/origin.h"

namespace bowsprit::app {

inline constexpr std::size_t kMostTriedTests = 20;
inline constexpr int kTriesAlone = 3;
inline constexpr int kTriesSameWay = 2;

struct TryAgainOptions {
  TestsRunOptions kernel;       ///< boots, their console, jobs, limit of a suite
  BootKernel base_kernel = {};  ///< empty: there is none
  fs::path base_console = {};   ///< of the base's boots
  milliseconds limit{300'000};  ///< of all boots together
  std::map<std::string, std::string> failed_in =
      {};  ///< Failure::test -> pattern of the boot in which it failed; absent: ""
};

struct TriedAgain {
  std::map<std::string, TriedTest> tests;
  int boots = 0;
};

/// @param tests  from worth_trying_again(`result`, ...); those beyond kMostTriedTests are not tried and not in the answer
/// @param base   the base's run; null: not known
/// @error cancelled, os  as run_tests
Result<TriedAgain> try_again(const RunResult& result, const std::vector<std::string>& tests, const RunResult* base,
                             const TryAgainOptions& options);

/// The pattern (kunit.filter_glob) for the case that `test` ("suite.case.parameter") is or is in.
std::string glob_of_test(const std::vector<ktap::TestNode>& suites, const std::string& test);

}  // namespace bowsprit::app
