// SPDX-License-Identifier: Apache-2.0
/// The kernels that can be built and booted here: what make is told for each, and what QEMU needs to run it.
///
/// Serial console and machine are those of the tree's own tools/testing/kunit/qemu_configs/NAME.py; User-Mode Linux needs no QEMU.
/// Does not: build or boot. Threads: constants; any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace bowsprit::kernel {

struct Architecture {
  std::string_view name;         ///< make's ARCH
  std::string_view target;       ///< what make is asked for
  std::string_view image;        ///< what that makes and what is booted, below the build folder
  std::string_view options;      ///< lines of a kunitconfig, below what was asked for
  std::string_view option_file;  ///< the same from a file of the tree, where it has that
  std::string_view machine;      ///< of this processor, as uname -m names it; elsewhere it takes a cross compiler
  std::string_view compiler;     ///< such a compiler's prefix, "aarch64-linux-gnu-"
  std::string_view compiler_package;
  std::string_view qemu;  ///< program; empty: the image is one itself
  std::string_view qemu_package;
  std::string_view console;  ///< device of the first serial line
  std::vector<std::string> qemu_options = {};
  /// CROSS_COMPILE of this build; empty where this machine's own compiler does it.
  [[nodiscard]] std::string_view cross_compile() const;
  /// This machine's processor runs its code, so KVM can.
  [[nodiscard]] bool is_native() const;
};

/// In the order in which they are told to people; the first is what is taken where nobody says.
const std::vector<Architecture>& architectures();
/// @error usage  there is none of that name; the message has all names
Result<const Architecture*> find_architecture(std::string_view name);
/// Before minutes of building, not after.
/// @error unavailable  compiler or QEMU is not installed; names the Debian package
Result<> check_tools(const Architecture& architecture);

}  // namespace bowsprit::kernel
