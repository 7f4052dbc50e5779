// SPDX-License-Identifier: Apache-2.0
/// The server's memory: SQLite in WAL mode, numbered migrations. The one place of state; a comment on a change is
/// output, never memory.
///
/// Rows: runs (one per job attempt), their events (each state and phase they went through), changes seen (how far the
/// poller and the trigger came), commands handled, decisions (why a job ran or not; never changed), periodics seen,
/// reports (the outbox). Every insert is keyed, so the same event twice
/// makes one row; state changes and their events share a transaction. What a call returned as done is on disk, also
/// after a power cut. Does not: decide anything. Threads: one Store per thread (SQLite serialises writers; readers
/// never wait); open it twice. Errors: unavailable (busy longer than 10 s), os, bad_data (a newer schema than this
/// program knows).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sched/job_state.h"

namespace bowsprit::store {

/// One attempt of one job on one patch set, on a merged change, or, of a periodic, on a branch: then `change` and `patchset`
/// are 0 and what belongs to a change is empty.
struct Run {
  std::int64_t id = 0;      ///< build id; grows; also the order of the queue
  std::string prow_job_id;  ///< UUID
  std::string gerrit;       ///< "https://host" without a final slash
  std::string project;
  std::string branch;
  int change = 0;
  int patchset = 0;
  std::string revision;
  std::string ref;
  std::string subject;
  std::string author;
  std::string job;       ///< name
  std::string job_json;  ///< the job as it was when it was triggered, so that a reload changes nothing under way
  std::string report_label;
  bool optional = false;
  bool skip_report = false;
  int attempt = 1;
  std::string trigger_key;  ///< "patchset", "message:ID", "merged", "cron:TIME": with change, patch set and job the
                            ///< idempotency key
  std::string reason;       ///< why it runs, for people
  sched::JobState state = sched::JobState::triggered;
  std::string verdict;      ///< Verdict's word, empty until known
  std::string description;  ///< one line
  std::string base_sha;
  std::string merged_sha;
  std::string artifacts;  ///< path below the artifact root, Prow's layout
  std::string phase;      ///< while pending: source, warm, configure, build, boot ...
  int infra_retries = 0;
  SystemTime created{};
  std::optional<SystemTime> started;
  std::optional<SystemTime> finished;
  std::string type = "presubmit";  ///< Prow's word: "presubmit", "postsubmit", "periodic"
  std::string abort_reason;        ///< it was told to end, and why; kept, so that a crash does not start it again
  int periodic_retry = 0;          ///< of a periodic: which retry it is; 0: none
};

/// Why a job ran or did not, at one look at a change.
struct Decision {
  std::int64_t id = 0;
  std::string gerrit;
  int change = 0;
  int patchset = 0;
  std::string type = "presubmit";
  std::string job;
  std::string cause;  ///< "patchset", "message:ID", "merged"
  bool run = false;
  std::string reason;
  SystemTime at{};
};

/// How far a change was handled.
struct ChangeMark {
  std::string gerrit;
  int change = 0;
  std::string project;
  std::string meta_rev;        ///< nothing new when equal
  int patchset_triggered = 0;  ///< newest patch set whose automatic jobs were queued
  std::string last_message;    ///< id of the newest message whose commands were handled
  int patchset_seen = 0;       ///< newest patch set there is
  std::string status;          ///< NEW, MERGED, ABANDONED as last seen
  std::string approved;        ///< who wrote /ok-to-test; empty: nobody
};

/// A report to post: one per (change, patch set, label), re-armed when its runs change.
struct Report {
  std::int64_t id = 0;
  std::string gerrit;
  std::string project;
  int change = 0;
  int patchset = 0;
  std::string revision;
  std::string label;
  std::string key;  ///< names the runs it covers; in the message, so that a crash after the post is recognised
  std::string message;
  int vote = 0;
  bool with_vote = true;
  enum class State { waiting, sending, sent, dropped } state = State::waiting;
  int tries = 0;
  SystemTime not_before{};
  std::string error;
  std::string findings =
      {};  ///< what could be said on lines of the patch set, as JSON of report/; not changed by save_report
  /// Not of the row: keys of comments on lines. On the way to Gerrit those that the change has, on the way back those that it got.
  std::vector<std::string> comment_keys = {};
};

/// One step of a run's life; ids grow, so "all after N" misses none.
struct Event {
  std::int64_t id = 0;
  std::int64_t run = 0;
  SystemTime at{};
  std::optional<sched::JobState> from;  ///< none: the run was just added
  sched::JobState to = sched::JobState::triggered;
  std::string phase;  ///< of the run at that moment
};

/// All that is set must match.
struct RunFilter {
  std::optional<int> change;
  std::optional<int> patchset;
  std::string gerrit;
  std::string job;
  std::string author;
  std::string verdict;
  std::string words;  ///< in subject, author, job, description: all of them, each as the start of a word, in any case
  std::optional<sched::JobState> state;
  bool unfinished = false;     ///< only triggered and pending
  std::int64_t before_id = 0;  ///< 0: from the newest
  int limit = 100;
};

/// What a look at the queue needs of a run, cheaper than the whole of it.
struct UnfinishedRun {
  std::int64_t id = 0;
  sched::JobState state = sched::JobState::triggered;
};

class Store {
 public:
  /// Creates the file (mode 0600) and brings its schema up to date.
  static Result<Store> open(const std::filesystem::path& file);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// Inserts the run unless one with the same (gerrit, change, patchset, job, trigger_key) exists; the id, or nullopt.
  Result<std::optional<std::int64_t>> add_run(const Run& run);
  Result<std::optional<Run>> run(std::int64_t id);
  Result<std::optional<Run>> run_of_prow_job(const std::string& prow_job_id);
  Result<std::vector<Run>> runs(const RunFilter& filter);  ///< newest first
  Result<std::vector<std::string>> jobs();                 ///< names of all jobs that ever ran, sorted
  /// Newest attempt of each job of the patch set; a postsubmit and a presubmit of one name are two.
  Result<std::vector<Run>> latest_runs(const std::string& gerrit, int change, int patchset);
  Result<std::vector<Run>> unfinished_runs();       ///< triggered and pending, oldest first
  Result<std::vector<UnfinishedRun>> unfinished();  ///< the same runs
  /// Notes that an unfinished run is told to end; the first reason stays. @error not_found  no such run under way
  Result<> ask_abort(std::int64_t id, const std::string& why);
  /// Newest run of a periodic.
  Result<std::optional<Run>> latest_periodic(const std::string& gerrit, const std::string& job);
  /// Since when a periodic is known with this schedule: `now` where it is new or its schedule another.
  Result<SystemTime> periodic_since(const std::string& gerrit, const std::string& job, const std::string& schedule,
                                    SystemTime now);
  /// Removes runs that ended before `time`, with their events, but for the ones in `keep`; at most `limit`. What was removed.
  Result<std::vector<Run>> remove_runs(SystemTime time, const std::vector<std::int64_t>& keep, int limit = 500);

  /// Adds a row, unless the newest one of that job on that patch set says just the same.
  Result<> add_decision(const Decision& decision);
  Result<std::vector<Decision>> decisions(int change);  ///< oldest first

  /// Moves a run along an edge of sched/job_state.h and writes the other mutable fields of `run` with it.
  /// @error conflict  no such edge from the stored state
  /// @error not_found  no such run
  Result<> move_run(const Run& run, sched::JobState to);
  /// Of a run that is not finished; of a finished one it changes nothing.
  Result<> set_phase(std::int64_t id, const std::string& phase);

  Result<std::vector<Event>> run_events(std::int64_t run);  ///< oldest first
  Result<std::vector<Event>> events_after(std::int64_t id, int limit = 1000);
  Result<std::int64_t> last_event();  ///< id of the newest event, 0 where there is none

  Result<std::optional<ChangeMark>> change_mark(const std::string& gerrit, int change);
  Result<> save_change_mark(const ChangeMark& mark);
  /// Poll position per (gerrit, project): the newest `updated` seen.
  Result<std::optional<SystemTime>> poll_position(const std::string& gerrit, const std::string& project);
  /// The first position ever saved: what is older than this was never ours to test.
  Result<std::optional<SystemTime>> poll_start(const std::string& gerrit, const std::string& project);
  Result<> save_poll_position(const std::string& gerrit, const std::string& project, SystemTime updated);

  /// Adds the report unless its key exists; what it makes out of date becomes dropped: waiting reports of older patch
  /// sets of the change, and one of the same patch set and label.
  Result<bool> add_report(const Report& report);
  Result<std::vector<Report>> open_reports();  ///< waiting and sending, oldest first
  /// With a sent report its comment_keys too: said once, they are not said again.
  Result<> save_report(const Report& report);
  /// Keys of all comments on lines of the change, sorted.
  Result<std::vector<std::string>> comment_keys(const std::string& gerrit, int change);

  /// One transaction around several calls; rolled back unless commit() was called. Where it could not begin (the
  /// database is busy), every writing call inside it and commit() fail, and nothing is written.
  class Transaction {
   public:
    explicit Transaction(Store& store);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    Result<> commit();

   private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };

 private:
  friend class TestHistory;  // a part of the same file, kept apart since it is large
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  [[nodiscard]] class Database& database() const;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bowsprit::store
