// SPDX-License-Identifier: Apache-2.0
/// Time: points, durations and their text forms. Wall time for records, steady time for limits.
/// Threads: any. `Clock` is the seam by which tests move time.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bowsprit {

using SystemClock = std::chrono::system_clock;
using SystemTime = SystemClock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// "2026-11-24T08:31:06.123Z"
std::string rfc3339(SystemTime time);
/// Gerrit's "2026-11-24 08:31:06.000000000" (UTC, no zone) and RFC 3339; nullopt if it is neither.
std::optional<SystemTime> parse_time(std::string_view text);
std::int64_t unix_seconds(SystemTime time);
std::int64_t unix_millis(SystemTime time);
SystemTime from_unix_millis(std::int64_t millis);

/// Go's duration text as Prow's configuration has it: "1h30m", "90s", "1.5s", "300ms"; nullopt if it is not one.
std::optional<milliseconds> parse_duration(std::string_view text);
/// "2h3m4s", "1.5s", "300ms".
std::string format_duration(milliseconds duration);

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual SystemTime now() const = 0;
};
class RealClock final : public Clock {
 public:
  [[nodiscard]] SystemTime now() const override { return SystemClock::now(); }
};

}  // namespace bowsprit
