// SPDX-License-Identifier: Apache-2.0
/// One look at a change: what it starts, ends and answers, written to the store in one transaction with the mark that says how far it was
/// handled, and with the reason of each decision.
///
/// Presubmits of an open change by trigger/trigger.h, postsubmits of a merged one by trigger/postsubmit.h, once. A change that is as its
/// mark says is not looked at again. A later look adds decisions and never changes the record of an earlier one.
/// Does not: talk to Gerrit, start or end anything. Threads: the engine's.
#pragma once

#include "app/engine.h"
#include "app/job_table.h"

namespace bowsprit::app {

struct LookOptions {
  std::string gerrit;
  std::string default_label;
  trigger::Who who = trigger::Who::anyone;
};

/// A run that is to end, for which the caller has to see.
struct RunToEnd {
  std::int64_t run = 0;
  std::string why;
};

Result<std::vector<RunToEnd>> look_at_change(store::Store& store, const JobTable& jobs, const LookOptions& options,
                                             const Polled& polled, const gerrit::Change& change);

/// A run on the change's current patch set, of no job yet.
store::Run run_of(const gerrit::Change& change, const std::string& gerrit);

/// Attempt number of the job's next run, by the newest runs of its jobs.
int next_attempt(const std::vector<store::Run>& latest, const std::string& type, const std::string& job);

}  // namespace bowsprit::app
