// SPDX-License-Identifier: Apache-2.0
#include "kernel/qemu.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <atomic>
#include <optional>

#include "base/log.h"
#include "base/strings.h"
#include "os/fd.h"

namespace bowsprit::kernel {
namespace {

/// In which a kernel under KVM has to say its name: it takes a tenth of a second where KVM works.
constexpr seconds kFirstWord{10};
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

/// Learned by trying, once for all boots of this process.
std::atomic<bool> kvm_fails{false};

/// A boot by KVM; nothing where the kernel did not come so far as to name itself.
Result<std::optional<BootOutcome>> try_kvm(const Architecture& architecture, const BootOptions& options, int processors,
                                           const std::function<void(std::string_view)>& on_console) {
  const auto start = SteadyTime::clock::now();
  bool named = false;
  std::string before;  // what comes before the kernel's name is held back: another boot may follow
  BootOptions limited = options;
  limited.give_up = [&] {
    return (!named && SteadyTime::clock::now() - start > kFirstWord) || (options.give_up && options.give_up());
  };
  TRY_ASSIGN(const auto outcome, boot_command({.argv = qemu_command(architecture, options, processors, /*kvm=*/true)},
                                              limited, [&](std::string_view bytes) {
                                                if (!named) before += bytes;
                                                named = named || before.find("Linux version ") != std::string::npos;
                                                if (!named) return;
                                                on_console(before.empty() ? bytes : before);
                                                before.clear();
                                              }));
  const bool time_left = SteadyTime::clock::now() - start < options.limit;
  if (!named && time_left && outcome.end != BootEnd::stopped && outcome.end != BootEnd::flooded) return std::nullopt;
  if (!before.empty()) on_console(before);
  return outcome;
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
  argv.insert(argv.end(), {"-accel", kvm ? "kvm" : "tcg"});
  return argv;
}

Result<BootOutcome> boot_qemu(const Architecture& architecture, const BootOptions& options, int processors,
                              const std::function<void(std::string_view)>& on_console) {
  const auto start = SteadyTime::clock::now();
  BootOptions emulated = options;
  if (architecture.is_native() && !kvm_fails && can_use_kvm()) {
    TRY_ASSIGN(const auto tried, try_kvm(architecture, options, processors, on_console));
    if (tried) return *tried;
    if (!kvm_fails.exchange(true))
      log_warn("qemu", "under KVM no kernel says a word here; QEMU emulates the processor");
    emulated.limit -= std::chrono::ceil<milliseconds>(SteadyTime::clock::now() - start);
  }
  TRY_ASSIGN(auto outcome, boot_command({.argv = qemu_command(architecture, options, processors, /*kvm=*/false)},
                                        emulated, on_console));
  // The kernel in it has no way to choose QEMU's exit code.
  if (outcome.end == BootEnd::exited && outcome.status.signal == 0 && outcome.status.code != 0) {
    const auto words = complaint(options.console, architecture.qemu);
    return fail(ErrorKind::unavailable, "boot a kernel for {}: {} ended with {}{}", architecture.name,
                architecture.qemu, outcome.status.text(), words.empty() ? "" : ": " + words);
  }
  outcome.seconds = std::chrono::duration<double>(SteadyTime::clock::now() - start).count();
  return outcome;
}

Result<BootOutcome> boot_kernel(const Variant& variant, const BootOptions& options,
                                const std::function<void(std::string_view)>& on_console) {
  if (variant.architecture->qemu.empty()) return boot_uml(options, on_console);
  return boot_qemu(*variant.architecture, options, variant.processors(), on_console);
}

}  // namespace bowsprit::kernel
