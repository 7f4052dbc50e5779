// SPDX-License-Identifier: Apache-2.0
#include "artifact/spool_store.h"

#include <gmock/gmock.h>

#include <functional>

#include "os/files.h"

namespace bowsprit::artifact {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// What the store elsewhere has and how it behaves; outlives the store objects, as a real one does.
struct Elsewhere {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::string> objects;
  std::vector<std::string> order;  ///< of puts that went well
  int attempts = 0;
  int reads = 0;
  std::function<std::optional<ErrorKind>(const std::string& name)> refuse = [](const auto&) { return std::nullopt; };

  void behave(std::function<std::optional<ErrorKind>(const std::string& name)> how) {
    const std::scoped_lock lock(mutex);
    refuse = std::move(how);
  }
  [[nodiscard]] bool wait_for(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, seconds(20), condition);
  }
};

class Remote final : public ObjectStore {
 public:
  explicit Remote(Elsewhere& state) : state_(state) {}
  Result<> put(const std::string& name, std::string_view bytes, const Attributes& /*attributes*/) override {
    const std::scoped_lock lock(state_.mutex);
    ++state_.attempts;
    state_.changed.notify_all();
    if (const auto kind = state_.refuse(name)) return fail(*kind, "refused '{}'", name);
    state_.objects[name] = bytes;
    state_.order.push_back(name);
    return {};
  }
  Result<> put_file(const std::string& name, const std::filesystem::path& file, const Attributes& attributes) override {
    TRY_ASSIGN(const auto text, read_file(file));
    return put(name, text, attributes);
  }
  Result<std::string> get(const std::string& name, std::uint64_t offset, std::optional<std::uint64_t> length) override {
    const std::scoped_lock lock(state_.mutex);
    ++state_.reads;
    if (const auto kind = state_.refuse(name)) return fail(*kind, "refused '{}'", name);
    const auto it = state_.objects.find(name);
    if (it == state_.objects.end()) return fail(ErrorKind::not_found, "no '{}'", name);
    return it->second.substr(offset, length.value_or(std::string::npos));
  }
  Result<ObjectInfo> stat(const std::string& name) override {
    TRY_ASSIGN(const auto text, get(name, 0, std::nullopt));
    return ObjectInfo{name, text.size()};
  }
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, std::size_t /*limit*/) override {
    const std::scoped_lock lock(state_.mutex);
    if (const auto kind = state_.refuse(prefix)) return fail(*kind, "refused");
    std::vector<ObjectInfo> out;
    for (const auto& [name, text] : state_.objects)
      if (name.starts_with(prefix)) out.push_back({name, text.size()});
    return out;
  }
  Result<> remove(const std::string& name) override {
    const std::scoped_lock lock(state_.mutex);
    state_.objects.erase(name);
    return {};
  }
  Result<std::string> signed_url(const std::string& name, seconds /*lifetime*/) override { return "https://x/" + name; }

 private:
  Elsewhere& state_;
};

class Spool : public testing::Test {
 protected:
  std::unique_ptr<SpoolStore> open(std::uint64_t cache = 1U << 20U) {
    auto store = SpoolStore::open({.folder = dir_.path() / "spool",
                                   .cache = cache,
                                   .first_pause = milliseconds(1),
                                   .longest_pause = milliseconds(5)},
                                  std::make_unique<Remote>(there_));
    EXPECT_TRUE(store) << store.error().text();
    return std::move(*store);
  }
  /// Each change of the spool's state follows a change elsewhere by a moment.
  static bool settles(const SpoolStore& store) {
    for (int i = 0; i < 4000; ++i) {
      if (store.state().waiting == 0) return true;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return false;
  }
  static std::vector<std::string> names(const std::vector<ObjectInfo>& objects) {
    std::vector<std::string> out;
    for (const auto& object : objects) out.push_back(object.name);
    return out;
  }
  void away() {
    there_.behave([](const auto&) { return ErrorKind::unavailable; });
  }
  void back() {
    there_.behave([](const auto&) { return std::nullopt; });
  }

  TempDir dir_ = *TempDir::create("spool-test");
  Elsewhere there_;
};

TEST_F(Spool, SendsOnWhatComesInItsOrder) {
  const auto store = open();
  for (const auto* name : {"r/b", "r/a", "r/finished.json"}) ASSERT_TRUE(store->put(name, name));
  ASSERT_TRUE(settles(*store));
  EXPECT_THAT(there_.order, ElementsAre("r/b", "r/a", "r/finished.json"));
  EXPECT_EQ(there_.objects["r/a"], "r/a");
}

TEST_F(Spool, KeepsAllWhileTheStoreIsAwayAndShowsItToReaders) {
  away();
  const auto store = open();
  ASSERT_TRUE(store->put("r/a", "text"));
  ASSERT_TRUE(store->put("r/b", "more"));
  ASSERT_TRUE(there_.wait_for([this] { return there_.attempts >= 3; }));
  EXPECT_EQ(*store->get("r/a"), "text");
  EXPECT_EQ(*store->get("r/a", 1, 2), "ex");
  EXPECT_EQ(store->stat("r/b")->size, 4U);
  EXPECT_THAT(names(*store->list("r/")), ElementsAre("r/a", "r/b"));
  EXPECT_EQ(store->state().waiting, 2U);
  EXPECT_TRUE(store->state().failing_since);
  EXPECT_THAT(store->state().problem, HasSubstr("refused 'r/a'"));
  EXPECT_EQ(store->signed_url("r/a", seconds(1)).error().kind, ErrorKind::unavailable);
  back();
  ASSERT_TRUE(settles(*store));
  EXPECT_EQ(there_.objects["r/a"], "text");
  EXPECT_FALSE(store->state().failing_since);
  EXPECT_EQ(*store->signed_url("r/a", seconds(1)), "https://x/r/a");
}

TEST_F(Spool, SendsAfterARestartWhatWaitedBefore) {
  away();
  {
    const auto store = open();
    ASSERT_TRUE(store->put("r/b", "1"));
    ASSERT_TRUE(store->put("r/a", "2"));
    ASSERT_TRUE(there_.wait_for([this] { return there_.attempts >= 1; }));
  }
  EXPECT_THAT(there_.objects, IsEmpty());
  back();
  const auto store = open();
  ASSERT_TRUE(store->put("r/c", "3"));
  ASSERT_TRUE(settles(*store));
  EXPECT_THAT(there_.order, ElementsAre("r/b", "r/a", "r/c"));
}

TEST_F(Spool, OneObjectThatIsRefusedForGoodHoldsUpNoOther) {
  there_.behave(
      [](const std::string& name) { return name == "r/odd" ? std::optional(ErrorKind::bad_data) : std::nullopt; });
  const auto store = open();
  ASSERT_TRUE(store->put("r/odd", "x"));
  ASSERT_TRUE(store->put("r/a", "y"));
  EXPECT_TRUE(there_.wait_for([this] { return there_.objects.contains("r/a"); }));
  EXPECT_EQ(*store->get("r/odd"), "x");
}

TEST_F(Spool, TheLastPutOfANameIsWhatStays) {
  away();
  const auto store = open();
  ASSERT_TRUE(store->put("latest", "1"));
  ASSERT_TRUE(there_.wait_for([this] { return there_.attempts >= 1; }));
  ASSERT_TRUE(store->put("latest", "2"));
  EXPECT_EQ(store->state().waiting, 1U);
  back();
  ASSERT_TRUE(settles(*store));
  EXPECT_EQ(there_.objects["latest"], "2");
  EXPECT_EQ(*store->get("latest"), "2");
}

TEST_F(Spool, FilesThatWentStayHereUpToALimitAndAreReadElsewhereAfterwards) {
  const auto store = open(10);
  ASSERT_TRUE(store->put("old/a", "12345678"));
  ASSERT_TRUE(store->put("new/b", "12345678"));
  ASSERT_TRUE(settles(*store));
  EXPECT_FALSE(fs::exists(dir_.path() / "spool/objects/old")) << "with its folder";
  EXPECT_TRUE(fs::exists(dir_.path() / "spool/objects/new/b"));
  EXPECT_EQ(*store->get("old/a"), "12345678");
  EXPECT_THAT(names(*store->list("")), ElementsAre("new/b", "old/a"));
  away();
  EXPECT_EQ(*store->get("new/b", 7), "8");
  EXPECT_EQ(store->get("old/a").error().kind, ErrorKind::unavailable);
}

TEST_F(Spool, ReadersWaitForAStoreThatIsAwayOnceAndNotEachTime) {
  const auto store = open(0);
  ASSERT_TRUE(store->put("r/a", "1"));
  ASSERT_TRUE(settles(*store));
  away();
  EXPECT_THAT(store->get("r/a").error().text(), HasSubstr("refused"));
  EXPECT_THAT(store->get("r/a").error().text(), HasSubstr("a moment ago"));
  EXPECT_EQ(there_.reads, 1);
  back();
  ASSERT_TRUE(store->put("r/b", "2"));
  ASSERT_TRUE(settles(*store));
  EXPECT_EQ(*store->get("r/a"), "1") << "what it takes again, it can be asked for again";
}

TEST_F(Spool, WhatWentIsNotSentAgainByTheNextProcess) {
  {
    const auto store = open();
    ASSERT_TRUE(store->put("r/a", "1"));
    ASSERT_TRUE(settles(*store));
  }
  const auto store = open();
  EXPECT_EQ(store->state().waiting, 0U);
  EXPECT_EQ(there_.attempts, 1);
  EXPECT_EQ(*store->get("r/a"), "1");
}

TEST_F(Spool, WhatIsRemovedDoesNotGo) {
  away();
  const auto store = open();
  ASSERT_TRUE(store->put("r/a", "1"));
  ASSERT_TRUE(store->remove("r/a"));
  back();
  ASSERT_TRUE(store->put("r/b", "2"));
  ASSERT_TRUE(settles(*store));
  EXPECT_FALSE(there_.objects.contains("r/a"));
  EXPECT_EQ(store->get("r/a").error().kind, ErrorKind::not_found);
}

TEST_F(Spool, RefusesNamesThatAreNone) {
  const auto store = open();
  EXPECT_EQ(store->put("../a", "x").error().kind, ErrorKind::bad_data);
  EXPECT_EQ(store->state().waiting, 0U);
}

}  // namespace
}  // namespace bowsprit::artifact
