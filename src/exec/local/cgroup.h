// SPDX-License-Identifier: Apache-2.0
/// A job's control group, where this process may make one: version 1 (memory and pids hierarchies) or version 2,
/// below our own. An ordinary user without delegation gets an error; the sandbox then limits by other means (see
/// sandbox.h).
/// Does not: limit processor time.
/// Threads: one owner.
/// Source: kernel Documentation/admin-guide/cgroup-v1/memory.rst, pids.rst and cgroup-v2.rst.
#pragma once

#include "exec/local/oci_config.h"
#include "os/fd.h"

namespace bowsprit::exec {

class JobCgroup {
 public:
  /// What the kernel had to stop. Counters are of the whole group.
  struct Events {
    std::int64_t out_of_memory = 0;  ///< processes killed at the memory limit
    std::int64_t out_of_pids = 0;    ///< forks refused
  };

  /// @error denied  not ours to make
  static Result<JobCgroup> create(const std::string& name, const SandboxLimits& limits);
  JobCgroup(JobCgroup&& other) noexcept
      : folders_(std::exchange(other.folders_, {})), procs_(std::move(other.procs_)) {}
  JobCgroup& operator=(JobCgroup&&) = delete;
  ~JobCgroup();  ///< kills what is in it and removes it

  /// Open cgroup.procs files for SpawnOptions::join_cgroups.
  [[nodiscard]] std::vector<int> join_fds() const;
  [[nodiscard]] Events events() const;
  /// Kills and removes the groups that an earlier process left, by the prefix of their names.
  static void remove_leftovers(const std::string& prefix);

 private:
  JobCgroup() = default;
  std::vector<fs::path> folders_;
  std::vector<Fd> procs_;
};

}  // namespace bowsprit::exec
