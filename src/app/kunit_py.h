// SPDX-License-Identifier: Apache-2.0
/// The tree's own tools/testing/kunit/kunit.py as the runner, step by step (config, build, exec --raw_output), so that
/// each step has its own time limit and its own blame. Its verdict is not asked: it calls any raw run a success.
///
/// Does not: keep the console whole as boot_uml does, since kunit.py itself reads the kernel through a pipe.
/// Threads: any, one run per build folder.
#pragma once

#include "kernel/boot.h"
#include "kernel/kbuild.h"

namespace bowsprit::app {

struct KunitPy {
  fs::path tree;
  fs::path build;
  std::vector<fs::path> kunitconfigs;
  fs::path memory_folder;
  int jobs = 1;

  /// @error not_found  no python3 here, or no kunit.py in the tree
  Result<kernel::BuildStep> prepare(std::string_view command, milliseconds limit, int stop_fd,
                                    const kernel::BuildWatch& watch) const;
  /// Boots; the raw console goes to the file and to the callback.
  Result<kernel::BootOutcome> execute(const fs::path& console, const std::vector<std::string>& kernel_arguments,
                                      milliseconds limit, int stop_fd,
                                      const std::function<void(std::string_view)>& on_console) const;

 private:
  [[nodiscard]] SpawnOptions command(std::string_view name, std::vector<std::string> more) const;
};

}  // namespace bowsprit::app
