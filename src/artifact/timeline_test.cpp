// SPDX-License-Identifier: Apache-2.0
#include "artifact/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace bowsprit::artifact {
namespace {

using ::testing::ElementsAre;

/// Events of one phase letter ("X": with a length, "i": a moment) as "track name start+length".
std::vector<std::string> events(const Timeline& timeline, std::string_view kind) {
  std::vector<std::string> out;
  const auto json = parse_json(timeline.json());
  EXPECT_TRUE(json);
  for (const auto& event : json_get(*json, "traceEvents"))
    if (json_string(event, "ph") == kind)
      out.push_back(fmt::format("{} {} {}+{}", json_int(event, "tid"), json_string(event, "name"),
                                json_int(event, "ts"), json_int(event, "dur")));
  return out;
}

TEST(Timeline, HasPhasesStepsAndTestsFromTheStartOfTheRun) {
  const SteadyTime start{std::chrono::seconds(1000)};
  const auto at = [&](int ms) { return start + milliseconds(ms); };
  Timeline timeline(start);
  timeline.step("a.o", at(1));
  timeline.step("b.o", at(3));
  timeline.end_steps(at(7));
  timeline.end_steps(at(9));
  timeline.phase("build", at(0), at(8), "2 objects");
  timeline.test("suite.case", "passed", at(10));
  EXPECT_THAT(events(timeline, "X"), ElementsAre("2 a.o 1000+2000", "2 b.o 3000+4000", "1 build 0+8000"));
  EXPECT_THAT(events(timeline, "i"), ElementsAre("3 suite.case 10000+0"));
}

TEST(Timeline, KeepsABoundedNumberOfEachKind) {
  Timeline timeline{SteadyTime{}};
  for (std::size_t i = 0; i < Timeline::kMaxEvents + 10; ++i) timeline.step("x.o", SteadyTime{});
  timeline.test("last", "passed", SteadyTime{});
  EXPECT_EQ(events(timeline, "X").size(), Timeline::kMaxEvents);
  EXPECT_EQ(events(timeline, "i").size(), 1U) << "the other tracks have room";
}

}  // namespace
}  // namespace bowsprit::artifact
