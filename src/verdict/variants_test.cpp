// SPDX-License-Identifier: Apache-2.0
#include "verdict/variants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verdict/judge.h"

namespace bowsprit {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

RunResult judged(const std::string& second_case, const std::string& suite = "ok 1 s\n") {
  JudgeInput input;
  input.console = ktap::read_console(
      "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n    1..2\n    ok 1 a\n" + second_case + suite);
  return judge(std::move(input));
}

RunResult good() { return judged("    ok 2 b\n"); }
RunResult failing() {
  return judged("    # b: EXPECTATION FAILED at lib/x.c:3\n    Expected 1 == 2\n    not ok 2 b\n", "not ok 1 s\n");
}

TEST(JoinVariants, PassesWhereAllOfThemPass) {
  const auto joined = join_variants({{"um", good()}, {"x86_64", good()}});
  EXPECT_EQ(joined.verdict, Verdict::passed);
  EXPECT_EQ(joined.summary, "2 tests passed on um, x86_64");
  EXPECT_EQ(joined.tests.total, 2);  // each counts once
  ASSERT_EQ(joined.variants.size(), 2U);
  EXPECT_EQ(joined.variants[1].name, "x86_64");
  EXPECT_EQ(joined.variants[1].tests.passed, 2);
}

TEST(JoinVariants, GivesTheWorstVerdictAndNamesTheVariantOfEachFailure) {
  const auto joined = join_variants({{"um", good()}, {"um+kasan", failing()}});
  EXPECT_EQ(joined.verdict, Verdict::failed);
  EXPECT_THAT(joined.summary, AllOf(HasSubstr("um+kasan: 1 of 2 tests failed: s.b"), HasSubstr("; good: um")));
  ASSERT_EQ(joined.failures.size(), 1U);
  EXPECT_THAT(joined.failures[0].variants, ElementsAre("um+kasan"));
  EXPECT_EQ(joined.suites.at(0).children.at(1).status, ktap::TestStatus::failed);
  EXPECT_EQ(joined.tests.passed, 1);
  EXPECT_EQ(joined.tests.failed, 1);
  EXPECT_EQ(joined.variants[0].verdict, Verdict::passed);
}

TEST(JoinVariants, TellsTheSameFailureOnceWithAllItsVariants) {
  const auto joined = join_variants({{"um", failing()}, {"x86_64", failing()}});
  ASSERT_EQ(joined.failures.size(), 1U);
  EXPECT_THAT(joined.failures[0].variants, ElementsAre("um", "x86_64"));
  EXPECT_EQ(joined.tests.failed, 1);
}

TEST(JoinVariants, KeepsTwoEqualFailuresOfOneKernelApart) {
  auto twice = failing();
  twice.failures.push_back(twice.failures.front());
  EXPECT_EQ(join_variants({{"um", twice}, {"x86_64", failing()}}).failures.size(), 2U);
}

TEST(JoinVariants, NeverPassesWhereOneVariantWasNotJudged) {
  const auto joined = join_variants({{"um", good()}, {"x86_64", infra_failed("qemu is not installed")}});
  EXPECT_EQ(joined.verdict, Verdict::infra_error);
  EXPECT_THAT(joined.summary, HasSubstr("x86_64: qemu is not installed"));
}

TEST(JoinVariants, DoesNotForgiveAFailureForAMachinesFault) {
  EXPECT_EQ(join_variants({{"um", failing()}, {"x86_64", infra_failed("no space")}}).verdict, Verdict::failed);
  EXPECT_EQ(join_variants({{"um", failing()}, {"x86_64", aborted("stopped")}}).verdict, Verdict::aborted);
}

TEST(JoinVariants, DoesNotBlameAVariantThatHandedAllItsTestsOver) {
  const auto none = judge({});
  ASSERT_EQ(none.verdict, Verdict::no_tests);
  EXPECT_EQ(join_variants({{"um", none, true}, {"x86_64", good()}}).verdict, Verdict::passed);
  EXPECT_EQ(join_variants({{"um", none, false}, {"x86_64", good()}}).verdict, Verdict::no_tests);
  EXPECT_EQ(join_variants({{"um", none, true}, {"x86_64", none}}).verdict, Verdict::no_tests);
}

TEST(JoinVariants, AddsTheTimesOfEachPhase) {
  auto one = good();
  one.phases = {{"build", 2}, {"boot", 1}};
  const auto joined = join_variants({{"um", one}, {"x86_64", one}});
  ASSERT_EQ(joined.phases.size(), 2U);
  EXPECT_EQ(joined.phases[0].seconds, 4);
}

}  // namespace
}  // namespace bowsprit
