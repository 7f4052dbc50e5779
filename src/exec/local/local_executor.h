// SPDX-License-Identifier: Apache-2.0
/// The executor of one machine: source from a kept mirror, build on a warm tree, run in a sandbox.
///
/// A run's phases, as told to the observer: "source" (fetch and merge), "warm" (only where the job has no warm tree
/// yet: it is made first, by the same job on the branch itself), "run". What a job changes is laid over the warm tree
/// and thrown away. A tree of an older tip serves too; it is brought to the new one behind the run. Errors of git, disk
/// or runc are `infra_error`; a job on a branch whose warm tree can't be made runs cold. After `recover`, trees that
/// `keep_warm` names are made and refreshed without a job (warm_keeper.h); a refresh takes only processors that no job
/// wants: scheduling policy SCHED_IDLE (sched(7)).
/// Does not: schedule. It starts whatever it is given; `capacity` is what it asks for.
/// Threads: one per run, one per warm tree in the making, one that keeps trees warm; observer calls come from the
/// first.
///
///   TRY_ASSIGN(auto executor, LocalExecutor::create({.work = "/var/lib/bowsprit/exec"}));
///   TRY(executor->recover());
///   executor->start({.id = "7", .job = job, .refs = refs, .artifacts = folder}, observer);
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "exec/executor.h"
#include "exec/local/job_plan.h"
#include "exec/local/mirror.h"
#include "exec/local/sandbox.h"
#include "exec/local/warm_keeper.h"
#include "exec/local/warm_trees.h"

namespace bowsprit::exec {

struct LocalOptions {
  fs::path work;      ///< mirrors/, warm/, ccache/, layers/, runs/, state/; on a disk with room for some checkouts
  fs::path bowsprit;  ///< this program; empty: /proc/self/exe
  int capacity = 1;
  GitCredentials credentials;
  /// Where a job's repository is fetched from; default: refs.clone_uri, else "ORG/REPO".
  std::function<std::string(const prow::Refs&)> repository_url;
  SandboxLimits limits;
  std::uint64_t warm_disk = 0;  ///< bytes that warm trees may hold; 0: no limit
  WarmKeeper::Times warm_times;
  std::string runc = "runc";
  fs::path image_root = "/";               ///< what jobs see as their root; "/": of the host what is safe to see
  std::map<std::string, fs::path> images;  ///< instead, for jobs whose container names this image
  std::uint32_t job_uid = 1'900'000'000;
  ArtifactLimits artifact_limits;
  Environment job_env;  ///< for every job, below its own spec
  /// Whether what a job left behind asks for its base (a failure of unknown origin). Such a job, where its warm tree is of an older tip
  /// of the branch, runs again once the tree is of the right one. Empty: never.
  std::function<bool(const fs::path& artifacts)> misses_base;
  std::map<std::string, std::string> job_files = {{"/kunit.sh", "#!/bin/sh\nexec bowsprit run \"$@\"\n"}};
};

class LocalExecutor final : public Executor {
 public:
  /// @error bad_config  no runc, or `work` is not usable
  static Result<std::unique_ptr<LocalExecutor>> create(LocalOptions options);
  ~LocalExecutor() override;  ///< ends all runs at once

  Result<> recover() override;
  void start(RunRequest request, RunObserver& observer) override;
  void abort(const std::string& id) override;
  [[nodiscard]] int capacity() const override { return options_.capacity; }

  /// What is kept warm without a job; see WarmKeeper::want.
  void keep_warm(std::vector<RunRequest> requests) { keeper_.want(std::move(requests)); }
  /// The branch of a repository (refs.repo) has a new tip.
  void branch_moved(const std::string& repository, const std::string& branch) {
    keeper_.branch_moved(repository, branch);
  }
  /// Makes, or brings to the branch's tip, the warm tree of a job on `refs.base_ref`; blocks. Refs need no pulls.
  Result<WarmTreeInfo> refresh(const RunRequest& request);
  [[nodiscard]] std::vector<WarmTreeInfo> warm_trees() const { return trees_.list(); }

 private:
  struct ActiveRun {
    StopSwitch stop;
    std::thread thread;
    bool finished = false;
  };
  /// A warm tree in the making; jobs that need it wait for it, and it goes on when they are aborted.
  struct Making {
    std::thread thread;
    bool done = false;
  };

  LocalExecutor(LocalOptions options, Sandbox sandbox);
  RunOutcome run(const RunRequest& request, RunObserver& observer, const StopSwitch& stop);
  /// One try; `refresh` tells what tree ought to be made because the one that served is old.
  struct Refresh {
    std::shared_ptr<Mirror> mirror;
    WarmTreeInfo wanted;
  };
  Result<RunOutcome> run_steps(const RunRequest& request, RunObserver& observer, const StopSwitch& stop,
                               std::optional<Refresh>& refresh);
  Result<RunOutcome> run_and_refresh(const RunRequest& request, RunObserver& observer, const StopSwitch& stop);
  std::shared_ptr<Making> begin_making(const RunRequest& request, const std::shared_ptr<Mirror>& mirror,
                                       const WarmTreeInfo& wanted, bool in_the_background);
  Result<std::shared_ptr<Mirror>> mirror_of(const prow::Refs& refs);
  [[nodiscard]] std::string url_of(const prow::Refs& refs) const;
  [[nodiscard]] WarmTreeInfo wanted_tree(const RunRequest& request, const JobPlan& plan,
                                         const std::string& commit) const;
  Result<> keep(const RunRequest& request);
  Result<> bring_to_tip(RunRequest request);
  [[nodiscard]] std::optional<WarmLease> nearest_tree(const std::shared_ptr<Mirror>& mirror,
                                                      const WarmTreeInfo& wanted) const;
  void limit_disk();
  [[nodiscard]] bool has_free_slot();
  Result<std::optional<WarmLease>> warm_lease(const RunRequest& request, const std::shared_ptr<Mirror>& mirror,
                                              const WarmTreeInfo& wanted, RunObserver& observer,
                                              const StopSwitch& stop);
  Result<WarmLease> make_tree(const RunRequest& request, const std::shared_ptr<Mirror>& mirror,
                              const WarmTreeInfo& wanted);
  [[nodiscard]] const fs::path& image_root_of(const JobPlan& plan) const;
  [[nodiscard]] SandboxJob sandbox_job(const RunRequest& request, const JobPlan& plan) const;
  void reap();

  LocalOptions options_;
  Sandbox sandbox_;
  WarmTrees trees_;
  StopSwitch stop_makers_;
  std::mutex mutex_;  ///< guards all below
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<Mirror>> mirrors_;
  std::map<std::string, std::shared_ptr<ActiveRun>> runs_;
  std::map<std::string, std::shared_ptr<Making>> makings_;
  std::thread tidier_;                             ///< removes what an earlier server left
  std::map<std::string, std::string> unmakeable_;  ///< warm tree's key -> commit that it could not be made of
  bool recovered_ = false;
  bool may_be_over_limit_ = false;  ///< a tree was made since the disk limit was last looked at
  WarmKeeper keeper_;               ///< the last member: its thread uses the others
};

}  // namespace bowsprit::exec
