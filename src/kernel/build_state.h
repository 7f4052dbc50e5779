// SPDX-License-Identifier: Apache-2.0
/// What a kernel's build depends on beside the sources whose use the compiler itself noted: one word that differs when
/// any of it does.
///
/// In it are: names, sizes and times of all files in the folders that make went into (they have a twin in the build
/// folder) and of all of scripts/, include/ and the architecture's; of files that are C or assembler their names alone,
/// since who reads them stands in the saved commands, unless a Makefile or a script names one (then a generator may
/// read it); the tools by their files; the environment; the configuration.
/// Not in it: files that begin with a dot or end with "~", and folders that make has no reason to enter.
/// Does not: read sources, run anything. Errors: what cannot be read counts as changed. Threads: any.
#pragma once

#include <set>
#include <string>

#include "os/files.h"
#include "os/process.h"

namespace bowsprit::kernel {

/// Names (without folders) of C and assembler files that makefiles and scripts of the visited folders mention; "asm/NAME"
/// where that can only be a file of an asm folder.
std::set<std::string> named_sources(const fs::path& tree, const fs::path& build);

/// `named` is what `named_sources` gave when the state was noted; as makefiles are in the state themselves, it still
/// holds where the states are equal.
std::string build_state(const fs::path& tree, const fs::path& build, const std::set<std::string>& named,
                        const Environment& env);

}  // namespace bowsprit::kernel
