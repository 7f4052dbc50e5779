// SPDX-License-Identifier: Apache-2.0
#include "kernel/lost_option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

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
    return why_lost(read_kconfig(tree_->path()), lost[0], *values);
  }
  Result<TempDir> tree_ = TempDir::create("lost-option-test");
};

TEST(EvaluateKconfig, KnowsTheThreeValues) {
  const auto options = *parse_config("CONFIG_Y=y\nCONFIG_M=m\nCONFIG_S=\"x\"\nCONFIG_GCC_VERSION=120200\n", "f");
  const auto value = [&](std::string_view text) {
    const auto found = evaluate_kconfig(text, kconfig_values(options));
    return found ? found->value : -1;
  };
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
  EXPECT_EQ(value("GCC_VERSION >= 90000"), 2);
  EXPECT_EQ(value("GCC_VERSION < 90000"), 0);
  EXPECT_EQ(value("$(cc-option,-fno-x(y)) && Y"), 2);
  for (const char* bad : {"Y &&", "(Y", "$(cc-option", "Y Y", "&& Y", ""}) EXPECT_EQ(value(bad), -1) << bad;
  EXPECT_EQ(value(std::string(100'000, '(')), -1);
}

TEST(EvaluateKconfig, NamesOnlyWhatKeepsTheExpressionFromYes) {
  const auto options = *parse_config("CONFIG_Y=y\nCONFIG_M=m\nCONFIG_V=5\n", "f");
  const auto blockers = [&](std::string_view text) {
    std::string out;
    const auto found = evaluate_kconfig(text, kconfig_values(options));
    for (const auto& one : found->blockers) out += fmt::format("{}={}{} ", one.name, one.value, one.off ? "!" : "");
    return out;
  };
  EXPECT_EQ(blockers("Y"), "");
  EXPECT_EQ(blockers("Y && A"), "A=n! ");
  EXPECT_EQ(blockers("A || B"), "A=n! B=n! ");
  EXPECT_EQ(blockers("A || Y"), "");
  EXPECT_EQ(blockers("(A || B) && Y && !Y"), "A=n! B=n! Y=y ");
  EXPECT_EQ(blockers("!(A || Y)"), "Y=y ");
  EXPECT_EQ(blockers("!(A && Y)"), "");
  EXPECT_EQ(blockers("M"), "M=m ");
  EXPECT_EQ(blockers("V > 6 && V = 5"), "V=5 ");
}

TEST_F(LostOptionTest, NamesTheDependencyThatIsNotMet) {
  put("Kconfig", "config A\n\tbool \"A\"\n\tdepends on PCI && \\\n\t\t!UML\n\thelp\n\t  depends on nothing at all\n");
  EXPECT_EQ(why("CONFIG_A=y", "CONFIG_UML=y\nCONFIG_PCI=y\n"),
            "it depends on PCI && !UML (Kconfig:4), but CONFIG_UML is y");
}

TEST_F(LostOptionTest, FollowsTheChainToWhatCanBeAskedForAndToWhatCanNot) {
  put("Kconfig",
      "config A\n\tbool \"A\"\n\tdepends on B && C\nconfig B\n\tbool \"B\"\n\tdepends on D\nconfig D\n\tbool\n"
      "config E\n\tbool \"E\"\n\tselect D\nconfig C\n\ttristate \"C\"\n");
  EXPECT_EQ(
      why("CONFIG_A=y", ""),
      "it depends on B && C (Kconfig:3), but CONFIG_B is not set, CONFIG_C is not set; "
      "CONFIG_B: it depends on D (Kconfig:6), but CONFIG_D is not set; CONFIG_C: it can be asked for too (Kconfig:12); "
      "CONFIG_D: it has no prompt (Kconfig:7), so only another option can set it: CONFIG_E");
}

TEST_F(LostOptionTest, TellsAConditionThatOnlyTheCompilerKnows) {
  put("Kconfig", "config A\n\tbool \"A\"\n\tdepends on $(cc-option,-fx) && B # since 1.0\n");
  EXPECT_EQ(why("CONFIG_A=y", "CONFIG_B=y\n"),
            "it depends on $(cc-option,-fx) && B (Kconfig:3), which the tools of this machine decide");
}

TEST_F(LostOptionTest, EndsAChainThatGoesInCircles) {
  put("Kconfig", "config A\n\tbool \"A\"\n\tdepends on B\nconfig B\n\tbool \"B\"\n\tdepends on A\n");
  EXPECT_EQ(why("CONFIG_A=y", ""),
            "it depends on B (Kconfig:3), but CONFIG_B is not set; "
            "CONFIG_B: it depends on A (Kconfig:6), but CONFIG_A is not set");
}

TEST_F(LostOptionTest, SeesIfsAndMenusAroundItAlsoInTheFileThatSourcesIt) {
  put("Kconfig", "if NET\nsource \"net/Kconfig\"\nendif\n");
  put("net/Kconfig",
      "menu \"Tests\"\n\tdepends on TESTS\n\tvisible if SEEN\nif HERE\nconfig A\n\tbool \"A\"\nendif\nendmenu\n"
      "config B\n\tbool \"B\"\n");
  EXPECT_THAT(why("CONFIG_A=y", "CONFIG_SEEN=y\n"),
              AllOf(HasSubstr("depends on NET (Kconfig:1)"), HasSubstr("depends on TESTS (net/Kconfig:2)"),
                    HasSubstr("depends on HERE (net/Kconfig:4), but CONFIG_HERE is not set")));
  EXPECT_EQ(why("CONFIG_B=y", ""),
            "it depends on NET (Kconfig:1), but CONFIG_NET is not set; "
            "CONFIG_NET: no Kconfig file of this tree declares it for ARCH=um");
  EXPECT_THAT(why("CONFIG_A=y", "CONFIG_NET=y\nCONFIG_TESTS=y\nCONFIG_HERE=y\n"),
              HasSubstr("it can only be set if SEEN (net/Kconfig:3), but CONFIG_SEEN is not set"));
  EXPECT_EQ(why("CONFIG_A=y", "CONFIG_NET=y\nCONFIG_TESTS=y\nCONFIG_HERE=y\nCONFIG_SEEN=y\n"), "");
}

TEST_F(LostOptionTest, TakesNoConditionOfAnotherEntryForItsOwn) {
  put("Kconfig",
      "config A\n\tbool \"A if you like\" if EXPERT\ncomment \"A needs B\"\n\tdepends on B\n"
      "config A\n\tbool\n\thelp\n\t  x\n\tdepends on C\n");
  EXPECT_EQ(why("CONFIG_A=y", "CONFIG_C=y\n"),
            "it can only be set if EXPERT (Kconfig:2), but CONFIG_EXPERT is not set; "
            "CONFIG_EXPERT: no Kconfig file of this tree declares it for ARCH=um");
}

TEST_F(LostOptionTest, OneDeclarationOfSeveralIsEnough) {
  put("Kconfig",
      "config A\n\tbool \"A\"\n\tdepends on X\nconfig A\n\tbool \"A\"\n\tdepends on Y\nconfig X\n\tbool \"X\"\n");
  EXPECT_EQ(why("CONFIG_A=y", "CONFIG_Y=y\n"), "");
  EXPECT_THAT(why("CONFIG_A=y", ""), AllOf(HasSubstr("depends on X"), HasSubstr(", and it depends on Y")));
}

TEST_F(LostOptionTest, TellsTheOtherMemberOfAChoice) {
  put("Kconfig", "choice\n\tprompt \"c\"\nconfig A\n\tbool \"A\"\nconfig B\n\tbool \"B\"\nendchoice\n");
  EXPECT_EQ(why("CONFIG_A=y", "CONFIG_B=y\n"), "CONFIG_B of the same choice is set (Kconfig:5)");
}

TEST_F(LostOptionTest, ReadsOnlyWhatThisArchitectureReads) {
  put("Kconfig", "source \"arch/$(SRCARCH)/Kconfig\"\nsource \"../outside\"\nsource \"Kconfig\"\n");
  put("arch/um/Kconfig", "source \"arch/$(HEADER_ARCH)/um/Kconfig\"\n");
  put("arch/x86/um/Kconfig", "config HERE\n\tbool \"x\"\n");
  put("arch/x86/Kconfig", "config ONLY_X86\n\tbool \"x\"\n");
  EXPECT_EQ(why("CONFIG_HERE=y", ""), "");
  EXPECT_THAT(why("CONFIG_ONLY_X86=y", ""), HasSubstr("no Kconfig file of this tree declares it for ARCH=um"));
}

TEST_F(LostOptionTest, TellsAnOptionThatDoesNotExist) {
  put("Kconfig", "config KUNIT_EXAMPLE_TEST\n\tbool \"x\"\n");
  EXPECT_EQ(why("CONFIG_KUNIT_EXAMPEL_TEST=y", ""),
            "no Kconfig file of this tree declares it for ARCH=um; did you mean CONFIG_KUNIT_EXAMPLE_TEST?");
}

TEST_F(LostOptionTest, TellsAnOptionWithoutPromptAndWhoSetsIt) {
  put("Kconfig", "config GLOB\n\tbool\n\nconfig USER\n\tbool \"user\"\n\tselect GLOB if X\n");
  EXPECT_EQ(why("CONFIG_GLOB=y", ""), "it has no prompt (Kconfig:1), so only another option can set it: CONFIG_USER");
  EXPECT_EQ(why("# CONFIG_GLOB is not set", "CONFIG_GLOB=y\nCONFIG_USER=y\nCONFIG_X=y\n"),
            "CONFIG_USER is y and selects it (Kconfig:6)");
}

}  // namespace
}  // namespace bowsprit::kernel
