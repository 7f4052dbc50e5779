// SPDX-License-Identifier: Apache-2.0
/// Why Kconfig dropped an option that was asked for, as a person would find out: its declaration, what that depends on,
/// and which of it the configuration does not fulfil.
///
/// Reads Kconfig's language as far as it needs to: config, menuconfig, if, menu, choice, depends on, prompts, select,
/// source. A hint for people, no judgement: what it cannot explain it leaves empty.
/// Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/kunitconfig.h"
#include "os/files.h"

namespace bowsprit::kernel {

/// All Kconfig files of the tree that this ARCH can read, from a walk of the tree; links are not followed.
std::vector<fs::path> find_kconfig_files(const fs::path& tree, std::string_view architecture = "um");

/// "lib/Kconfig.debug:12 depends on PCI && !UML, but CONFIG_UML is y"; "it has no prompt ..."; "no Kconfig file of this
/// tree declares it; did you mean CONFIG_Y?". `files` are below `tree`.
std::string why_lost(const fs::path& tree, const std::vector<fs::path>& files, const LostOption& lost,
                     const std::vector<ConfigOption>& resulting);

/// The value of a Kconfig expression with these values: 0 = n, 1 = m, 2 = y. Unknown words are n; nonsense gives
/// nullopt.
std::optional<int> evaluate_kconfig(std::string_view expression, const std::vector<ConfigOption>& values);

}  // namespace bowsprit::kernel
