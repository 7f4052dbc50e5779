// SPDX-License-Identifier: Apache-2.0
/// Why Kconfig dropped an option that was asked for, as a person would find out: its declaration, what that depends on, which of it the configuration
/// does not fulfil, and why that is off in turn.
/// A hint for people, no judgement: what it cannot explain it leaves empty. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "kernel/kconfig.h"
#include "kernel/kunitconfig.h"

namespace bowsprit::kernel {

/// Sentences joined by "; ". The first is about the option, each other begins with the option that it is about:
///   it depends on PCI && !UML (lib/Kconfig.debug:12), but CONFIG_PCI is not set; CONFIG_PCI: it depends on HAVE_PCI (...), but ...
///   it has no prompt (lib/Kconfig:3), so only another option can set it: CONFIG_Y
///   no Kconfig file of this tree declares it for ARCH=um; did you mean CONFIG_Y?
/// The chain ends at an option that can be asked for, at one that cannot, or after a few sentences.
std::string why_lost(const Kconfig& kconfig, const LostOption& lost, const std::vector<ConfigOption>& resulting);

}  // namespace bowsprit::kernel
