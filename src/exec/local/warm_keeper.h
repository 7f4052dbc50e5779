// SPDX-License-Identifier: Apache-2.0
/// Decides when warm trees are made and refreshed without a job that asks: one at a time, first those that are missing
/// or whose branch moved, and only while a job more could run. Every branch is looked at again from time to time, for
/// what nobody told us of.
/// A failure is tried again later and later. Does not: make trees (the hooks do), or keep anything on disk.
/// Threads: one of its own, which calls the hooks; the functions may be called from any.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "exec/executor.h"

namespace bowsprit::exec {

class WarmKeeper {
 public:
  struct Hooks {
    std::function<bool()> may_start;                          ///< whether a job more could run now
    std::function<Result<>(const RunRequest&)> bring_to_tip;  ///< returns when the tree is at its branch's tip
  };
  struct Times {
    milliseconds recheck{10 * 60 * 1000};
    milliseconds first_retry{60 * 1000};
    milliseconds longest_retry{60 * 60 * 1000};
    milliseconds look{500};  ///< at `may_start`, while something is due
  };
  WarmKeeper(Hooks hooks, Times times);
  ~WarmKeeper();  ///< waits for a hook that runs
  WarmKeeper(const WarmKeeper&) = delete;
  WarmKeeper& operator=(const WarmKeeper&) = delete;

  /// What is to be kept warm from now on, in this order; refs have no pulls, and an empty branch means the repository's
  /// HEAD. What was wanted before and still is keeps its state.
  void want(std::vector<RunRequest> requests);
  /// Wanted as well, by a job that had to wait for its tree.
  void want_also(RunRequest request);
  /// The branch (empty: any) of a repository (refs.repo) has a new tip.
  void branch_moved(const std::string& repository, const std::string& branch);

 private:
  struct Target {
    RunRequest request;
    bool listed = true;  ///< by `want`
    SteadyTime due;
    milliseconds pause{0};  ///< after the last failure
    bool moved = false;     ///< while it was brought to the tip
  };
  void loop();
  static std::string name_of(const RunRequest& request);

  Hooks hooks_;
  Times times_;
  std::mutex mutex_;  ///< guards all below
  std::condition_variable changed_;
  std::map<std::string, Target> targets_;
  std::vector<std::string> order_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace bowsprit::exec
