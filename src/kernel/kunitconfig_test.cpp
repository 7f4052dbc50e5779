// SPDX-License-Identifier: Apache-2.0
#include "kernel/kunitconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::kernel {
namespace {

using ::testing::HasSubstr;

class KunitConfigTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(tree_.has_value()); }
  void put(const std::string& name, std::string_view text) {
    const auto path = tree_->path() / name;
    ASSERT_TRUE(make_dirs(path.parent_path()));
    ASSERT_TRUE(write_file(path, text));
  }
  Result<KunitConfig> load(std::vector<fs::path> given = {}, const fs::path& fallback = {}) {
    return load_kunitconfig({.tree = tree_->path(), .given = std::move(given), .fallback = fallback});
  }
  Result<TempDir> tree_ = TempDir::create("kunitconfig-test");
};

TEST(ParseConfig, ReadsAllFormsOfALine) {
  const auto options = parse_config(
      "# a comment\n\nCONFIG_KUNIT=y\n  CONFIG_A=m\r\n# CONFIG_B is not set\nCONFIG_S=\"two "
      "words\"\nCONFIG_H=0x10\nCONFIG_M=-5\n"
      "CONFIG_E=\"\"\n#CONFIG_C is not set\n# CONFIG_D=y is only a comment\n",
      "f");
  ASSERT_TRUE(options) << options.error().text();
  EXPECT_EQ(config_text(*options),
            "CONFIG_KUNIT=y\nCONFIG_A=m\n# CONFIG_B is not set\nCONFIG_S=\"two "
            "words\"\nCONFIG_H=0x10\nCONFIG_M=-5\nCONFIG_E=\"\"\n"
            "# CONFIG_C is not set\n");
  EXPECT_EQ((*options)[1].where.line, 4);
}

TEST(ParseConfig, RefusesABadLineWithItsPlace) {
  for (const char* bad : {"KUNIT=y", "CONFIG_KUNIT", "CONFIG_KUNIT=", "CONFIG_=y", "CONFIG_A B=y", "CONFIG_A=y z",
                          "CONFIG_A=\"open", "hello"}) {
    const auto options = parse_config(std::string("CONFIG_X=y\n") + bad + "\n", "lib/kunitconfig");
    ASSERT_FALSE(options) << bad;
    EXPECT_THAT(options.error().text(), HasSubstr("lib/kunitconfig:2"));
    EXPECT_EQ(options.error().blame, Blame::change);
  }
}

TEST(ParseConfig, TakesAnOptionTwiceOnlyWithOneValue) {
  EXPECT_TRUE(parse_config("CONFIG_A=y\nCONFIG_A=y\n", "f"));
  const auto two = parse_config("CONFIG_A=y\n\n# CONFIG_A is not set\n", "f");
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().text(), HasSubstr("f:3"));
  EXPECT_THAT(two.error().text(), HasSubstr("f:1"));
}

TEST_F(KunitConfigTest, PrefersTheVisibleFileOfTheTree) {
  put("kunitconfig", "CONFIG_A=y\n");
  put(".kunitconfig", "CONFIG_B=y\n");
  EXPECT_EQ(load()->text(), "CONFIG_A=y\n");
  fs::remove(tree_->path() / "kunitconfig");
  EXPECT_EQ(load()->text(), "CONFIG_B=y\n");
}

TEST_F(KunitConfigTest, UsesTheDefaultOnlyWhereTheTreeHasNone) {
  put("image/default.config", "CONFIG_D=y\n");
  const auto fallback = tree_->path() / "image/default.config";
  EXPECT_EQ(load({}, fallback)->text(), "CONFIG_D=y\n");
  put(".kunitconfig", "CONFIG_B=y\n");
  EXPECT_EQ(load({}, fallback)->text(), "CONFIG_B=y\n");
}

TEST_F(KunitConfigTest, NamesAllPlacesLookedAt) {
  const auto none = load({}, tree_->path() / "gone");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::not_found);
  EXPECT_EQ(none.error().blame, Blame::change);
  for (const char* name : {"/kunitconfig'", "/.kunitconfig'", "/gone'"})
    EXPECT_THAT(none.error().text(), HasSubstr(name));
  EXPECT_THAT(load().error().text(), HasSubstr("--default-kunitconfig"));
}

TEST_F(KunitConfigTest, TakesAFolderAndPathsBelowTheTree) {
  put("lib/kunit/.kunitconfig", "CONFIG_KUNIT=y\n");
  EXPECT_EQ(load({"lib/kunit"})->text(), "CONFIG_KUNIT=y\n");
  EXPECT_EQ(load({tree_->path() / "lib/kunit/.kunitconfig"})->text(), "CONFIG_KUNIT=y\n");
  EXPECT_THAT(load({"lib/none"}).error().text(), HasSubstr("lib/none"));
}

TEST_F(KunitConfigTest, MergesFilesAndRefusesDifferingValues) {
  put("a/.kunitconfig", "CONFIG_KUNIT=y\nCONFIG_A=y\n");
  put("b/.kunitconfig", "CONFIG_KUNIT=y\nCONFIG_B=7\n");
  put("c/.kunitconfig", "\nCONFIG_A=m\n");
  EXPECT_EQ(load({"a", "b"})->text(), "CONFIG_KUNIT=y\nCONFIG_A=y\nCONFIG_B=7\n");
  const auto differs = load({"a", "b", "c"});
  ASSERT_FALSE(differs);
  EXPECT_THAT(differs.error().text(), HasSubstr("c/.kunitconfig:2"));
  EXPECT_THAT(differs.error().text(), HasSubstr("a/.kunitconfig:2"));
}

TEST(LostOptions, NamesWantedAndGot) {
  const auto wanted =
      parse_config("CONFIG_A=y\nCONFIG_B=y\n# CONFIG_C is not set\n# CONFIG_D is not set\nCONFIG_N=5\n", "kunitconfig");
  const auto resulting = parse_config("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_D=y\nCONFIG_N=3\n", ".config");
  const auto lost = lost_options(*wanted, *resulting);
  ASSERT_EQ(lost.size(), 3U);
  EXPECT_EQ(lost[0].text(), "CONFIG_B=y was asked for at kunitconfig:2, but it is not set in the result");
  EXPECT_EQ(lost[1].text(), "# CONFIG_D is not set was asked for at kunitconfig:4, but it is y in the result");
  EXPECT_EQ(lost[2].got, "3");
}

TEST(OverrideOptions, KeepsTheOrderAndReplacesValues) {
  const auto base = parse_config("CONFIG_A=y\nCONFIG_B=y\n", "arch");
  const auto over = parse_config("CONFIG_C=y\n# CONFIG_A is not set\n", "own");
  EXPECT_EQ(config_text(override_options(*base, *over)), "# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=y\n");
}

}  // namespace
}  // namespace bowsprit::kernel
