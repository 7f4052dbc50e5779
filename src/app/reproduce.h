// SPDX-License-Identifier: Apache-2.0
/// The one command with which anybody sees the same result: git for the change (where the job's JOB_SPEC names it) and
/// the tree's own kunit.py. Nothing of bowsprit is needed. Does not: run anything. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "kernel/preset.h"
#include "os/files.h"
#include "verdict/run_result.h"

namespace bowsprit::app {

struct ReproduceInput {
  fs::path tree;
  std::vector<fs::path> kunitconfigs;
  milliseconds boot_limit{0};
  std::string job_spec = {};  ///< Prow's JOB_SPEC; empty: no job, the tree is there already
  kernel::Variant variant = {};
};

/// Where all failures are of one suite only that suite is run.
std::string reproduce_command(const ReproduceInput& input, const std::vector<Failure>& failures);

}  // namespace bowsprit::app
