// SPDX-License-Identifier: Apache-2.0
/// Boots a kernel in a virtual machine of QEMU, within the limits and with the console of kernel/boot.h.
///
/// By KVM where /dev/kvm can be used and the processor is of that kind, else by TCG, which is some ten times slower. A KVM that
/// accepts the machine and runs nothing, as some nested ones do, is told by its first kernel, which does not even say its name:
/// that boot and all later ones of this process are then TCG's. The machine has a processor, memory and one serial line: no disk, no network, no monitor; QEMU itself may start no program (-sandbox).
/// A panic ends it at once (panic=-1 with -no-reboot). Does not: interpret the console. Threads: as boot_uml.
#pragma once

#include "kernel/architecture.h"
#include "kernel/boot.h"
#include "kernel/preset.h"

namespace bowsprit::kernel {

/// /dev/kvm is there, may be opened and answers as KVM does.
bool can_use_kvm();

/// QEMU's command line. `options.kernel` is the image.
std::vector<std::string> qemu_command(const Architecture& architecture, const BootOptions& options, int processors,
                                      bool kvm);

/// @error unavailable  QEMU itself failed, with its own words: nobody's change is to blame
/// @error os, not_found  it could not be started, or the console file not be written
Result<BootOutcome> boot_qemu(const Architecture& architecture, const BootOptions& options, int processors,
                              const std::function<void(std::string_view)>& on_console);

/// Boots the image of any variant, by boot_uml or boot_qemu.
Result<BootOutcome> boot_kernel(const Variant& variant, const BootOptions& options,
                                const std::function<void(std::string_view)>& on_console);

}  // namespace bowsprit::kernel
