// SPDX-License-Identifier: Apache-2.0
/// Presets: ready kunitconfig fragments that build the kernel with one of its sanitizers; and variants: an architecture
/// with presets, "um+kasan".
///
/// Which architecture has which sanitizer is what Kconfig says (HAVE_ARCH_KASAN, HAVE_ARCH_KCSAN, ARCH_HAS_UBSAN, LOCKDEP_SUPPORT).
/// Does not: look at a tree. Threads: constants and plain values; any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/architecture.h"
#include "kernel/kunitconfig.h"

namespace bowsprit::kernel {

struct Preset {
  std::string_view name;
  std::string_view finds;                       ///< for people
  std::string_view options;                     ///< lines of a kunitconfig
  std::vector<std::string_view> architectures;  ///< that have it
  int processors = 1;                           ///< of the machine that runs it
};
const std::vector<Preset>& presets();

struct Variant {
  const Architecture* architecture = &architectures().front();
  std::vector<const Preset*> presets = {};
  [[nodiscard]] std::string name() const;  ///< "um", "x86_64+kasan+ubsan"
  /// All of its presets' options; marks name the preset.
  [[nodiscard]] std::vector<ConfigOption> options() const;
  [[nodiscard]] int processors() const;
};

/// @error usage  an architecture or a preset that there is not; the message has all names
Result<Variant> make_variant(std::string_view architecture, const std::vector<std::string>& preset_names);
/// From its name.
Result<Variant> parse_variant(std::string_view name);
/// @error bad_config  a preset that this architecture lacks; names those that have it
Result<> check_variant(const Variant& variant);

}  // namespace bowsprit::kernel
