// SPDX-License-Identifier: Apache-2.0
/// One result from those of several kernels of one change: an architecture with sanitizers each.
///
/// The verdict is the worst one: whatever speaks against the change in one variant does in all. A variant that could not be judged
/// (infra_error) keeps the whole from passing and forgives nothing. Tests are joined by name with the worse result of each,
/// and counted once; failures and diagnostics say in which variants they are, those that are equal together.
/// Pure. Does not: run or read anything. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "verdict/run_result.h"

namespace bowsprit {

struct VariantRun {
  std::string name;
  RunResult result;
  /// Another variant runs what this kernel can't, so that no test at all is no fault of this one.
  bool handed_over = false;
};

RunResult join_variants(std::vector<VariantRun> runs);

}  // namespace bowsprit
