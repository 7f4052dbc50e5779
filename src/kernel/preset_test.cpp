// SPDX-License-Identifier: Apache-2.0
#include "kernel/preset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::kernel {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Variant, IsReadFromItsName) {
  const auto variant = parse_variant("x86_64+kasan+ubsan");
  ASSERT_TRUE(variant) << variant.error().text();
  EXPECT_EQ(variant->architecture->name, "x86_64");
  EXPECT_EQ(variant->name(), "x86_64+kasan+ubsan");
  EXPECT_EQ(parse_variant("um")->name(), "um");
  EXPECT_EQ(parse_variant("um+kasan+kasan")->name(), "um+kasan");
}

TEST(Variant, OfWhatThereIsNotNamesWhatThereIs) {
  EXPECT_THAT(parse_variant("mips").error().text(), AllOf(HasSubstr("'mips'"), HasSubstr("um, x86_64, arm64")));
  EXPECT_THAT(parse_variant("").error().text(), HasSubstr("um, x86_64, arm64"));
  EXPECT_THAT(parse_variant("um+msan").error().text(),
              AllOf(HasSubstr("'msan'"), HasSubstr("kasan, ubsan, lockdep, kcsan")));
  EXPECT_EQ(parse_variant("um+").error().kind, ErrorKind::usage);
}

TEST(Variant, WithAPresetThatItsArchitectureLacksNamesThoseThatHaveIt) {
  const auto checked = check_variant(*parse_variant("um+kcsan"));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::bad_config);
  EXPECT_THAT(checked.error().text(), AllOf(HasSubstr("kcsan is not for um"), HasSubstr("x86_64, arm64")));
  EXPECT_TRUE(check_variant(*parse_variant("x86_64+kcsan")));
  EXPECT_TRUE(check_variant(*parse_variant("um+kasan+lockdep")));
}

TEST(Variant, HasTheOptionsOfAllItsPresetsWithTheirPlace) {
  const auto options = parse_variant("um+ubsan+lockdep")->options();
  EXPECT_EQ(config_text(options),
            "CONFIG_UBSAN=y\n# CONFIG_UBSAN_TRAP is not set\nCONFIG_DEBUG_KERNEL=y\nCONFIG_PROVE_LOCKING=y\n"
            "CONFIG_DEBUG_ATOMIC_SLEEP=y\n");
  EXPECT_EQ(options.front().where.file, "preset ubsan");
  EXPECT_TRUE(parse_variant("um")->options().empty());
  EXPECT_EQ(parse_variant("um")->processors(), 1);
  EXPECT_EQ(parse_variant("x86_64+kcsan")->processors(), 2);
}

TEST(Presets, AreKunitconfigsOfKnownArchitectures) {
  for (const auto& preset : presets()) {
    EXPECT_TRUE(parse_config(preset.options, "preset")) << preset.name;
    EXPECT_FALSE(preset.architectures.empty()) << preset.name;
    for (const auto& name : preset.architectures) EXPECT_TRUE(find_architecture(name)) << name;
  }
}

}  // namespace
}  // namespace bowsprit::kernel
