// SPDX-License-Identifier: Apache-2.0
/// Building again in a folder that make built, by the commands that make saved there: only what changed is compiled,
/// and what is made of it is archived and linked anew. The same commands in the same order as make's own, without
/// reading a thousand makefiles first.
///
/// It is done only where nothing can have changed but the text of C and assembler files whose use the compiler noted:
/// all else is in one word (build_state.h) that was noted after the last build and must still be the same. Where the
/// configuration asks for a step that saves no command, where a file is gone, where what is to be made anew is not an
/// object of the kernel, where a command is not understood: `plan` gives a reason instead of a plan, and make has to do
/// it. The test of it (tests/functional/test_shortcuts.py) builds both ways and compares the kernels.
/// Does not: configure, know modules, or report a compiler's errors; a replay that fails is followed by make.
/// Threads: the caller holds the build folder.
/// Source: the kernel's scripts/Kbuild.include, Makefile.build, Makefile.vmlinux, link-vmlinux.sh, arch/um/Makefile.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "os/files.h"
#include "os/process.h"

namespace bowsprit::kernel {

struct ReplayPlan {
  std::string reason;                ///< why there is no plan; empty: there is one
  std::vector<std::string> objects;  ///< to be compiled; none: the kernel is what it would be
  std::string makefile;              ///< what is to be run, for make; empty where there are no objects
  Environment env;                   ///< for it
};

/// `note` is what `replay_note` gave after the last build of the folder that went well.
ReplayPlan plan_replay(const fs::path& tree, const fs::path& build, const Json& note, const Environment& env);

/// What a later `plan_replay` needs to know. `kbuild_env` is the environment that make gives to its own commands.
/// Null where this kernel can't be built again that way.
Json replay_note(const fs::path& tree, const fs::path& build, const Environment& kbuild_env, const Environment& env);
/// The same note after a replay, which changed nothing that the note's other parts are about.
void renew_replay_note(Json& note, const fs::path& build);

/// Reads what `env -0` printed.
Environment parse_environment(std::string_view zero_separated);

}  // namespace bowsprit::kernel
