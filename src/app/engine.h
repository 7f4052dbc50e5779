// SPDX-License-Identifier: Apache-2.0
/// The server's one thread of decisions: changes in, runs and reports out.
///
///   Polled -> look_at_change -> rows of runs -> sched::startable -> Executor -> Finished -> report::make_report -> Reporter -> Posted
///   each second: periodics that are due, runs that stay too long where they are; each hour: what is old enough goes
///
/// All state is in the store, and a change's rows are written in one transaction with the mark that says how far it was handled:
/// a crash at any instant loses no run and starts none twice. What the store says is pending when the engine starts was cut
/// off by such a crash and runs again.
/// Does not: talk to Gerrit (Gatekeeper threads do), serve pages, read configuration.
/// Threads: `run` owns everything; `post` and the RunObserver functions may be called from any thread.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "app/run_queue.h"
#include "app/server_config.h"
#include "artifact/object_store.h"
#include "base/channel.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "exec/executor.h"
#include "gerrit/change.h"
#include "os/fd.h"
#include "prow/job.h"
#include "report/report.h"
#include "store/store.h"
#include "verdict/run_result.h"

namespace bowsprit::app {

class JobTable;

/// What one poll of a project gave. `position` is saved once all changes are handled.
struct Polled {
  std::string project;
  std::vector<gerrit::Change> changes;
  SystemTime start;  ///< what was there before this time is not ours to test
  SystemTime position;
  int own_account = 0;         ///< whose messages are never commands
  std::set<int> trusted = {};  ///< accounts that the operator trusts: triggers.trusted and members of triggers.group
};
struct PhaseChanged {
  std::int64_t run = 0;
  std::string phase;
};
struct Finished {
  std::int64_t run = 0;
  sched::JobState state = sched::JobState::error;
  RunResult result;
  int retries = 0;  ///< as Judged::retries
  exec::RunOutcome outcome;
};
/// A report's row after the attempt to post it.
struct Posted {
  store::Report report;
};
/// A person asks; the answer is the new run's id.
struct RerunAsked {
  std::int64_t run = 0;
  std::shared_ptr<std::promise<Result<std::int64_t>>> answer;
};
struct AbortAsked {
  std::int64_t run = 0;
  std::string why;
  std::shared_ptr<std::promise<Result<>>> answer;
};
struct Stop {};
using Message = std::variant<Polled, PhaseChanged, Finished, Posted, RerunAsked, AbortAsked, Stop>;

struct EngineOptions {
  std::string gerrit;          ///< the key of rows: base URL without a final slash
  std::string public_url;      ///< of our pages; empty: no links
  std::string default_label;   ///< where the job names none; empty: no vote
  std::filesystem::path runs;  ///< folder for what runs keep while they run
  std::string artifacts_url;   ///< before the names of objects: "s3://bucket/"; empty: they are in a folder
  int infra_retries = 2;
  milliseconds retry_delay{5000};
  std::chrono::hours history_age{365 * 24};  ///< results of tests are kept so long
  std::uint64_t log_limit = 64U << 20U;      ///< bytes of one run's output that are kept
  trigger::Who who = trigger::Who::anyone;
  TimeoutsConfig timeouts;
  KeepConfig keep;
};

class Engine final : public exec::RunObserver {
 public:
  /// Hands a report to the thread that posts it; the answer comes back as Posted.
  using PostReport = std::function<void(store::Report)>;

  struct Parts {
    store::Store& store;
    exec::Executor& executor;
    artifact::ObjectStore& artifacts;
    artifact::ObjectStore& results;  ///< where results of ended runs are read; without the network
    const JobTable& jobs;
    PostReport post_report;
    Metrics& metrics;
  };

  Engine(EngineOptions options, Parts parts);
  ~Engine() override;

  /// Any thread.
  void post(Message message) { channel_.push(std::move(message)); }

  /// Takes up what an earlier process left, then handles messages until Stop. Running jobs are aborted then and run again at
  /// the next start.
  Result<> run();

  /// Before run().
  void set_public_url(std::string url) { options_.public_url = std::move(url); }

  /// Path of the log of a run that is under way, for the live page. Any thread.
  [[nodiscard]] std::filesystem::path live_log(std::int64_t run) const;

  struct Load {
    int waiting = 0;
    int running = 0;
  };
  /// As of the last look at the queue. Any thread.
  [[nodiscard]] Load load() const { return {waiting_, running_}; }

  void on_phase(const std::string& id, std::string_view phase) override;
  void on_output(const std::string& id, std::string_view bytes) override;
  void on_finished(const std::string& id, exec::RunOutcome outcome) override;

 private:
  /// What the executor's threads need of a run under way.
  struct Active {
    store::Run run;
    prow::Presubmit job;
    std::filesystem::path folder;
    Fd log;
    std::uint64_t logged = 0;
    bool stopping = false;  ///< the server ends: leave no trace, it runs again
    std::string phase = "source";
    SteadyTime phase_since = std::chrono::steady_clock::now();
  };

  Result<> recover();
  Result<> handle(Message& message, bool& stop);
  Result<> polled(const Polled& polled);
  Result<> phase_changed(const PhaseChanged& phase);
  /// What the clock starts and ends.
  Result<> tick();
  Result<> end_overdue();
  Result<> finished(Finished& finished);
  Result<> posted(const store::Report& report);
  Result<std::int64_t> rerun(std::int64_t id);
  Result<> abort(std::int64_t id, const std::string& why);
  Result<> schedule();
  Result<> start(store::Run run);
  void keep_history(const store::Run& run, const RunResult& result);
  Result<> report_if_complete(const store::Run& run);
  Result<> send_reports();
  Result<> upload(const Active& active, const Finished& finished);
  [[nodiscard]] std::optional<RunResult> stored_result(const store::Run& run);
  [[nodiscard]] std::string page_url(std::int64_t run) const;

  EngineOptions options_;
  Parts parts_;
  Channel<Message> channel_;
  RunQueue queue_;
  std::set<std::int64_t> sending_;               ///< reports in the reporter's hands
  std::map<std::int64_t, std::string> overdue_;  ///< runs that are ended because they stayed too long, and why
  SteadyTime next_tick_{};
  SteadyTime next_clean_up_{};
  std::map<std::int64_t, SteadyTime> not_before_;  ///< retries of the infrastructure's faults
  std::optional<SteadyTime> pruned_;               ///< when old results of tests were last looked for
  std::atomic<int> waiting_{0};
  std::atomic<int> running_{0};
  mutable std::mutex active_mutex_;
  std::map<std::int64_t, std::shared_ptr<Active>> active_;
};

}  // namespace bowsprit::app
