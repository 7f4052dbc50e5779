// SPDX-License-Identifier: Apache-2.0
/// The threads that talk to Gerrit for the engine: one that watches projects, one that posts reports.
///
/// The event stream only wakes the watcher; what happened is always read by a poll, so a lost event costs time and nothing else.
/// A report is posted exactly once: whatever may have been posted before (an answer that was lost, a crash) is first looked for by the
/// key in its last line.
/// Does not: decide anything. Threads: start and stop from the owner; `wake` and `submit` from any.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "app/engine.h"
#include "base/channel.h"
#include "gerrit/client.h"
#include "gerrit/poll_cursor.h"

namespace bowsprit::app {

/// Polls each project again and again: at once after `wake`, else every `interval`.
class Watcher {
 public:
  struct Project {
    std::string name;
    std::optional<SystemTime> position;  ///< from the store; none: a project that is new to us
    std::optional<SystemTime> start;
    std::optional<gerrit::PollCursor> cursor = {};
    bool delivered = false;  ///< the first poll is always told, for its start
  };
  struct Options {
    gerrit::ClientOptions client;
    milliseconds interval{30'000};
    TriggersConfig triggers = {};
    std::vector<Project> projects;
  };
  using Deliver = std::function<void(Polled)>;

  Watcher(Options options, Deliver deliver);
  ~Watcher();

  /// Something happened in `project` (empty: in any).
  void wake(std::string project);

  struct Counters {
    std::atomic<std::int64_t> polls{0};
    std::atomic<std::int64_t> failures{0};
    std::atomic<std::int64_t> last_success{0};  ///< unix seconds
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  void loop();
  Result<> poll(gerrit::Client& client, Project& project);
  /// Asks who is trusted, unless it was asked a short while ago. Where it can't be told, nothing is polled: a change must neither run nor
  /// wait because of an answer that is missing.
  Result<> learn_trusted(gerrit::Client& client);

  Options options_;
  Deliver deliver_;
  Counters counters_;
  Channel<std::optional<std::string>> wakes_;  ///< nullopt: end
  int own_account_ = 0;
  std::set<int> trusted_;
  SteadyTime trusted_until_{};
  std::thread thread_;
};

/// Posts reports in the order they are submitted; the outcome comes back in the row.
class Reporter {
 public:
  using Deliver = std::function<void(Posted)>;
  Reporter(gerrit::ClientOptions client, Deliver deliver);
  ~Reporter();
  void submit(store::Report report) { queue_.push(std::move(report)); }

 private:
  void loop();

  gerrit::ClientOptions options_;
  Deliver deliver_;
  Channel<std::optional<store::Report>> queue_;  ///< nullopt: end
  std::thread thread_;
};

/// Posts one report now and writes what came of it into the row: state, error, and when to try again.
void post_report(gerrit::Client& client, store::Report& report);

}  // namespace bowsprit::app
