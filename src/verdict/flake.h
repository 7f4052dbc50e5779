// SPDX-License-Identifier: Apache-2.0
/// What a test's outcomes over time say of it: how often it flakes, and since when the base itself is broken.
///
/// A change's run tests the base and the change at once, so each outcome is evidence about the base, strong or none:
///   passed, or failed as `new` (then the base alone was tried and passed)   the base is good
///   failed as `also_on_base`                                                the base is bad
///   failed, origin unknown                                                  bad, if runs of two changes agree on it
///   flaky, skipped, missing                                                 nothing
/// The base is broken where the newest evidence is bad; it has been since the first run of that unbroken series.
///
/// A flake is seen in two ways: a run that tried the test again on the same code and got another outcome (`flaky`), and
/// two runs of one patch set on one base of which one passed and one failed.
/// Does not: read the store, or guess from few runs; the counts are there to be shown beside the rate.
/// Threads: pure function; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "verdict/run_result.h"

namespace bowsprit {

struct HistoricOutcome {
  std::int64_t run = 0;
  int change = 0;
  int patchset = 0;
  std::string_view base;  ///< commit; two runs with equal change, patch set and base tested the same code
  ktap::TestStatus status = ktap::TestStatus::missing;
  Origin origin = Origin::unknown;
};

struct TestTrend {
  int ran = 0;      ///< runs in which it passed or failed
  int failed = 0;   ///< of those, in any way, also flaky
  int flaky = 0;    ///< of those, runs that show a flake: for two runs that contradict each other, the failed one
  int caused = 0;   ///< of those, failures that were the change's own (`new`) and no flake
  double rate = 0;  ///< flaky / ran; 0 where it never ran
  bool base_broken = false;
  std::optional<std::int64_t> first_bad;  ///< oldest run of the series that breaks the base; only where base_broken
  /// The newest run before it that shows a good base; none: older than what was given.
  std::optional<std::int64_t> last_good;
};

/// @param outcomes  newest first
TestTrend trend_of(std::span<const HistoricOutcome> outcomes);

}  // namespace bowsprit
