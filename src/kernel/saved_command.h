// SPDX-License-Identifier: Apache-2.0
/// What Kbuild keeps beside each target that it made, in `.TARGET.cmd`: the command, and the files that it read.
///
/// Does not: touch the disk, or run anything. Pure.
/// Source: the kernel's scripts/Kbuild.include (make-cmd, cmd_and_fixdep) and scripts/basic/fixdep.c.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace bowsprit::kernel {

struct SavedCommand {
  std::string target;                           ///< relative to the build folder
  std::string saved;                            ///< as it stands in the file, in make's own quoting
  std::string command;                          ///< the same for a shell
  std::string source;                           ///< empty where no compiler was run
  std::vector<std::string_view> prerequisites;  ///< views into the text that was parsed; without those on options
};

/// Reads a `.cmd` file. @error bad_data  not one, or a command with make's variables in it
Result<SavedCommand> parse_saved_command(std::string_view text);

/// Whether the command does nothing but compile `source` to `target`, and the file into which the compiler writes what
/// it read; nullopt where it is another command.
std::optional<std::string> dependency_file_of_compile(const SavedCommand& command);

/// The files that an archive is made of, where the command is one of Kbuild's three ways to make one; else nullopt.
std::optional<std::vector<std::string>> archive_members(const SavedCommand& command);

}  // namespace bowsprit::kernel
