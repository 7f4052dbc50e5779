// SPDX-License-Identifier: Apache-2.0
/// Which jobs a change starts, and why (Prow: pkg/gerrit/adapter, pkg/pjutil/filter.go, pkg/config/jobs.go).
///
/// Pure: a change, its jobs and what is known of it go in, decisions come out; replayed by `bowsprit trigger`.
/// Does not: remember, query or start anything.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "gerrit/change.h"
#include "prow/job.h"

namespace bowsprit::trigger {

/// Names of jobs by the state of their newest run on the current patch set; from the store, never from old comments.
struct KnownRuns {
  std::set<std::string> failed;   ///< failure, error, aborted: what /retest starts again
  std::set<std::string> running;  ///< triggered or pending
  std::set<std::string> passed;
};

struct Input {
  gerrit::Change change;
  std::vector<prow::Presubmit> jobs;          ///< of the change's repository
  bool patchset_is_new = false;               ///< its automatic jobs were not queued yet
  std::vector<gerrit::Message> new_messages;  ///< not yet handled, on the current patch set, not our own; oldest first
  KnownRuns known;
};

struct Decision {
  std::string job;
  bool run = false;
  std::string reason;  ///< one line: "always_run", "run_if_changed matches lib/x.c", "branch 'x' is not in branches"
  std::string trigger_key;  ///< "patchset" or "message:ID"; set when run
};

struct Output {
  std::vector<Decision> decisions;    ///< one per job
  std::vector<std::string> comments;  ///< to post: help for /test ?, unknown job
  bool patchset_done = false;         ///< the patch set's automatic jobs are decided (false while WIP)
};

Output decide(const Input& input);

}  // namespace bowsprit::trigger
