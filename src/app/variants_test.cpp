// SPDX-License-Identifier: Apache-2.0
#include "app/variants.h"

#include <gtest/gtest.h>

#include "app/reproduce.h"

namespace bowsprit::app {
namespace {

std::vector<kernel::Variant> variants(const std::vector<std::string>& names) {
  std::vector<kernel::Variant> all;
  for (const auto& name : names) all.push_back(*kernel::parse_variant(name));
  return all;
}

TEST(Variants, PlainUserModeLinuxIsBuiltWhereTheWarmTreeIs) {
  EXPECT_EQ(build_folder_of("/b", *kernel::parse_variant("um")), "/b");
  EXPECT_EQ(build_folder_of("/b", *kernel::parse_variant("um+kasan")), "/b/variants/um+kasan");
  EXPECT_EQ(build_folder_of("/b", *kernel::parse_variant("x86_64")), "/b/variants/x86_64");
}

TEST(Variants, UserModeLinuxLeavesWhatItCantHaveToAMachine) {
  EXPECT_EQ(taker_of(variants({"um", "x86_64"}), 0), "x86_64");
  EXPECT_EQ(taker_of(variants({"um", "x86_64"}), 1), "");
  EXPECT_EQ(taker_of(variants({"um", "um+kasan"}), 0), "");
  EXPECT_EQ(taker_of(variants({"um", "x86_64+kasan", "x86_64"}), 0), "x86_64");
  EXPECT_EQ(taker_of(variants({"x86_64+kasan", "um+ubsan"}), 1), "x86_64+kasan");
}

TEST(Reproduce, NamesArchitectureAndOptionsOfTheVariant) {
  const auto command = reproduce_command(
      {.tree = "/t", .kunitconfigs = {"/t/kunitconfig"}, .variant = *kernel::parse_variant("x86_64+ubsan")}, {});
  EXPECT_EQ(command,
            "./tools/testing/kunit/kunit.py run --kunitconfig=kunitconfig --arch=x86_64 --kconfig_add=CONFIG_UBSAN=y "
            "--kconfig_add=CONFIG_UBSAN_TRAP=n");
}

}  // namespace
}  // namespace bowsprit::app
