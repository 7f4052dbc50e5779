// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace bowsprit {

std::int64_t unix_millis(SystemTime time) { return std::chrono::floor<milliseconds>(time.time_since_epoch()).count(); }
std::int64_t unix_seconds(SystemTime time) { return std::chrono::floor<seconds>(time.time_since_epoch()).count(); }
SystemTime from_unix_millis(std::int64_t millis) { return SystemTime(milliseconds(millis)); }

std::string rfc3339(SystemTime time) {
  const auto millis = unix_millis(time);
  const auto whole = static_cast<std::time_t>(std::floor(static_cast<double>(millis) / 1000.0));
  std::tm tm{};
  gmtime_r(&whole, &tm);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                     tm.tm_hour, tm.tm_min, tm.tm_sec, millis - static_cast<std::int64_t>(whole) * 1000);
}

std::optional<SystemTime> parse_time(std::string_view text) {
  const std::string copy(text);
  std::tm tm{};
  char separator = 0;
  int used = 0;
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &separator,
                  &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 7)
    return std::nullopt;
  if (separator != 'T' && separator != ' ') return std::nullopt;
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  const std::time_t whole = timegm(&tm);
  double fraction = 0;
  std::string_view rest = std::string_view(copy).substr(static_cast<std::size_t>(used));
  if (rest.starts_with('.')) {
    const auto end = rest.find_first_not_of("0123456789", 1);
    const std::string_view digits = rest.substr(0, end);
    std::from_chars(digits.data(), digits.data() + digits.size(), fraction);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  }
  std::int64_t offset = 0;
  if (!rest.empty() && rest != "Z") {
    int hours = 0;
    int minutes = 0;
    char sign = 0;
    if (std::sscanf(std::string(rest).c_str(), "%c%2d:%2d", &sign, &hours, &minutes) != 3 ||
        (sign != '+' && sign != '-'))
      return std::nullopt;
    offset = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  }
  return SystemTime(seconds(whole - offset) + milliseconds(static_cast<std::int64_t>(fraction * 1000.0)));
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return milliseconds(0);
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (code != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    double factor = 0;
    std::size_t length = 1;
    if (text.starts_with("ms")) {
      factor = 1;
      length = 2;
    } else if (text.starts_with("us") || text.starts_with("ns")) {
      factor = text[0] == 'u' ? 1e-3 : 1e-6;
      length = 2;
    } else if (text.starts_with("\u00b5s")) {
      factor = 1e-3;
      length = 3;
    } else if (text.starts_with('h')) {
      factor = 3600e3;
    } else if (text.starts_with('m')) {
      factor = 60e3;
    } else if (text.starts_with('s')) {
      factor = 1e3;
    } else {
      return std::nullopt;
    }
    total += value * factor;
    if (total > 9e15) return std::nullopt;
    text.remove_prefix(length);
  }
  return milliseconds(static_cast<std::int64_t>(std::llround(negative ? -total : total)));
}

std::string format_duration(milliseconds duration) {
  const auto count = duration.count();
  if (count < 0) return "-" + format_duration(-duration);
  if (count == 0) return "0s";
  if (count < 1000) return fmt::format("{}ms", count);
  std::string out;
  if (count >= 3600'000) out += fmt::format("{}h", count / 3600'000);
  if (count >= 60'000) out += fmt::format("{}m", count / 60'000 % 60);
  const auto rest = count % 60'000;
  return out +
         (rest % 1000 == 0 ? fmt::format("{}s", rest / 1000) : fmt::format("{}s", static_cast<double>(rest) / 1e3));
}

}  // namespace bowsprit
