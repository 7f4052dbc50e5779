// SPDX-License-Identifier: Apache-2.0
/// Configuring and building a kernel in a folder outside its tree, by the kernel's own make.
///
/// Objects stay reusable: user, host, time stamp and local version are fixed, so nothing of the machine or the commit
/// gets into them. Where it is proven that `olddefconfig` would change nothing it is left out, which saves a second of
/// three; where only texts of sources changed, the commands that make saved are run instead of all of make (replay.h),
/// which saves most of another two. Does not: judge (it tells what make and the compiler said), clean a build folder, or write into the tree.
/// Threads: one Kbuild per build folder; `take_build_folder` keeps other processes out of it.
///
///   TRY_ASSIGN(const auto lock, take_build_folder(build, stop_fd, {}));
///   Kbuild kbuild({.tree = tree, .build = build, .jobs = 2});
///   TRY_ASSIGN(const auto configured, kbuild.configure(wanted, limit, stop_fd, output));
///   TRY_ASSIGN(const auto built, kbuild.build(limit, stop_fd, output));    // built.kernel: the program to boot
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "kernel/architecture.h"
#include "kernel/build_log.h"
#include "kernel/command.h"
#include "kernel/kunitconfig.h"
#include "os/fd.h"
#include "os/files.h"

namespace bowsprit::kernel {

struct KbuildOptions {
  fs::path tree;   ///< absolute
  fs::path build;  ///< absolute, existing, outside the tree
  int jobs = 1;
  const Architecture* architecture = &architectures().front();
  bool shortcuts = true;  ///< leave out steps that are proven unneeded
  bool kept = true;       ///< the build folder will be built in again: note what a later build can make use of
};

/// What a step of make came to. `end` other than exited: it was ended by us.
struct BuildStep {
  CommandEnd end = CommandEnd::exited;
  bool ok = false;
  ExitStatus status;
  std::vector<BuildMessage> messages;  ///< errors first
  /// Why it is not the tree's fault: "no space left on device", "gcc: not found"; empty where it may be.
  std::string machine_fault;
};

struct ConfigureStep : BuildStep {
  bool skipped = false;                 ///< proven unneeded
  std::vector<ConfigOption> resulting;  ///< the .config; empty unless ok
  std::vector<LostOption> lost;         ///< of what was wanted
};

struct KernelBuild : BuildStep {
  fs::path kernel;          ///< what is booted, where ok
  bool cold = false;        ///< nothing was there to reuse
  int steps = 0;            ///< objects made, as make named them
  bool replayed = false;    ///< by the saved commands (kernel/replay.h) instead of all of make
  std::string why_by_make;  ///< why not, where shortcuts are allowed and there was a build before
};

/// The result of a command that was run with `log` reading along.
template <class Step>
Step finished_step(const CommandOutcome& outcome, BuildLog& log) {
  Step step;
  log.finish();
  step.end = outcome.end;
  step.status = outcome.status;
  step.ok = outcome.end == CommandEnd::exited && outcome.status.ok();
  step.messages = log.take_messages();
  if (!step.ok) step.machine_fault = log.machine_fault();
  return step;
}

/// The environment of make: English messages, a fixed user, host and date, and no word of an outer make.
Environment build_environment();

/// How far the build is: objects made so far, and how many the last one of its kind (full, or of what changed) made here
/// (0: not known, or this one makes more).
struct BuildProgress {
  int done = 0;
  int known = 0;
  std::string object;  ///< "lib/kunit/test.o"
};

/// What a caller can watch; each member may be empty.
struct BuildWatch {
  std::function<void(std::string_view bytes)> output;  ///< make's output as it comes
  std::function<void(const BuildProgress&)> progress;
};

class Kbuild {
 public:
  explicit Kbuild(KbuildOptions options) : options_(std::move(options)) {}

  /// Makes BUILD/.config from `wanted` on top of the architecture's own options.
  /// @error not_found  make is not installed
  Result<ConfigureStep> configure(const KunitConfig& wanted, milliseconds limit, int stop_fd, const BuildWatch& watch);
  /// Builds the kernel program; modules too where the configuration has any. After `configure`.
  Result<KernelBuild> build(milliseconds limit, int stop_fd, const BuildWatch& watch) const;

 private:
  [[nodiscard]] std::vector<std::string> make_command(const std::vector<std::string>& targets, int jobs) const;
  [[nodiscard]] bool is_configured(const std::string& wanted) const;
  Result<std::optional<KernelBuild>> replay(milliseconds limit, int stop_fd, const BuildWatch& watch, Json note,
                                            std::string& reason) const;
  void note_for_replay(int stop_fd) const;
  KbuildOptions options_;
  bool configuration_stayed_ = false;
};

/// Holds a build folder against other processes of bowsprit while it lives.
class BuildFolderLock {
 public:
  explicit BuildFolderLock(Fd fd) : fd_(std::move(fd)) {}

 private:
  Fd fd_;
};
/// Waits until the folder is free; `on_wait` is called once where that takes time.
/// @error cancelled  stop_fd became readable first
Result<BuildFolderLock> take_build_folder(const fs::path& build, int stop_fd, const std::function<void()>& on_wait);

}  // namespace bowsprit::kernel
