// SPDX-License-Identifier: Apache-2.0
#include "prow/cron.h"

namespace bowsprit::prow {
namespace {

std::string next(std::string_view line, std::string_view after) {
  const auto cron = Cron::parse(line);
  if (!cron) return cron.error().message;
  const auto time = cron->next(*parse_time(after));
  return time ? rfc3339(*time).substr(0, 19) : "never";
}

TEST(Cron, FindsTheNextTime) {
  constexpr std::string_view kTuesday = "2026-11-24T08:31:06Z";
  EXPECT_EQ(next("* * * * *", kTuesday), "2026-11-24T08:32:00");
  EXPECT_EQ(next("31 8 * * *", "2026-11-24T08:31:00Z"), "2026-11-25T08:31:00");
  EXPECT_EQ(next("30 2 * * mon-fri", kTuesday), "2026-11-25T02:30:00");
  EXPECT_EQ(next("0 0 1,15 * *", kTuesday), "2026-12-01T00:00:00");
  EXPECT_EQ(next("0 */6 * * *", kTuesday), "2026-11-24T12:00:00");
  EXPECT_EQ(next("5/20 * * * *", kTuesday), "2026-11-24T08:45:00");
  EXPECT_EQ(next("0 9-17/4 * * *", kTuesday), "2026-11-24T09:00:00");
  EXPECT_EQ(next("30 * * * * *", kTuesday), "2026-11-24T08:31:30");
  EXPECT_EQ(next("0 0 29 feb ?", kTuesday), "2028-02-29T00:00:00");
  EXPECT_EQ(next("0 0 30 2 *", kTuesday), "never");
  EXPECT_EQ(next("0 0 13 * fri", kTuesday), "2026-11-27T00:00:00") << "either day fits where both are given";
  EXPECT_EQ(next("@hourly", kTuesday), "2026-11-24T09:00:00");
  EXPECT_EQ(next("@weekly", kTuesday), "2026-11-29T00:00:00");
  EXPECT_EQ(next("@every 1h30m", kTuesday), "2026-11-24T10:01:06");
}

TEST(Cron, RefusesWhatIsNoCronLine) {
  EXPECT_EQ(next("61 * * * *", "2026-11-24T08:31:06Z"), "'61' is no minute from 0 to 59");
  EXPECT_EQ(next("* * * *", "2026-11-24T08:31:06Z"), "'* * * *' has not five or six fields");
  for (const char* wrong :
       {"", "a b c d e", "5-1 * * * *", "*/0 * * * *", "* * 0 * *", "* * * 13 *", "* * * * 7", "@sometimes", "@every 1",
        "CRON_TZ=UTC 0 0 * * *", "1,,2 * * * *", "99999999999999999999 * * * *"})
    EXPECT_FALSE(Cron::parse(wrong)) << wrong;
}

}  // namespace
}  // namespace bowsprit::prow
