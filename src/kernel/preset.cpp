// SPDX-License-Identifier: Apache-2.0
#include "kernel/preset.h"

#include <algorithm>

#include "base/strings.h"

namespace bowsprit::kernel {

const std::vector<Preset>& presets() {
  static const std::vector<Preset> kAll{
      {.name = "kasan",
       .finds = "use after free, accesses out of bounds",
       .options = "CONFIG_KASAN=y\nCONFIG_KASAN_GENERIC=y\nCONFIG_KASAN_VMALLOC=y\n",
       .architectures = {"um", "x86_64", "arm64"}},
      // Not UBSAN_TRAP, which makes an illegal instruction of every report.
      {.name = "ubsan",
       .finds = "undefined behaviour: shifts, array bounds",
       .options = "CONFIG_UBSAN=y\n# CONFIG_UBSAN_TRAP is not set\n",
       .architectures = {"um", "x86_64", "arm64"}},
      {.name = "lockdep",
       .finds = "lock orders that can deadlock, sleeping in atomic context",
       .options = "CONFIG_DEBUG_KERNEL=y\nCONFIG_PROVE_LOCKING=y\nCONFIG_DEBUG_ATOMIC_SLEEP=y\n",
       .architectures = {"um", "x86_64", "arm64"}},
      // EXPERT: arm64 has it only then. A race takes two processors, else it is seen by luck.
      {.name = "kcsan",
       .finds = "data races",
       .options = "CONFIG_EXPERT=y\nCONFIG_DEBUG_KERNEL=y\nCONFIG_SMP=y\nCONFIG_KCSAN=y\n",
       .architectures = {"x86_64", "arm64"},
       .processors = 2},
  };
  return kAll;
}

std::string Variant::name() const {
  std::string out(architecture->name);
  for (const auto* preset : presets) out += fmt::format("+{}", preset->name);
  return out;
}

std::vector<ConfigOption> Variant::options() const {
  std::vector<ConfigOption> all;
  for (const auto* preset : presets) {
    auto options = parse_config(preset->options, fmt::format("preset {}", preset->name));
    if (options) all = override_options(std::move(all), *options);
  }
  return all;
}

int Variant::processors() const {
  int most = 1;
  for (const auto* preset : presets) most = std::max(most, preset->processors);
  return most;
}

Result<Variant> make_variant(std::string_view architecture, const std::vector<std::string>& preset_names) {
  Variant variant;
  TRY_ASSIGN(variant.architecture, find_architecture(architecture));
  for (const auto& name : preset_names) {
    const auto found = std::ranges::find(presets(), name, &Preset::name);
    if (found == presets().end()) {
      std::vector<std::string> names;
      for (const auto& one : presets()) names.emplace_back(one.name);
      return fail(ErrorKind::usage, "unknown preset '{}'; known are {}", printable(shorten(name, 60)),
                  join(names, ", "));
    }
    if (std::ranges::find(variant.presets, &*found) == variant.presets.end()) variant.presets.push_back(&*found);
  }
  return variant;
}

Result<Variant> parse_variant(std::string_view name) {
  const auto words = split(name, '+');
  return make_variant(words.front(), {words.begin() + 1, words.end()});
}

Result<> check_variant(const Variant& variant) {
  for (const auto* preset : variant.presets) {
    if (std::ranges::find(preset->architectures, variant.architecture->name) != preset->architectures.end()) continue;
    const std::vector<std::string> names(preset->architectures.begin(), preset->architectures.end());
    return fail(ErrorKind::bad_config, "the preset {} is not for {}; these have it: {}", preset->name,
                variant.architecture->name, join(names, ", "));
  }
  return {};
}

}  // namespace bowsprit::kernel
