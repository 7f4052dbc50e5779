// SPDX-License-Identifier: Apache-2.0
/// Judges a kernel tree on this machine: configure, build, boot, read the console, give the verdict, write the
/// artifacts. This is `bowsprit run`, the program of a job.
///
/// Every way it can end is a verdict: a change that does not build and a machine without make both come back as
/// RunResult, with different blame. All that was started is dead when it returns. Does not: write to the tree (git
/// worktrees of --base are noted in its .git), print, or know Gerrit. Threads: the calling one, which must be the
/// process's only user of child processes (see kernel/command.h).
///
///   RunResult result = judge_tree({.tree = tree, .build = build, .artifacts = out}, watch);
///   return exit_code(result.verdict);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "kernel/kbuild.h"
#include "kernel/preset.h"
#include "ktap/result_tree.h"
#include "os/files.h"
#include "verdict/run_result.h"

namespace bowsprit::app {

enum class Runner {
  bowsprit,  ///< make and the kernel itself
  kunit_py,  ///< the tree's tools/testing/kunit/kunit.py; its raw console is judged by the same rules
};

struct JudgeTreeOptions {
  fs::path tree;                           ///< absolute
  std::vector<fs::path> kunitconfig = {};  ///< see kernel/kunitconfig.h; empty: the tree's own
  fs::path default_kunitconfig = {};       ///< where the tree has none; empty: not allowed
  fs::path build;                          ///< absolute; kept from run to run
  fs::path artifacts;                      ///< absolute; made where it is not there
  milliseconds boot_limit{300'000};        ///< of the first boot, and again of all that follow a crash
  milliseconds suite_limit{120'000};       ///< of one suite
  milliseconds build_limit{3'600'000};     ///< of configure and build together
  int jobs = 1;
  kernel::Variant variant = {};
  /// Another variant of the same run, which takes the options that this architecture can't have; empty: none does, and a lost option
  /// is an error.
  std::string takes_lost_options = {};
  Runner runner = Runner::bowsprit;
  bool shortcuts = true;
  bool build_kept = true;      ///< the build folder outlives this run
  std::string base = {};       ///< commit to judge too and to compare with, from resolve_revision; empty: none
  std::string kept_base = {};  ///< commit to compare with where its kernel is kept in `build`; see app/kept_base.h
  std::string commit =
      {};  ///< the tree is exactly this commit, a base: it is kept for runs on changes, and nobody is blamed
  fs::path change_diff = {};  ///< what the change changes in .c and .h files, from git diff; empty: ask the tree's git
  bool strict = false;        ///< failures that are also on the base, and flaky ones, count as well
  std::string job_spec = {};  ///< Prow's JOB_SPEC, for the command to reproduce; empty: no job
  int stop_fd = -1;           ///< readable: end all children, verdict aborted
};

/// What a person can watch. Called on the calling thread.
class JudgeTreeWatch {
 public:
  virtual ~JudgeTreeWatch() = default;
  virtual void on_phase(std::string_view name) = 0;
  /// `note` is empty or one short line: "nothing to do", "4 objects".
  virtual void on_phase_end(const Phase& phase, std::string_view note) = 0;
  virtual void on_build_output(std::string_view bytes) = 0;
  virtual void on_build_progress(const kernel::BuildProgress& progress) = 0;
  /// A case or suite has its result; `name` is "suite.case".
  virtual void on_test(const std::string& name, const ktap::TestNode& test) = 0;
  virtual void on_note(std::string_view text) = 0;
};

RunResult judge_tree(const JudgeTreeOptions& options, JudgeTreeWatch& watch);

/// Removes what an earlier run may have left in the folder, and makes it where it is not there.
Result<> prepare_artifacts(const fs::path& folder);
/// result.json and the same for other readers, except kcidb.json.
void write_result_files(const fs::path& folder, const RunResult& result);

}  // namespace bowsprit::app
