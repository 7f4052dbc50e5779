// SPDX-License-Identifier: Apache-2.0
/// What a page shows, as values: gathered by the server from store and artifacts, turned into HTML by pages.h and into
/// JSON by api.h. Does not: read anything. Threads: plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "artifact/object_store.h"
#include "store/store.h"
#include "verdict/run_result.h"

namespace bowsprit::web {

/// A list of runs and what it was asked for.
struct RunsView {
  store::RunFilter filter;
  std::vector<store::Run> runs;  ///< newest first
  std::int64_t next_before = 0;  ///< of the next page; 0: this is the last one
  SystemTime now{};
};

struct RunView {
  store::Run run;
  std::shared_ptr<const RunResult> result;      ///< null: none
  std::string result_problem;                   ///< why there is none, though the run ended: "result.json: no JSON"
  std::vector<artifact::ObjectInfo> artifacts;  ///< names relative to the run
  bool more_artifacts = false;                  ///< the list was cut
  std::string artifacts_problem;                ///< why they can't be listed now
  std::vector<store::Event> events;
  std::vector<store::Run> siblings;  ///< other runs of the same job and change, newest first
  std::string log_tail;
  std::uint64_t log_size = 0;
  bool has_log = false;
  SystemTime now{};
};

struct ChangeView {
  int change = 0;
  std::vector<store::Run> runs;                 ///< newest first
  std::vector<store::Decision> decisions = {};  ///< why jobs ran or not, oldest first
  SystemTime now{};
};

/// The latest runs of one job.
struct JobView {
  std::string job;
  std::vector<store::Run> runs;  ///< newest first
  SystemTime now{};
};

/// What the latest runs of a job say about it.
struct JobStats {
  int passed = 0;
  int failed = 0;                        ///< by the change
  int no_verdict = 0;                    ///< infrastructure, aborted
  int wavering = 0;                      ///< patch sets on which it both passed and failed: the sign of a flaky job
  std::optional<double> median_seconds;  ///< of those with a verdict
  std::optional<double> slow_seconds;    ///< nine of ten took less
};
JobStats stats_of(const std::vector<store::Run>& runs);

/// From the start (or the entry into the queue) to the end or to `now`.
std::optional<double> run_seconds(const store::Run& run, SystemTime now);
/// "12 s", "3 min 20 s", "1 h 5 min".
std::string human_seconds(double seconds);
/// "just now", "5 min ago", "3 days ago".
std::string human_age(SystemTime time, SystemTime now);
/// "512 B", "3.4 kB", "1.2 MB".
std::string human_size(std::uint64_t bytes);

/// Where a file of a run is served, by its name below the run's folder.
std::string file_url(std::int64_t run, std::string_view name);

/// Gerrit's page of the change, of its patch set, of a line of a file in it.
std::string gerrit_change_url(const store::Run& run);
std::string gerrit_patchset_url(const store::Run& run);
std::string gerrit_line_url(const store::Run& run, std::string_view file, int line);

}  // namespace bowsprit::web
