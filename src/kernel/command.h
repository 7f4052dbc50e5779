// SPDX-License-Identifier: Apache-2.0
/// A long command with its output streamed to a callback, ended by its time limit or by the user; nothing it started
/// outlives it.
///
/// It runs in a session of its own, so it has no terminal and its process group can be killed whole. What escapes that
/// group is killed too, where `adopt_orphans` was called: such children become ours, and `end_orphans` ends them. Does
/// not: keep output. Threads: the calling one; `end_orphans` needs a process without children of other parts.
#pragma once

#include <functional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "os/process.h"

namespace bowsprit::kernel {

enum class CommandEnd { exited, timed_out, stopped };

struct CommandOutcome {
  CommandEnd end = CommandEnd::exited;
  ExitStatus status;
  double seconds = 0;
};

/// Grace between TERM and KILL, for everything that is ended here.
inline constexpr milliseconds kKillGrace{2000};

/// Runs to the end, the limit, or until `stop_fd` (-1: none) is readable. stdout and stderr both go to `output`, which
/// is called on this thread with bytes as they come.
Result<CommandOutcome> run_streaming(SpawnOptions options, milliseconds limit, int stop_fd,
                                     const std::function<void(std::string_view)>& output);

/// Whether a read would not block. For a stop descriptor once the child has ended: a Ctrl-C on the terminal also reaches a child
/// that is just being started, and then the run was stopped, and did not fail.
bool is_readable(int fd);

/// From now on every descendant that loses its parent becomes a child of this process (PR_SET_CHILD_SUBREAPER).
/// @error os  the kernel refuses
Result<> adopt_orphans();
/// Kills and reaps all children of this process, and theirs, until there is none; gives how many there were.
int end_orphans();

}  // namespace bowsprit::kernel
