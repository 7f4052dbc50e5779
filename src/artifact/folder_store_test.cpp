// SPDX-License-Identifier: Apache-2.0
#include "artifact/folder_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "os/files.h"

namespace bowsprit::artifact {
namespace {

class FolderStoreTest : public testing::Test {
 protected:
  FolderStoreTest()
      : dir_(std::move(TempDir::create("objects").value())),
        root_(dir_.path() / "root"),
        store_(std::move(FolderStore::open(root_).value())) {}

  std::vector<std::string> names(const std::string& prefix, std::size_t limit = 10000) {
    std::vector<std::string> out;
    const auto objects = store_.list(prefix, limit).value();
    for (const auto& object : objects) out.push_back(object.name);
    return out;
  }

  TempDir dir_;
  fs::path root_;
  FolderStore store_;
};

TEST_F(FolderStoreTest, GivesBackWhatWasPutAlsoByRanges) {
  ASSERT_TRUE(store_.put("pr-logs/pull/1/kunit/7/build-log.txt", "0123456789"));
  EXPECT_EQ(store_.get("pr-logs/pull/1/kunit/7/build-log.txt").value(), "0123456789");
  EXPECT_EQ(store_.get("pr-logs/pull/1/kunit/7/build-log.txt", 3, 4).value(), "3456");
  EXPECT_EQ(store_.get("pr-logs/pull/1/kunit/7/build-log.txt", 8, 100).value(), "89");
  EXPECT_EQ(store_.get("pr-logs/pull/1/kunit/7/build-log.txt", 10).value(), "");
  EXPECT_EQ(store_.stat("pr-logs/pull/1/kunit/7/build-log.txt").value().size, 10U);
  ASSERT_TRUE(store_.put("pr-logs/pull/1/kunit/7/build-log.txt", "new"));
  EXPECT_EQ(store_.get("pr-logs/pull/1/kunit/7/build-log.txt").value(), "new");
  EXPECT_EQ(store_.get("pr-logs").error().kind, ErrorKind::not_found);
  EXPECT_EQ(store_.get("nothing").error().kind, ErrorKind::not_found);
}

TEST_F(FolderStoreTest, RemovesAnObjectAndTheFoldersThatBecomeEmpty) {
  ASSERT_TRUE(store_.put("a/b/c", "1"));
  ASSERT_TRUE(store_.put("a/d", "2"));
  ASSERT_TRUE(store_.remove("a/b/c"));
  EXPECT_EQ(store_.get("a/b/c").error().kind, ErrorKind::not_found);
  EXPECT_FALSE(fs::exists(root_ / "a/b"));
  EXPECT_EQ(*store_.get("a/d"), "2");
  ASSERT_TRUE(store_.remove("a/d"));
  EXPECT_TRUE(store_.remove("a/d")) << "again";
  EXPECT_TRUE(fs::exists(root_)) << "the folder itself stays";
  EXPECT_EQ(store_.remove("../x").error().kind, ErrorKind::bad_data);
  EXPECT_TRUE(store_.put("a/b/c", "3"));
}

TEST_F(FolderStoreTest, RefusesNamesThatAreNone) {
  for (const std::string name : {"", "/", "/etc/passwd", "a//b", "a/", "../x", "a/../../x", "./a", "a/.", "a/.draft-1"})
    EXPECT_EQ(store_.put(name, "x").error().kind, ErrorKind::bad_data) << name;
  EXPECT_FALSE(is_object_name(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_object_name(std::string(256, 'x')));
  EXPECT_TRUE(is_object_name("a/...b/<script>"));
  EXPECT_EQ(store_.list("../").error().kind, ErrorKind::bad_data);
}

TEST_F(FolderStoreTest, FollowsNoSymbolicLink) {
  ASSERT_TRUE(write_file(dir_.path() / "secret", "s3cret"));
  ASSERT_TRUE(store_.put("run/ok", "fine"));
  fs::create_symlink(dir_.path() / "secret", root_ / "run/link");
  fs::create_symlink("ok", root_ / "run/inner");
  fs::create_directory_symlink(dir_.path(), root_ / "run/folder");
  EXPECT_EQ(store_.get("run/link").error().kind, ErrorKind::not_found);
  EXPECT_EQ(store_.get("run/inner").error().kind, ErrorKind::not_found);
  EXPECT_EQ(store_.get("run/folder/secret").error().kind, ErrorKind::not_found);
  EXPECT_EQ(store_.stat("run/folder/secret").error().kind, ErrorKind::not_found);
  EXPECT_FALSE(store_.put("run/folder/new", "x"));
  EXPECT_FALSE(fs::exists(dir_.path() / "new"));
  EXPECT_EQ(names(""), std::vector<std::string>{"run/ok"});
  EXPECT_FALSE(store_.put_file("copy", root_ / "run/link"));
  ASSERT_TRUE(store_.put("run/link", "a file now"));  // the rename replaces the link and not what it points to
  EXPECT_EQ(read_file(dir_.path() / "secret").value(), "s3cret");
}

TEST_F(FolderStoreTest, APipeOrASocketIsNoObject) {
  ASSERT_TRUE(store_.put("run/ok", "fine"));
  ASSERT_EQ(::mkfifo((root_ / "run/fifo").c_str(), 0644), 0);
  EXPECT_EQ(store_.get("run/fifo").error().kind, ErrorKind::not_found);  // and it does not block
  EXPECT_EQ(store_.put_file("copy", root_ / "run/fifo").error().kind, ErrorKind::bad_data);
  EXPECT_EQ(names("run/"), std::vector<std::string>{"run/ok"});
}

TEST_F(FolderStoreTest, ListsSortedByFullNameBelowAPrefix) {
  for (const char* name : {"b", "a/2", "a/1", "a.txt", "ab/x", "a/sub/3"}) ASSERT_TRUE(store_.put(name, "x"));
  EXPECT_EQ(names(""), (std::vector<std::string>{"a.txt", "a/1", "a/2", "a/sub/3", "ab/x", "b"}));
  EXPECT_EQ(names("a/"), (std::vector<std::string>{"a/1", "a/2", "a/sub/3"}));
  EXPECT_EQ(names("a"), (std::vector<std::string>{"a.txt", "a/1", "a/2", "a/sub/3", "ab/x"}));
  EXPECT_EQ(names("", 2), (std::vector<std::string>{"a.txt", "a/1"}));
  EXPECT_TRUE(names("absent/").empty());
}

TEST_F(FolderStoreTest, CopiesFilesAndLeavesNoDraftBehind) {
  const std::string big(3'000'000, 'k');
  ASSERT_TRUE(write_file(dir_.path() / "big", big));
  ASSERT_TRUE(store_.put_file("run/big", dir_.path() / "big"));
  EXPECT_EQ(store_.stat("run/big").value().size, big.size());
  EXPECT_FALSE(store_.put_file("run/none", dir_.path() / "none"));
  EXPECT_EQ(std::distance(fs::directory_iterator(root_ / "run"), fs::directory_iterator()), 1);
}

TEST_F(FolderStoreTest, AReaderSeesTheOldOrTheNewBytesAndNeverAMixture) {
  const std::string first(200'000, 'a');
  const std::string second(300'000, 'b');
  ASSERT_TRUE(store_.put("x", first));
  std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      ASSERT_TRUE(store_.put("x", second));
      ASSERT_TRUE(store_.put("x", first));
    }
  });
  for (int i = 0; i < 50; ++i) {
    const auto bytes = store_.get("x").value();
    ASSERT_TRUE(bytes == first || bytes == second);
  }
}

}  // namespace
}  // namespace bowsprit::artifact
