// SPDX-License-Identifier: Apache-2.0
#include "kernel/lost_option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::kernel {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LostOptionTest : public ::testing::Test {
 protected:
  void put(const std::string& name, std::string_view text) {
    const auto path = tree_->path() / name;
    ASSERT_TRUE(make_dirs(path.parent_path()));
    ASSERT_TRUE(write_file(path, text));
  }
  std::string why(const std::string& wanted, const std::string& resulting) {
    const auto options = parse_config(wanted, "kunitconfig");
    const auto values = parse_config(resulting, ".config");
    const auto lost = lost_options(*options, *values);
    if (lost.size() != 1) return fmt::format("{} options are lost", lost.size());
    return why_lost(tree_->path(), find_kconfig_files(tree_->path()), lost[0], *values);
  }
  Result<TempDir> tree_ = TempDir::create("lost-option-test");
};

TEST(EvaluateKconfig, KnowsTheThreeValues) {
  const auto values = *parse_config("CONFIG_Y=y\nCONFIG_M=m\nCONFIG_S=\"x\"\n", "f");
  const auto value = [&](std::string_view text) { return evaluate_kconfig(text, values).value_or(-1); };
  EXPECT_EQ(value("Y"), 2);
  EXPECT_EQ(value("M"), 1);
  EXPECT_EQ(value("!M"), 1);
  EXPECT_EQ(value("NONE"), 0);
  EXPECT_EQ(value("Y && M || NONE"), 1);
  EXPECT_EQ(value("NONE && (Y || M)"), 0);
  EXPECT_EQ(value("!(NONE||NONE)"), 2);
  EXPECT_EQ(value("M = y"), 0);
  EXPECT_EQ(value("M!=y"), 2);
  EXPECT_EQ(value("S=\"x\""), 2);
  EXPECT_EQ(value("Y &&"), -1);
  EXPECT_EQ(value("(Y"), -1);
  EXPECT_EQ(value(std::string(100'000, '(')), -1);
  EXPECT_EQ(value("GCC_VERSION >= 90000"), -1);
}

TEST_F(LostOptionTest, NamesTheDependencyAndItsValues) {
  put("lib/Kconfig",
      "config A\n\tbool \"A\"\n\tdepends on PCI && \\\n\t\t!UML\n\thelp\n\t  depends on nothing at all\n");
  EXPECT_EQ(why("CONFIG_A=y", "CONFIG_UML=y\nCONFIG_PCI=y\n"),
            "it depends on PCI &&  \t\t!UML (lib/Kconfig:4), but CONFIG_PCI is y, CONFIG_UML is y");
}

TEST_F(LostOptionTest, SeesIfsAndMenusAroundItAlsoInTheFileThatSourcesIt) {
  put("Kconfig", "if NET\nsource \"net/Kconfig\"\nendif\n");
  put("net/Kconfig",
      "menu \"Tests\"\n\tdepends on TESTS\nif HERE\nconfig A\n\tbool \"A\"\nendif\nendmenu\nconfig B\n\tbool \"B\"\n");
  EXPECT_THAT(why("CONFIG_A=y", ""),
              AllOf(HasSubstr("depends on NET (Kconfig:1)"), HasSubstr("depends on TESTS (net/Kconfig:2)"),
                    HasSubstr("depends on HERE (net/Kconfig:3), but CONFIG_HERE is not set")));
  EXPECT_EQ(why("CONFIG_B=y", ""), "it depends on NET (Kconfig:1), but CONFIG_NET is not set");
  EXPECT_EQ(why("CONFIG_A=y", "CONFIG_NET=y\nCONFIG_TESTS=y\nCONFIG_HERE=y\n"), "");
}

TEST_F(LostOptionTest, TellsAnOptionThatDoesNotExist) {
  put("lib/Kconfig", "config KUNIT_EXAMPLE_TEST\n\tbool \"x\"\n");
  EXPECT_EQ(why("CONFIG_KUNIT_EXAMPEL_TEST=y", ""),
            "no Kconfig file of this tree declares it for this ARCH; did you mean CONFIG_KUNIT_EXAMPLE_TEST?");
}

TEST_F(LostOptionTest, TellsAnOptionWithoutPromptAndWhoSetsIt) {
  put("lib/Kconfig", "config GLOB\n\tbool\n\nconfig USER\n\tbool \"user\"\n\tselect GLOB if X\n");
  EXPECT_EQ(why("CONFIG_GLOB=y", ""),
            "it has no prompt (lib/Kconfig:1), so only another option can set it: CONFIG_USER");
  EXPECT_EQ(why("# CONFIG_GLOB is not set", "CONFIG_GLOB=y\nCONFIG_USER=y\nCONFIG_X=y\n"),
            "CONFIG_USER is y and selects it (lib/Kconfig:6)");
}

}  // namespace
}  // namespace bowsprit::kernel
