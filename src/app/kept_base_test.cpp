// SPDX-License-Identifier: Apache-2.0
#include "app/kept_base.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kOne(40, '1');
const std::string kTwo(40, '2');

class KeptBaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create("kept-base");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    ASSERT_TRUE(make_dirs(build()));
    ASSERT_TRUE(write_file(build() / "linux", "the kernel of one", 0755));
  }
  [[nodiscard]] fs::path build() const { return dir_->path() / "build"; }
  [[nodiscard]] Result<> keep(const Provenance& from) const {
    RunResult result{.verdict = Verdict::failed, .summary = "of " + from.commit};
    result.suites.push_back({.name = "s"});
    return keep_base(build(), from,
                     {.result = std::move(result), .kernel = build() / "linux", .boot_arguments = {"a=b", "c"}});
  }
  static Provenance of(const std::string& commit) {
    return {.commit = commit, .files = {"kunitconfig"}, .kunitconfig = "digest", .tools = "gcc 12"};
  }
  [[nodiscard]] std::string why_not(const Provenance& wanted) const {
    const auto found = find_kept_base(build(), wanted);
    return found ? "found" : found.error().message;
  }

 private:
  std::optional<TempDir> dir_;
};

TEST_F(KeptBaseTest, IsFoundByTheRunThatIsComparedWithIt) {
  ASSERT_TRUE(keep(of(kOne)));
  ASSERT_TRUE(write_file(build() / "linux", "the kernel of the change"));
  const auto found = find_kept_base(build(), of(kOne));
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(*read_file(found->kernel), "the kernel of one") << "what make writes does not reach it";
  EXPECT_NE(fs::status(found->kernel).permissions() & fs::perms::owner_exec, fs::perms::none);
  EXPECT_THAT(found->boot_arguments, ElementsAre("a=b", "c"));
  EXPECT_EQ(found->result.summary, "of " + kOne);
  EXPECT_TRUE(found->same_configuration);
}

TEST_F(KeptBaseTest, OfAnEarlierRunIsNeverTakenForAnother) {
  EXPECT_THAT(why_not(of(kOne)), HasSubstr("no base is kept"));
  ASSERT_TRUE(keep(of(kOne)));
  EXPECT_THAT(why_not(of(kTwo)), HasSubstr("111111111111, and this is compared with 222222222222"));
  EXPECT_THAT(why_not(of("")), HasSubstr("no base is kept"));
  auto other = of(kOne);
  other.tools = "gcc 13";
  EXPECT_THAT(why_not(other), HasSubstr("tools"));
  other.tools.clear();
  EXPECT_THAT(why_not(other), HasSubstr("tools"));
  other = of(kOne);
  other.files = {"lib/kunit/.kunitconfig"};
  EXPECT_THAT(why_not(other), HasSubstr("kunitconfig files"));
  ASSERT_TRUE(keep(of(kTwo)));
  EXPECT_THAT(why_not(of(kOne)), HasSubstr("222222222222"));
  EXPECT_EQ(why_not(of(kTwo)), "found");
}

TEST_F(KeptBaseTest, SaysWhereOnlyTheTextOfTheKunitconfigDiffers) {
  ASSERT_TRUE(keep(of(kOne)));
  auto other = of(kOne);
  other.kunitconfig = "another digest";
  const auto found = find_kept_base(build(), other);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->same_configuration);
}

TEST_F(KeptBaseTest, ThatIsNotWholeIsNotUsed) {
  ASSERT_TRUE(keep(of(kOne)));
  const auto kernel = find_kept_base(build(), of(kOne))->kernel;
  ASSERT_TRUE(write_file(kernel, "half"));
  EXPECT_THAT(why_not(of(kOne)), HasSubstr("not whole"));
  EXPECT_FALSE(keep({.commit = "HEAD"})) << "a name may mean another commit tomorrow";
}

TEST(ToolsOf, NamesArchitectureAndToolsOfAConfiguration) {
  const auto dir = TempDir::create("tools-of");
  ASSERT_TRUE(dir);
  EXPECT_EQ(tools_of(dir->path()), "");
  ASSERT_TRUE(
      write_file(dir->path() / ".config",
                 "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/um 6.12.117 Kernel Configuration\n#\n"
                 "CONFIG_CC_VERSION_TEXT=\"gcc 12\"\nCONFIG_CC_IS_GCC=y\nCONFIG_LD_VERSION=24000\n"));
  EXPECT_EQ(tools_of(dir->path()), "Linux/um\nCONFIG_CC_VERSION_TEXT=\"gcc 12\"\nCONFIG_LD_VERSION=24000\n");
}

TEST(SourceOfJob, IsTheBaseWhereThereIsNoChange) {
  const auto spec = [](const std::string& pulls) {
    return R"({"type":"presubmit","refs":{"org":"o","repo":"r","base_ref":"master","base_sha":")" + kOne + "\"" +
           pulls + "}}";
  };
  EXPECT_EQ(source_of_job(spec(R"(,"pulls":[{"number":1}])")).base, kOne);
  EXPECT_FALSE(source_of_job(spec(R"(,"pulls":[{"number":1}])")).is_base);
  EXPECT_TRUE(source_of_job(spec("")).is_base);
  EXPECT_TRUE(source_of_job(spec(",\"pulls\":[]")).is_base);
  for (
      const char* text :
      {"", "{", "[]", R"({"refs":{}})", R"({"refs":{"base_sha":"master"}})",
       R"({"type":"postsubmit","refs":{"base_sha":"1111111111111111111111111111111111111111","pulls":[{"number":1}]}})"}) {
    EXPECT_EQ(source_of_job(text).base, "") << text;
    EXPECT_FALSE(source_of_job(text).is_base) << text;
  }
}

}  // namespace
}  // namespace bowsprit::app
