// SPDX-License-Identifier: Apache-2.0
/// Whose fault the failures of a judged kernel are: the base is judged or found, failing tests are tried again, and what follows
/// (verdict/origin.h) is added to the result.
/// Does not: decide. Threads: the calling one; kernels boot on others.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/judge_tree.h"
#include "app/kept_base.h"
#include "app/tests_run.h"
#include "verdict/run_result.h"

namespace bowsprit::app {

/// The kernel that was judged.
struct JudgedKernel {
  /// Boots any kernel as this one was booted, with these words on its command line.
  std::function<BootKernel(const fs::path& kernel, std::vector<std::string> arguments)> boots;
  fs::path kernel;
  std::vector<std::string> boot_arguments;
  std::map<std::string, std::string> failed_in;  ///< "suite.case" -> kunit.filter_glob of the boot in which it failed
  Provenance from;                               ///< without the commit
};

/// Adds all that is known of the base and of further tries to `result`; it becomes `aborted` where that was stopped.
void add_origins(RunResult& result, const JudgeTreeOptions& options, const JudgedKernel& kernel, JudgeTreeWatch& watch);

}  // namespace bowsprit::app
