// SPDX-License-Identifier: Apache-2.0
/// The one seam between the server and the place where jobs run: this machine (exec/local) or a cluster (exec/kubernetes).
///
/// Contract: `start` returns at once; the executor then calls the observer from its own threads, any number of times
/// `on_phase` and `on_output`, and exactly once `on_finished`, also after `abort`, also when the sandbox itself breaks. Nothing of a
/// finished job is left on the machine but its artifacts folder, which belongs to the caller from then on.
/// `recover` is called once at start-up: it kills and removes whatever an earlier server process left running.
/// Does not: schedule, store, report, or judge the job.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "prow/job_env.h"

namespace bowsprit::exec {

/// Everything a run needs, as a value.
struct RunRequest {
  std::string id;  ///< build id; names the run's folders, [0-9A-Za-z_-]+
  std::string prow_job_id;
  prow::Presubmit job;  ///< of any type: prow::as_presubmit()
  prow::JobType type = prow::JobType::presubmit;
  prow::Refs
      refs;  ///< what is cloned; of a periodic its one extra_refs, which is not "refs" to the job; base_sha may be empty: the branch's tip at the time of the source step
  std::filesystem::path artifacts;  ///< existing, empty; filled by the end
};

enum class RunState {
  exited,     ///< the job's program ended by itself: see exit_code
  timed_out,  ///< decoration_config.timeout (or the executor's own limit) ended it
  aborted,
  merge_conflict,  ///< the change does not merge with its base; `conflicts` names the files
  over_limit,      ///< memory, disk or pids: what the job did, not the machine; `reason` says which
  infra_error,     ///< source, sandbox or machine; never the change's fault
};
std::string_view to_string(RunState state);

struct RunOutcome {
  RunState state = RunState::infra_error;
  int exit_code = 0;
  std::string reason;  ///< one line for people, empty when it just exited
  std::vector<std::string> conflicts;
  std::string base_sha;    ///< what was tested: branch tip ...
  std::string merged_sha;  ///< ... and the merge of the change into it
  double source_seconds = 0;
  double sandbox_seconds = 0;  ///< from the sandbox's start to its end
  bool warm = false;
};

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// "source", "warm", "run": what the executor is at. A phase *inside* the job is in its output.
  virtual void on_phase(const std::string& id, std::string_view phase) = 0;
  /// The next bytes of the job's stdout and stderr, as they come; the observer keeps them (build-log.txt).
  virtual void on_output(const std::string& id, std::string_view bytes) = 0;
  virtual void on_finished(const std::string& id, RunOutcome outcome) = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual Result<> recover() = 0;
  virtual void start(RunRequest request, RunObserver& observer) = 0;
  /// Ends the run soon: TERM, grace, KILL. Unknown ids are ignored.
  virtual void abort(const std::string& id) = 0;
  /// How many runs it can carry at once.
  [[nodiscard]] virtual int capacity() const = 0;
};

}  // namespace bowsprit::exec
