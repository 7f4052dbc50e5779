// SPDX-License-Identifier: Apache-2.0
/// When a periodic starts, and why (Prow: cmd/horologium). Pure: the job, what is known of its runs and the time go in.
///
///   cron              at the newest time of the schedule that has passed since `since` and since the last run was queued. Times that
///                     passed while the server was down count once. One that comes while a run is under way is left out.
///   interval          when the last run started that long ago and has ended; at once where there was none
///   minimum_interval  when the last run ended that long ago; at once where there was none
///   retry             after a run that did not succeed (run_all: after any), `interval` after its start, up to `attempts` times, 10 at most
///
/// Otherwise than Prow: a cron time that passes while the server is down is not lost, as it is told from the store and not by a clock that
/// runs in the program; and `retry` applies to cron jobs too, where Prow looks at it only at a time of the schedule.
/// Does not: start or remember anything. Threads: values.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "prow/job.h"

namespace bowsprit::trigger {

struct PeriodicState {
  SystemTime since{};  ///< when the job was first seen with this schedule
  struct Run {
    SystemTime queued;
    std::optional<SystemTime> started;
    std::optional<SystemTime> finished;
    bool succeeded = false;
    int retry = 0;  ///< 0: not a retry, 1: the first one ...
  };
  std::optional<Run> last;  ///< the newest run
};

struct PeriodicDecision {
  bool run = false;
  std::string reason;              ///< one line
  std::string trigger_key;         ///< set when run: the same for the same occasion, so that none starts twice
  int retry = 0;                   ///< set when run
  std::optional<SystemTime> next;  ///< when it would start at the earliest, as far as that is known now
};

PeriodicDecision decide_periodic(const prow::Periodic& job, const PeriodicState& state, SystemTime now);

/// "cron 30 2 * * *", "interval 1h": what `since` belongs to.
std::string schedule_text(const prow::Periodic& job);

}  // namespace bowsprit::trigger
