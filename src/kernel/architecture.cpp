// SPDX-License-Identifier: Apache-2.0
#include "kernel/architecture.h"

#include <sys/utsname.h>

#include <algorithm>

#include "base/strings.h"
#include "os/process.h"

namespace bowsprit::kernel {
namespace {

std::string_view this_machine() {
  static const std::string kMachine = [] {
    utsname names{};
    return ::uname(&names) == 0 ? std::string(names.machine) : std::string();
  }();
  return kMachine;
}

}  // namespace

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> kAll{
      {.name = "um", .target = "linux", .image = "linux", .option_file = "tools/testing/kunit/configs/arch_uml.config"},
      {.name = "x86_64",
       .target = "bzImage",
       .image = "arch/x86/boot/bzImage",
       .options = "CONFIG_SERIAL_8250=y\nCONFIG_SERIAL_8250_CONSOLE=y\n",
       .machine = "x86_64",
       .compiler = "x86_64-linux-gnu-",
       .compiler_package = "gcc-x86-64-linux-gnu",
       .qemu = "qemu-system-x86_64",
       .qemu_package = "qemu-system-x86",
       .console = "ttyS0",
       // Starts the kernel sooner than a full BIOS, and writes nothing of its own to the console.
       .qemu_options = {"-bios", "qboot.rom"}},
      {.name = "arm64",
       .target = "Image",
       .image = "arch/arm64/boot/Image",
       .options = "CONFIG_SERIAL_AMBA_PL011=y\nCONFIG_SERIAL_AMBA_PL011_CONSOLE=y\n",
       .machine = "aarch64",
       .compiler = "aarch64-linux-gnu-",
       .compiler_package = "gcc-aarch64-linux-gnu",
       .qemu = "qemu-system-aarch64",
       .qemu_package = "qemu-system-arm",
       .console = "ttyAMA0",
       .qemu_options = {"-machine", "virt"}},
  };
  return kAll;
}

std::string_view Architecture::cross_compile() const {
  return machine.empty() || is_native() ? std::string_view() : compiler;
}

bool Architecture::is_native() const { return machine == this_machine(); }

Result<const Architecture*> find_architecture(std::string_view name) {
  const auto found = std::ranges::find(architectures(), name, &Architecture::name);
  if (found != architectures().end()) return &*found;
  std::vector<std::string> names;
  for (const auto& one : architectures()) names.emplace_back(one.name);
  return fail(ErrorKind::usage, "unknown architecture '{}'; known are {}", printable(shorten(name, 60)),
              join(names, ", "));
}

Result<> check_tools(const Architecture& architecture) {
  if (const auto prefix = architecture.cross_compile(); !prefix.empty() && !is_installed(fmt::format("{}gcc", prefix)))
    return fail(ErrorKind::unavailable, "build for {}: {}gcc is not installed (Debian package {})", architecture.name,
                prefix, architecture.compiler_package);
  if (!architecture.qemu.empty() && !is_installed(std::string(architecture.qemu)))
    return fail(ErrorKind::unavailable, "boot a kernel for {}: {} is not installed (Debian package {})",
                architecture.name, architecture.qemu, architecture.qemu_package);
  return {};
}

}  // namespace bowsprit::kernel
