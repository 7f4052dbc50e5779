// SPDX-License-Identifier: Apache-2.0
// What is chosen and what is removed; how trees are made is in local_executor_test.cpp.
#include "exec/local/warm_trees.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::exec {
namespace {

using ::testing::ElementsAre;

class WarmTreesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create("warm-trees");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    trees_.emplace(dir_->path());
  }
  /// A tree of 64 KiB.
  void add(const std::string& key, int generation, const std::string& commit, std::int64_t made_ms) const {
    const auto folder = dir_->path() / key / std::to_string(generation);
    ASSERT_TRUE(make_dirs(folder / "source"));
    ASSERT_TRUE(write_file(folder / "source/file", std::string(65536, 'x')));
    ASSERT_TRUE(
        write_file(folder / "tree.json",
                   dump_json({{"repository", "url"}, {"commit", commit}, {"made_ms", made_ms}, {"built", true}})));
  }
  [[nodiscard]] std::vector<std::string> commits() const {
    std::vector<std::string> out;
    for (const auto& tree : trees_->list()) out.push_back(tree.commit);
    return out;
  }

  std::optional<TempDir> dir_;
  std::optional<WarmTrees> trees_;
};

TEST_F(WarmTreesTest, GiveTheNearestOfAKeyAndTheNewerOfTwoAsNear) {
  add("k", 1, "old", 1);
  add("k", 2, "middle", 2);
  add("k", 3, "new", 3);
  const auto by = [&](std::map<std::string, std::int64_t> distances) {
    return trees_
        ->nearest("k",
                  [&](const std::string& commit) -> std::optional<std::int64_t> {
                    const auto found = distances.find(commit);
                    return found == distances.end() ? std::nullopt : std::optional(found->second);
                  })
        ->tree()
        .commit;
  };
  EXPECT_EQ(by({{"old", 1}, {"middle", 5}, {"new", 9}}), "old");
  EXPECT_EQ(by({{"old", 3}, {"middle", 3}, {"new", 4}}), "middle");
  EXPECT_EQ(by({}), "new") << "nothing is known of any";
  EXPECT_FALSE(trees_->nearest("other", [](const std::string&) { return 0; }));
}

TEST_F(WarmTreesTest, CountWhoTakesThem) {
  add("k", 1, "a", 5);
  EXPECT_EQ(trees_->list()[0].hits, 0);
  EXPECT_EQ(unix_millis(trees_->list()[0].last_used), 5);
  trees_->note_use("k");
  trees_->note_use("k");
  EXPECT_EQ(trees_->list()[0].hits, 2);
  EXPECT_GT(unix_millis(trees_->list()[0].last_used), 5);
}

TEST_F(WarmTreesTest, StayWithinTheDiskLimitWithoutThoseThatWereNotUsedForLongest) {
  add("a", 1, "oldest but used", 1);
  add("b", 1, "old", 2);
  add("c", 1, "new", 3);
  trees_->note_use("a");
  EXPECT_TRUE(trees_->keep_within(10U << 20U).empty());
  const auto one = WarmTrees::size_of(trees_->list()[0]);
  EXPECT_GE(one, 65536U);
  const auto removed = trees_->keep_within(2 * one);
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed[0].key, "b");
  EXPECT_THAT(commits(), ElementsAre("oldest but used", "new"));
}

TEST_F(WarmTreesTest, AreNeverRemovedWhileInUse) {
  add("a", 1, "held", 1);
  add("b", 1, "free", 2);
  {
    const auto held = trees_->newest("a");
    ASSERT_TRUE(held);
    EXPECT_EQ(trees_->keep_within(0).size(), 1U);
    EXPECT_THAT(commits(), ElementsAre("held"));
    EXPECT_TRUE(fs::exists(held->tree().source() / "file"));
  }
  EXPECT_EQ(trees_->keep_within(0).size(), 1U);
  EXPECT_TRUE(trees_->list().empty());
}

TEST_F(WarmTreesTest, ShareTheSizeOfHardLinkedFiles) {
  add("a", 1, "a", 1);
  const auto alone = WarmTrees::size_of(trees_->list()[0]);
  fs::create_hard_link(trees_->list()[0].source() / "file", dir_->path() / "elsewhere");
  EXPECT_LE(WarmTrees::size_of(trees_->list()[0]) + 32768, alone);
}

}  // namespace
}  // namespace bowsprit::exec
