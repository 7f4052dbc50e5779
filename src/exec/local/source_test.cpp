// SPDX-License-Identifier: Apache-2.0
// The pure parts of the source step, and git's side of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/local/git_fixture.h"
#include "exec/local/mirror.h"
#include "exec/local/source_layer.h"

namespace bowsprit::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kNone(40, '0');
const std::string kBlob(40, 'a');

std::string entry(const std::string& old_mode, const std::string& mode, const std::string& status,
                  const std::string& path) {
  return fmt::format(":{} {} {} {} {}", old_mode, mode, old_mode == "000000" ? kNone : kBlob,
                     mode == "000000" ? kNone : kBlob, status) +
         '\0' + path + '\0';
}
TreeChange added(const std::string& path, const std::string& mode = "100644") { return {"000000", mode, kBlob, path}; }
TreeChange deleted(const std::string& path, const std::string& mode = "100644") {
  return {mode, "000000", kNone, path};
}
TreeChange modified(const std::string& path, const std::string& mode = "100644") { return {mode, mode, kBlob, path}; }

TEST(TreeChanges, ReadsWhatGitPrints) {
  const auto changes =
      parse_tree_changes(entry("100644", "100755", "M", "a b/\xc3\xa9") + entry("040000", "000000", "D", "gone"));
  ASSERT_TRUE(changes);
  EXPECT_THAT(*changes, ElementsAre(TreeChange{"100644", "100755", kBlob, "a b/\xc3\xa9"},
                                    TreeChange{"040000", "000000", kNone, "gone"}));
  EXPECT_TRUE(parse_tree_changes("")->empty());
}

TEST(TreeChanges, RefusesPathsThatLeadOut) {
  for (const char* path : {"../x", "a/../x", "/etc/passwd", "a//b", ".git/config", "a/.git/hooks/x", "."}) {
    const auto changes = parse_tree_changes(entry("000000", "100644", "A", path));
    ASSERT_FALSE(changes) << path;
    EXPECT_EQ(changes.error().blame, Blame::change);
  }
}

TEST(TreeChanges, RefusesBrokenText) {
  for (const std::string text : {":100644 100644 x y M", "nonsense", ":1 2 3 4 5\0p\0"})
    EXPECT_FALSE(parse_tree_changes(text));
}

TEST(Whiteouts, NameADeletedFolderOnceAndNothingThatIsReplaced) {
  EXPECT_THAT(whiteouts_of({deleted("a"), modified("b"), added("c")}), ElementsAre("a"));
  EXPECT_THAT(whiteouts_of({deleted("d", "040000"), deleted("d/x"), deleted("d/e", "040000"), deleted("d/e/y")}),
              ElementsAre("d"));
  EXPECT_THAT(whiteouts_of({modified("d", "040000"), deleted("d/x")}), ElementsAre("d/x"));
  EXPECT_TRUE(whiteouts_of({deleted("f"), added("f", "040000"), added("f/x")}).empty()) << "a file became a folder";
  EXPECT_TRUE(whiteouts_of({deleted("d", "040000"), deleted("d/x"), added("d")}).empty()) << "a folder became a file";
}

TEST(AttributeFiles, AreThoseOfAllFoldersAbove) {
  EXPECT_THAT(attribute_files_of({modified("a/b/c"), modified("d")}),
              ElementsAre(".gitattributes", "a/.gitattributes", "a/b/.gitattributes"));
}

TEST(SafeRef, TakesGitsNamesAndNoOptions) {
  for (const char* name : {"master", "kunit/alpha/master", "refs/changes/01/1/1", "v6.12-rc1", "a@b"})
    EXPECT_TRUE(safe_ref(name)) << name;
  for (const char* name :
       {"",    "-x",   "--upload-pack=x", "a/-x", "a..b", "a b",  "a~1", "a^",   "a:b",    "a?", "a*",
        "a[",  "a\\b", "a@{1}",           "/a",   "a/",   "a//b", ".a",  "a/.b", "a.lock", "a.", "@",
        "a\nb"})
    EXPECT_FALSE(safe_ref(name)) << name;
}

class MoveCheckout : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create("checkout-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    repository_.emplace(dir_->path() / "upstream");
  }
  [[nodiscard]] Git git() const { return Git(repository_->folder() / ".git"); }
  [[nodiscard]] fs::path at(const std::string& name) const { return dir_->path() / name; }

  std::optional<TempDir> dir_;
  std::optional<GitFixture> repository_;
};

TEST_F(MoveCheckout, WritesIntoNoFileThatAnotherCheckoutShares) {
  repository_->write("changed", "old");
  repository_->write("same", "same");
  repository_->write("dir/gone", "old");
  const auto from = repository_->commit("one");
  repository_->write("changed", "new");
  ASSERT_TRUE(remove_tree(repository_->folder() / "dir"));
  const auto to = repository_->commit("two");
  ASSERT_TRUE(make_dirs(at("one")));
  ASSERT_TRUE(check_out(git(), from, at("one")));
  ASSERT_TRUE(run_checked({.argv = {"cp", "-a", "--link", at("one").string(), at("two").string()}}, seconds(10)));
  ASSERT_TRUE(move_checkout(git(), from, to, at("two")));
  EXPECT_EQ(*read_file(at("two/changed")), "new");
  EXPECT_FALSE(fs::exists(at("two/dir")));
  EXPECT_EQ(*read_file(at("one/changed")), "old");
  EXPECT_EQ(*read_file(at("one/dir/gone")), "old");
  EXPECT_TRUE(fs::equivalent(at("one/same"), at("two/same"))) << "still one file on disk";
}

TEST_F(MoveCheckout, FollowsNoLinkOfTheOldTree) {
  ASSERT_TRUE(make_dirs(at("outside")));
  ASSERT_TRUE(write_file(at("outside/victim"), "alive"));
  fs::create_symlink(at("outside"), repository_->folder() / "link");
  const auto from = repository_->commit("a link");
  ASSERT_TRUE(fs::remove(repository_->folder() / "link"));
  repository_->write("link/victim", "a file of the change");
  const auto to = repository_->commit("a folder");
  ASSERT_TRUE(make_dirs(at("tree")));
  ASSERT_TRUE(check_out(git(), from, at("tree")));
  ASSERT_TRUE(move_checkout(git(), from, to, at("tree")));
  EXPECT_EQ(*read_file(at("outside/victim")), "alive");
  EXPECT_EQ(*read_file(at("tree/link/victim")), "a file of the change");
}

TEST_F(MoveCheckout, WritesLineEndsAsTheAttributesSay) {
  repository_->write(".gitattributes", "*.bat eol=crlf\n");
  const auto from = repository_->commit("attributes");
  repository_->write("dir/x.bat", "one\ntwo\n");
  const auto to = repository_->commit("file");
  ASSERT_TRUE(make_dirs(at("layer")));
  ASSERT_TRUE(write_layer(git(), from, to, at("layer")));
  EXPECT_EQ(*read_file(at("layer/dir/x.bat")), "one\r\ntwo\r\n");
  EXPECT_FALSE(fs::exists(at("layer/.gitattributes"))) << "unchanged files stay below";
}

TEST_F(MoveCheckout, MirrorMergesSeveralPullsInOrderAndNamesConflictsOnce) {
  repository_->write("a", "a\n");
  const auto base = repository_->commit("base");
  repository_->write("b", "b\n");
  repository_->commit("one");
  const auto one = repository_->change(1, base);
  repository_->write("a", "mine\n");
  repository_->commit("two");
  const auto two = repository_->change(2, base);
  repository_->write("a", "theirs\n");
  repository_->commit("three");
  const auto three = repository_->change(3, base);
  auto mirror = Mirror::open(at("mirror"), repository_->folder().string(), {});
  ASSERT_TRUE(mirror);
  auto refs = repository_->refs(one);
  refs.pulls = {one, two};
  const auto merged = (*mirror)->merge(refs);
  ASSERT_TRUE(merged) << merged.error().text();
  EXPECT_EQ((*mirror)->git().checked({"show", merged->merged_sha + ":a"}), "mine\n");
  EXPECT_EQ((*mirror)->git().checked({"show", merged->merged_sha + ":b"}), "b\n");
  refs.pulls = {one, two, three};
  const auto conflict = (*mirror)->merge(refs);
  ASSERT_TRUE(conflict) << conflict.error().text();
  EXPECT_THAT(conflict->conflicts, ElementsAre("a"));
  EXPECT_TRUE(conflict->merged_sha.empty());
}

TEST_F(MoveCheckout, MirrorAsksNoServerForWhatItHas) {
  repository_->write("a", "a\n");
  const auto base = repository_->commit("base");
  repository_->write("b", "b\n");
  repository_->commit("one");
  const auto pull = repository_->change(1, base);
  auto mirror = Mirror::open(at("mirror"), repository_->folder().string(), {});
  ASSERT_TRUE(mirror);
  auto refs = repository_->refs(pull);
  const auto first = (*mirror)->merge(refs);
  ASSERT_TRUE(first) << first.error().text();
  fs::rename(repository_->folder(), at("unreachable"));
  refs.base_sha = first->base_sha;
  const auto again = (*mirror)->merge(refs);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->merged_sha, first->merged_sha);
  refs.base_sha.clear();
  const auto tip = (*mirror)->merge(refs);
  ASSERT_FALSE(tip);
  EXPECT_EQ(tip.error().blame, Blame::infrastructure);
}

TEST_F(MoveCheckout, MirrorBlamesAChangeWithoutCommonHistory) {
  repository_->write("a", "a\n");
  const auto base = repository_->commit("base");
  repository_->git({"checkout", "--quiet", "--orphan", "other"});
  repository_->commit("unrelated");
  const auto pull = repository_->change(1, base);
  auto mirror = Mirror::open(at("mirror"), repository_->folder().string(), {});
  ASSERT_TRUE(mirror);
  const auto merged = (*mirror)->merge(repository_->refs(pull));
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().blame, Blame::change);
  EXPECT_THAT(merged.error().text(), HasSubstr("no history in common"));
}

}  // namespace
}  // namespace bowsprit::exec
