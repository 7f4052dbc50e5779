// SPDX-License-Identifier: Apache-2.0
#include "app/try_again.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/strings.h"

namespace bowsprit::app {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr const char* kWarning = "WARNING: CPU: 0 PID: 1 at lib/x.c:12 f+0x1/0x2\n---[ end trace 0 ]---\n";

std::string console(bool good, const std::string& more = "") {
  return fmt::format(
      "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s.x\n    1..1\n{0}    {1} 1 t\n{1} 1 s.x\n", more,
      good ? "ok" : "not ok");
}

RunResult judged(const std::string& text) {
  JudgeInput input;
  input.console = ktap::read_console(text);
  return judge(std::move(input));
}

/// A kernel whose boots print what `says` gives for their pattern and number, and that remembers its patterns.
class Kernel {
 public:
  explicit Kernel(std::function<std::string(const std::string& glob, int number)> says) : says_(std::move(says)) {}
  BootKernel boots(kernel::BootEnd end = kernel::BootEnd::exited) {
    return [this, end](const BootRequest& request,
                       const std::function<void(std::string_view)>& on_console) -> Result<kernel::BootOutcome> {
      std::string glob;
      for (const auto& word : request.arguments)
        if (word.starts_with("kunit.filter_glob=")) glob = word.substr(word.find('=') + 1);
      int number = 0;
      {
        const std::scoped_lock lock(mutex_);
        number = ++boots_[glob];
      }
      const auto text = says_(glob, number);
      TRY(write_file(request.console, text));
      on_console(text);
      return kernel::BootOutcome{.end = end};
    };
  }
  std::map<std::string, int> count() const { return boots_; }

 private:
  std::function<std::string(const std::string&, int)> says_;
  std::mutex mutex_;
  std::map<std::string, int> boots_;
};

class TryAgainTest : public ::testing::Test {
 protected:
  TryAgainTest() : dir_(std::move(*TempDir::create("try-again"))) {}
  TriedAgain run(Kernel& kernel, Kernel* base = nullptr, kernel::BootEnd end = kernel::BootEnd::exited,
                 std::map<std::string, std::string> failed_in = {}) {
    TryAgainOptions options{.kernel = {.boot = kernel.boots(end), .console = dir_.path() / "retries.log", .jobs = 2},
                            .base_console = dir_.path() / "base.log",
                            .failed_in = std::move(failed_in)};
    if (base != nullptr) options.base_kernel = base->boots();
    auto done = try_again(first_, {"s.x.t"}, base != nullptr ? &base_result_ : nullptr, options);
    EXPECT_TRUE(done) << done.error().text();
    return done ? std::move(*done) : TriedAgain{};
  }
  [[nodiscard]] std::string log(const char* name) const { return read_file(dir_.path() / name).value_or(""); }

  RunResult first_ = judged(console(false));
  RunResult base_result_ = judged(console(true));

 private:
  TempDir dir_;
};

TEST_F(TryAgainTest, BootsTheCaseAloneAndThenOnTheBase) {
  Kernel kernel([](const auto&, int) { return console(false); });
  Kernel base([](const auto&, int) { return console(true); });
  const auto done = run(kernel, &base);
  const auto& tried = done.tests.at("s.x.t");
  EXPECT_EQ(tried.alone.failed, kTriesAlone);
  EXPECT_EQ(tried.alone.passed, 0);
  EXPECT_EQ(tried.base.passed, kTriesAlone);
  EXPECT_EQ(tried.same_way.passed + tried.same_way.failed, 0) << "what fails alone each time needs no more tries";
  EXPECT_FALSE(tried.cut);
  EXPECT_EQ(done.boots, 2 * kTriesAlone);
  EXPECT_THAT(kernel.count(), UnorderedElementsAre(Pair("s?x.t", kTriesAlone)));
  EXPECT_NE(log("retries.log").find("kunit.filter_glob=s?x.t"), std::string::npos);
  EXPECT_NE(log("base.log").find("    ok 1 t"), std::string::npos);
}

TEST_F(TryAgainTest, WhatPassesAloneIsBootedAsItFailed) {
  Kernel flaky([](const auto&, int) { return console(true); });
  const auto passes = run(flaky).tests.at("s.x.t");
  EXPECT_EQ(passes.same_way.passed, kTriesSameWay);
  EXPECT_THAT(flaky.count(), UnorderedElementsAre(Pair("s?x.t", kTriesAlone), Pair("", kTriesSameWay)));

  Kernel needs_others([](const auto& glob, int) { return console(!glob.empty()); });
  const auto fails = run(needs_others).tests.at("s.x.t");
  EXPECT_EQ(fails.alone.passed, kTriesAlone);
  EXPECT_EQ(fails.same_way.failed, kTriesSameWay);

  Kernel failed_alone([](const auto&, int number) { return console(number == 2); });
  const auto alone = run(failed_alone, nullptr, kernel::BootEnd::exited, {{"s.x.t", "s?x.t"}}).tests.at("s.x.t");
  EXPECT_EQ(alone.same_way.passed, 1) << "its boots alone are such boots";
  EXPECT_THAT(failed_alone.count(), UnorderedElementsAre(Pair("s?x.t", kTriesAlone)));
}

TEST_F(TryAgainTest, APassWithANewKernelReportIsAFailure) {
  Kernel kernel([](const auto&, int) { return console(true, kWarning); });
  EXPECT_EQ(run(kernel).tests.at("s.x.t").alone.failed, kTriesAlone);
}

TEST_F(TryAgainTest, ABootThatTimesOutDecidesNothing) {
  Kernel kernel([](const auto&, int) { return console(true); });
  const auto tried = run(kernel, nullptr, kernel::BootEnd::timed_out).tests.at("s.x.t");
  EXPECT_EQ(tried.alone.passed + tried.alone.failed, 0);
  EXPECT_TRUE(tried.cut);
}

TEST_F(TryAgainTest, KeepsToItsBounds) {
  std::vector<std::string> tests;
  std::string cases;
  for (std::size_t i = 1; i <= kMostTriedTests + 5; ++i) {
    tests.push_back(fmt::format("s.t{}", i));
    cases += fmt::format("    not ok {0} t{0}\n", i);
  }
  const auto many =
      judged(fmt::format("KTAP version 1\n1..1\n    # Subtest: s\n    1..{}\n{}not ok 1 s\n", tests.size(), cases));
  Kernel kernel([](const auto&, int) { return console(false); });
  const auto dir = TempDir::create("try-again");
  ASSERT_TRUE(dir);
  TryAgainOptions options{.kernel = {.boot = kernel.boots(), .console = dir->path() / "log", .jobs = 4}};
  EXPECT_EQ(try_again(many, tests, nullptr, options)->tests.size(), kMostTriedTests);
  options.limit = milliseconds(0);
  const auto none = try_again(many, {tests[0]}, nullptr, options);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->boots, 0);
  EXPECT_TRUE(none->tests.at(tests[0]).cut);
  EXPECT_THAT(try_again(many, {}, nullptr, options)->tests, IsEmpty());
}

TEST(GlobOfTest, IsTheCasesOwn) {
  const std::vector<ktap::TestNode> suites{{.name = "a"},
                                           {.name = "b.c", .children = {{.name = "d.e"}, {.name = "f"}}}};
  EXPECT_EQ(glob_of_test(suites, "b.c.d.e"), "b?c.d?e");
  EXPECT_EQ(glob_of_test(suites, "b.c.f.parameter 1"), "b?c.f");
  EXPECT_EQ(glob_of_test(suites, "a"), "a.*");
}

}  // namespace
}  // namespace bowsprit::app
