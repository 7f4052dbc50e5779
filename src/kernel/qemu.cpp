// SPDX-License-Identifier: Apache-2.0
#include "kernel/qemu.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "base/strings.h"
#include "os/fd.h"

namespace bowsprit::kernel {
namespace {

constexpr std::size_t kMostOfConsole = 64U << 20U;

/// QEMU's own words, which it writes where the console goes.
std::string complaint(const fs::path& console, std::string_view program) {
  const auto text = read_file(console, kMostOfConsole);
  if (!text) return "";
  std::string last;
  for (const auto& line : split_lines(*text))
    if (line.starts_with(program)) last = line;
  return printable(shorten(last, 300));
}

}  // namespace

bool can_use_kvm() {
  const auto fd = Fd::open("/dev/kvm", O_RDWR);
  return fd && ::ioctl(fd->get(), KVM_GET_API_VERSION, 0) == KVM_API_VERSION;
}

std::vector<std::string> qemu_command(const Architecture& architecture, const BootOptions& options, int processors,
                                      bool kvm) {
  std::vector<std::string> words{"kunit.enable=1", "kunit_shutdown=reboot", "panic=-1",
                                 fmt::format("console={}", architecture.console)};
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  std::vector<std::string> argv{std::string(architecture.qemu),
                                "-nodefaults",
                                "-no-user-config",
                                "-no-reboot",
                                "-display",
                                "none",
                                "-sandbox",
                                "on,obsolete=deny,elevateprivileges=deny,spawn=deny",
                                "-m",
                                fmt::format("{}M", kKernelMemory >> 20U),
                                "-smp",
                                std::to_string(processors),
                                "-cpu",
                                kvm ? "host" : "max",
                                "-chardev",
                                "stdio,id=console,signal=off",
                                "-serial",
                                "chardev:console",
                                "-kernel",
                                options.kernel.string(),
                                "-append",
                                join(words, " ")};
  argv.insert(argv.end(), architecture.qemu_options.begin(), architecture.qemu_options.end());
  // Another program may hold what KVM needs; then it goes on by TCG.
  if (kvm) argv.insert(argv.end(), {"-accel", "kvm"});
  argv.insert(argv.end(), {"-accel", "tcg"});
  return argv;
}

Result<BootOutcome> boot_qemu(const Architecture& architecture, const BootOptions& options, int processors,
                              const std::function<void(std::string_view)>& on_console) {
  const bool kvm = architecture.is_native() && can_use_kvm();
  TRY_ASSIGN(auto outcome,
             boot_command({.argv = qemu_command(architecture, options, processors, kvm)}, options, on_console));
  // The kernel in it has no way to choose QEMU's exit code.
  if (outcome.end == BootEnd::exited && outcome.status.signal == 0 && outcome.status.code != 0) {
    const auto words = complaint(options.console, architecture.qemu);
    return fail(ErrorKind::unavailable, "boot a kernel for {}: {} ended with {}{}", architecture.name,
                architecture.qemu, outcome.status.text(), words.empty() ? "" : ": " + words);
  }
  return outcome;
}

}  // namespace bowsprit::kernel
