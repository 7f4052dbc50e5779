// SPDX-License-Identifier: Apache-2.0
#include "prow/cron.h"

#include <algorithm>
#include <cctype>

#include "base/strings.h"

namespace bowsprit::prow {

namespace {

struct Range {
  std::string_view name;
  unsigned low;
  unsigned high;
};
constexpr std::array<Range, 6> kRanges{{{"second", 0, 59},
                                        {"minute", 0, 59},
                                        {"hour", 0, 23},
                                        {"day of month", 1, 31},
                                        {"month", 1, 12},
                                        {"day of week", 0, 6}}};
constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

std::optional<unsigned> value_of(std::string_view text, const Range& range) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (range.high == 12)
    if (const auto at = std::ranges::find(kMonths, lower); at != kMonths.end())
      return static_cast<unsigned>(at - kMonths.begin()) + 1;
  if (range.high == 6)
    if (const auto at = std::ranges::find(kDays, lower); at != kDays.end())
      return static_cast<unsigned>(at - kDays.begin());
  const auto number = parse_int(text);
  if (!number || *number < range.low || *number > range.high) return std::nullopt;
  return static_cast<unsigned>(*number);
}

/// One of the comma-separated parts: *, n, n-m, each with /step.
Result<std::uint64_t> part_set(std::string_view part, const Range& range) {
  const auto wrong = [&] {
    return fail(ErrorKind::bad_config, "'{}' is no {} from {} to {}", part, range.name, range.low, range.high);
  };
  const auto slash = part.find('/');
  const std::string_view span = part.substr(0, slash);
  std::int64_t step = 1;
  if (slash != std::string_view::npos) {
    const auto given = parse_int(part.substr(slash + 1));
    if (!given || *given < 1) return wrong();
    step = *given;
  }
  unsigned low = range.low;
  unsigned high = range.high;
  if (span != "*" && span != "?") {
    const auto dash = span.find('-');
    const auto first = value_of(span.substr(0, dash), range);
    const auto last = dash == std::string_view::npos ? first : value_of(span.substr(dash + 1), range);
    if (!first || !last || *last < *first) return wrong();
    low = *first;
    // "5/15" runs from 5 to the end.
    high = dash == std::string_view::npos && slash != std::string_view::npos ? range.high : *last;
  }
  std::uint64_t set = 0;
  for (std::int64_t value = low; value <= high; value += step) set |= std::uint64_t{1} << value;
  return set;
}

std::string_view expand(std::string_view descriptor) {
  if (descriptor == "@yearly" || descriptor == "@annually") return "0 0 1 1 *";
  if (descriptor == "@monthly") return "0 0 1 * *";
  if (descriptor == "@weekly") return "0 0 * * 0";
  if (descriptor == "@daily" || descriptor == "@midnight") return "0 0 * * *";
  if (descriptor == "@hourly") return "0 * * * *";
  return descriptor;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  Cron out;
  text = trim(text);
  if (text.starts_with("@every ")) {
    const auto duration = parse_duration(trim(text.substr(7)));
    if (!duration || *duration < seconds(1))
      return fail(ErrorKind::bad_config, "'{}' needs a duration of 1s or more", text);
    out.every_ = std::chrono::floor<seconds>(*duration);
    return out;
  }
  std::vector<std::string> words = split(expand(text), ' ');
  std::erase(words, "");
  if (words.size() == 5) words.insert(words.begin(), "0");
  if (words.size() != 6) return fail(ErrorKind::bad_config, "'{}' has not five or six fields", text);
  for (std::size_t i = 0; i < 6; ++i)
    for (const std::string& part : split(words[i], ',')) {
      TRY_ASSIGN(const auto set, part_set(part, kRanges[i]));
      out.sets_[i] |= set;
    }
  out.any_day_ = words[day].starts_with('*') || words[day].starts_with('?');
  out.any_weekday_ = words[weekday].starts_with('*') || words[weekday].starts_with('?');
  return out;
}

bool Cron::day_fits(unsigned day_of_month, unsigned day_of_week) const {
  const bool by_day = has(day, day_of_month);
  const bool by_week = has(weekday, day_of_week);
  return any_day_ || any_weekday_ ? by_day && by_week : by_day || by_week;
}

std::optional<SystemTime> Cron::next(SystemTime time) const {
  using namespace std::chrono;
  if (every_) return floor<seconds>(time) + *every_;
  const sys_seconds from = floor<seconds>(time) + seconds(1);
  const sys_days first = floor<days>(from);
  for (sys_days date = first; date < first + days(5 * 366); date += days(1)) {
    const year_month_day calendar(date);
    if (!has(month, static_cast<unsigned>(calendar.month()))) continue;
    if (!day_fits(static_cast<unsigned>(calendar.day()), std::chrono::weekday(date).c_encoding())) continue;
    auto second_of_day = date == first ? (from - date).count() : 0;
    while (second_of_day < 86400) {
      const auto h = static_cast<unsigned>(second_of_day / 3600);
      const auto m = static_cast<unsigned>(second_of_day / 60 % 60);
      if (!has(hour, h))
        second_of_day = (h + 1) * 3600LL;
      else if (!has(minute, m))
        second_of_day = (second_of_day / 60 + 1) * 60;
      else if (!has(second, static_cast<unsigned>(second_of_day % 60)))
        ++second_of_day;
      else
        return sys_seconds(date) + seconds(second_of_day);
    }
  }
  return std::nullopt;
}

}  // namespace bowsprit::prow
