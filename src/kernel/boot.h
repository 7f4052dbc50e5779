// SPDX-License-Identifier: Apache-2.0
/// Boots a kernel and streams its console, within hard limits of time and output: User-Mode Linux here, others by
/// kernel/qemu.h.
///
/// The console is a regular file that is followed: UML drops output where a pipe or socket is full, so a slow reader
/// would lose test results. The kernel has no terminal, no stdin, a session of its own, a home of its own and an almost
/// empty environment. Whatever it does, it and its children are dead when this returns (see kernel/command.h for
/// orphans). Does not: interpret the console. Threads: the calling one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "os/files.h"
#include "os/process.h"

namespace bowsprit::kernel {

inline constexpr std::uint64_t kKernelMemory = 1U << 30U;  ///< what kunit.py gives it

struct BootOptions {
  fs::path kernel;
  fs::path console;                         ///< regular file to make; stays, "as it came"
  fs::path memory_folder;                   ///< from find_memory_folder
  std::vector<std::string> arguments = {};  ///< more words for the kernel's command line
  milliseconds limit{300'000};
  std::uint64_t console_limit = 256U << 20U;  ///< bytes; more is a flood, and ends the run
  int stop_fd = -1;                           ///< readable: end it now
  std::function<bool()> give_up = {};         ///< asked at least twice a second: true ends it as timed out
};

/// Arguments against a warning that every such kernel prints at boot, whatever the change: kunit.py's own UML options
/// include UML_PCI_OVER_VIRTIO, whose driver warns and gives up where it has no device id, which is the default. Left
/// out, it is as absent as before, and a WARN in the console is the change's again.
std::vector<std::string> quiet_boot_arguments(const fs::path& tree, std::string_view config_text);

enum class BootEnd {
  exited,
  timed_out,
  flooded,  ///< more console output than console_limit; `console` keeps the first and last 8 MiB
  stopped,
};

struct BootOutcome {
  BootEnd end = BootEnd::exited;
  ExitStatus status;
  std::uint64_t console_bytes = 0;
  double seconds = 0;
};

/// What is started to boot a kernel; the rest of a boot is the same for all of them.
struct BootCommand {
  std::vector<std::string> argv;
  Environment env = {};  ///< beside PATH and HOME
};
/// Starts it with its output in options.console, and follows that until its end or a limit.
/// @error os, not_found  the program could not be started, or the console file not be written
Result<BootOutcome> boot_command(BootCommand command, const BootOptions& options,
                                 const std::function<void(std::string_view)>& on_console);

/// @error os, not_found  the kernel could not be started, or the console file not be written
Result<BootOutcome> boot_uml(const BootOptions& options, const std::function<void(std::string_view)>& on_console);

}  // namespace bowsprit::kernel
