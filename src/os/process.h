// SPDX-License-Identifier: Apache-2.0
/// Child processes: each in its own process group, stdin from /dev/null, default signal mask, killed with its group
/// when its owner goes.
///
/// Does not: interpret output, retry, or use a shell.
/// Threads: a ChildProcess has one owner. With `die_with_parent` the kernel kills the child when the *thread* that
/// spawned it ends (prctl(2), PR_SET_PDEATHSIG), so spawn from the thread that waits.
///
///   TRY_ASSIGN(auto child, ChildProcess::spawn({.argv = {"make", "-j2"}, .stdout_fd = log.get()}));
///   TRY_ASSIGN(auto status, child.wait_for(limit));       // nullopt: still running
///   if (!status) child.stop(seconds(10));                 // TERM to the group, then KILL
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "os/fd.h"

namespace bowsprit {

using Environment = std::map<std::string, std::string>;

/// This process's own environment.
Environment current_environment();

/// Whether PATH has that program.
bool is_installed(const std::string& program);

struct UserId {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct SpawnOptions {
  std::vector<std::string> argv;                   ///< argv[0] is looked up in PATH of *this* process
  std::optional<Environment> env;                  ///< instead of ours
  std::string cwd;                                 ///< empty: ours
  int stdin_fd = -1;                               ///< -1: /dev/null
  int stdout_fd = -1;                              ///< -1: ours
  int stderr_fd = -1;                              ///< -1: ours
  std::vector<std::pair<int, int>> pass_fds = {};  ///< {ours, number in the child}
  bool die_with_parent = true;
  bool new_session = false;            ///< setsid: no terminal at all, where a process group alone still has /dev/tty
  std::vector<int> join_cgroups = {};  ///< open cgroup.procs files that the child enters before it execs
  /// {from, existing place}: bound there in a mount namespace of the child's own, so nobody else sees it. Only for root.
  std::vector<std::pair<std::string, std::string>> private_binds = {};
  std::optional<UserId> run_as = {};  ///< only for root: gives up all groups and privileges
};

struct ExitStatus {
  int code = 0;    ///< exit code, or 128 + signal
  int signal = 0;  ///< 0: it exited
  [[nodiscard]] bool ok() const { return code == 0 && signal == 0; }
  [[nodiscard]] std::string text() const;  ///< "exit code 2", "killed by signal 9 (Killed)"
};

class ChildProcess {
 public:
  /// @error not_found  the program is not there
  static Result<ChildProcess> spawn(const SpawnOptions& options);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  ///< kills the group and reaps

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Readable (poll) when the child has ended.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] const std::optional<ExitStatus>& status() const { return status_; }

  /// Waits up to `limit` (negative: for ever); nullopt if it still runs. Can be called again after the end.
  Result<std::optional<ExitStatus>> wait_for(milliseconds limit);
  Result<ExitStatus> wait();
  void signal_group(int signal) const;
  /// TERM to the group, KILL to the group after `grace`, reaps; the group is dead afterwards, also children that
  /// outlived their parent.
  ExitStatus stop(milliseconds grace);

 private:
  ChildProcess(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  pid_t pid_ = -1;
  Fd pidfd_;
  std::optional<ExitStatus> status_;
};

struct CommandOutput {
  ExitStatus status;
  std::string out;
  std::string err;
};

/// Runs a short helper to its end with its output in memory (each stream cut at `output_limit` bytes, the rest read and
/// dropped). `input` goes to its stdin.
/// @error timeout  it did not end within `limit`; its group was killed
Result<CommandOutput> run_command(SpawnOptions options, milliseconds limit, std::string_view input = {},
                                  std::size_t output_limit = 64U << 20U);
/// The same, where any exit code but 0 is an error whose text ends with the last lines of stderr.
Result<std::string> run_checked(SpawnOptions options, milliseconds limit, std::string_view input = {});

}  // namespace bowsprit
