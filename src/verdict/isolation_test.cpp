// SPDX-License-Identifier: Apache-2.0
#include "verdict/isolation.h"

#include <fnmatch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace bowsprit {
namespace {

using ktap::TestNode;
using ktap::TestStatus;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

bool matches(const std::string& glob, const std::string& name) { return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0; }

TEST(GlobsAvoiding, CoverEveryNameAndNoCulprit) {
  const std::vector<std::string> names{"list_add", "list_add_tail", "list_del", "list", "hlist_add", "odd name",
                                       "x",        "list_hang_2",   "list_hung"};
  for (const std::vector<std::string>& avoid :
       {std::vector<std::string>{"list_hang"}, {"list_hang", "list_add_rcu"}, {"l"}, {"a.b"}, {"list_hang", "x2"}}) {
    const auto globs = globs_avoiding(names, avoid);
    for (const auto& name : names)
      EXPECT_TRUE(std::ranges::any_of(globs, [&](const auto& glob) { return matches(glob, name); })) << name;
    for (const auto& culprit : avoid)
      EXPECT_FALSE(std::ranges::any_of(globs, [&](const auto& glob) { return matches(glob, culprit); })) << culprit;
  }
}

TEST(GlobsAvoiding, AreFewWhereNamesAreMany) {
  std::vector<std::string> names;
  for (int i = 0; i < 200; ++i)
    names.push_back("list_test_" + std::string(1, static_cast<char>('a' + i % 20)) + std::to_string(i));
  EXPECT_THAT(globs_avoiding(names, {"list_test_z"}), ElementsAre("list_test_[!z]*"));
}

TEST(GlobsAvoiding, GiveANameThatIsAPrefixOfTheCulpritOneOfItsOwn) {
  EXPECT_THAT(globs_avoiding({"list", "lisp"}, {"list_hang"}), UnorderedElementsAre("list", "lis[!t]*"));
}

TEST(GlobOf, LeavesNothingThatTheCommandLineReadsOtherwise) {
  EXPECT_EQ(glob_of("Handshake API tests"), "Handshake?API?tests");
  EXPECT_EQ(glob_of("dotted.name[1]-x"), "dotted?name?1?-x");
}

TestNode node(std::string name, TestStatus status, std::vector<TestNode> children = {}) {
  TestNode out;
  out.name = std::move(name);
  out.status = status;
  out.children = std::move(children);
  return out;
}

const Manifest& manifest() {
  static const Manifest kManifest{{{"one", {"a"}}, {"two", {"ax", "bad", "cx", "cy"}}, {"three", {"d"}}}};
  return kManifest;
}

TEST(NextBoots, RunTheOtherSuitesAloneAndSplitTheOneThatCrashed) {
  const std::vector<TestNode> suites{
      node("one", TestStatus::passed, {node("a", TestStatus::passed)}),
      node("two", TestStatus::crashed, {node("ax", TestStatus::passed), node("", TestStatus::crashed)})};
  const auto next = next_boots(suites, manifest(), {});
  EXPECT_THAT(next.globs, UnorderedElementsAre("two.[!b]*", "three.*"));
  EXPECT_THAT(next.wanted, UnorderedElementsAre("two.cx", "two.cy", "three"));
}

TEST(NextBoots, AreNoneWhereAllRanOrWasGivenUp) {
  const std::vector<TestNode> all{node("one", TestStatus::passed, {node("a", TestStatus::passed)}),
                                  node("two", TestStatus::failed, {}),  // its init failed: no case can run
                                  node("three", TestStatus::crashed, {node("d", TestStatus::crashed)})};
  EXPECT_THAT(next_boots(all, manifest(), {}).globs, IsEmpty());
  EXPECT_THAT(next_boots({}, manifest(), {"one", "two", "three"}).globs, IsEmpty());
}

TEST(DoubtfulCulprits, AreThoseWithoutAWordBesideAnotherOne) {
  TestNode loud = node("bad", TestStatus::crashed);
  loud.log = {"in bad"};
  ktap::ConsoleReport report;
  report.document.suites = {
      node("one", TestStatus::timed_out, {node("a", TestStatus::timed_out)}),
      node("two", TestStatus::timed_out, {node("ax", TestStatus::timed_out), loud, node("cx", TestStatus::passed)})};
  EXPECT_THAT(doubtful_culprits(report), ElementsAre("two.ax"));
  forget_case(report, "two.ax");
  EXPECT_EQ(report.document.suites[1].children.size(), 2U);
}

TEST(NextBoots, DivideManySuitesByPatterns) {
  Manifest many;
  for (int i = 0; i < 40; ++i) many.suites.push_back({"suite_" + std::to_string(i), {"a"}});
  std::vector<TestNode> suites{node("suite_0", TestStatus::crashed, {node("a", TestStatus::crashed)})};
  EXPECT_THAT(next_boots(suites, many, {}).globs, ElementsAre("suite_[!0]*.*"));
}

}  // namespace
}  // namespace bowsprit
