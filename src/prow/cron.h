// SPDX-License-Identifier: Apache-2.0
/// When a periodic job is due, by its `cron` (Prow reads it with robfig/cron: seconds optional, names, and @hourly and the like).
/// Times are UTC. Where day of month and day of week are both restricted, either may fit, as in cron(8).
/// Does not: know time zones (a "CRON_TZ=" is refused), keep state.
/// Threads: values.
///
///   auto cron = Cron::parse("30 2 * * mon-fri");
///   SystemTime next = *cron->next(now);
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace bowsprit::prow {

class Cron {
 public:
  /// @error bad_config  not such a line
  static Result<Cron> parse(std::string_view text);

  /// The first time after `time` that fits; nullopt where none does within five years (30 February).
  [[nodiscard]] std::optional<SystemTime> next(SystemTime time) const;

 private:
  enum Field { second, minute, hour, day, month, weekday };
  [[nodiscard]] bool has(Field field, unsigned value) const { return (sets_[field] >> value & 1U) != 0; }
  [[nodiscard]] bool day_fits(unsigned day_of_month, unsigned day_of_week) const;

  std::array<std::uint64_t, 6> sets_{};  ///< bit n: value n fits
  bool any_day_ = false;                 ///< "*" or "?" stands there
  bool any_weekday_ = false;
  std::optional<seconds> every_;  ///< "@every 1h"
};

}  // namespace bowsprit::prow
