// SPDX-License-Identifier: Apache-2.0
/// Runs one program in a sandbox of its own (runc, rootless) and takes its output and artifacts out.
///
/// Guarantees, the same whether the server is root or an ordinary user; root first becomes an unprivileged user
/// (`job_uid`) in the child, so runc itself never runs privileged. Each has a test in sandbox_test.cpp:
/// - it sees /usr and the like of the host (or an image), read-only, and nothing else of the host: no /home, /root
///   or /var, no secret of /etc, no file of the server
/// - it has no capability and can't gain one, no namespace or mount of its own, no network, no other process to see
/// - what it writes is limited and goes with it; folders given as layers are never changed
/// - its processes, memory and files are limited; the reason is told when a limit ended it
/// - it ends in time, whatever it does: TERM, grace, then its whole pid namespace is killed, daemons included
/// - it dies with the server, also by kill -9; `recover` removes what such a death leaves on disk
/// - its artifacts come out as plain bounded files (artifact_stream.h)
/// How the memory limit holds: by a control group where we may make one, else a watch on the processes' sum each
/// 100 ms (beside RLIMIT_NPROC and the sizes of the two tmpfs, which hold everywhere). With `scratch_on_disk` the disk
/// limit is a watch as well, beside RLIMIT_FSIZE.
/// Does not: know jobs, git, or warm trees.
/// Threads: `run` blocks its thread; any number at once.
///
///   TRY_ASSIGN(auto sandbox, Sandbox::create({.work = "/var/lib/bowsprit/sandbox", .bowsprit = "/usr/bin/bowsprit"}));
///   auto end = sandbox.run({.id = "7", .argv = {"make"}, .timeout = seconds(60)}, print, stop);
#pragma once

#include <functional>

#include "exec/local/artifact_stream.h"
#include "exec/local/oci_config.h"
#include "os/fd.h"
#include "os/process.h"

namespace bowsprit::exec {

struct SandboxOptions {
  fs::path work;      ///< for bundles and runc's state; made if absent, reachable for `job_uid`
  fs::path bowsprit;  ///< this program, for process 1 and for jobs
  std::string runc = "runc";
  fs::path image_root = "/";  ///< "/": the host's /usr and the like; else an unpacked image, of which all is seen
  std::uint32_t job_uid =
      1'900'000'000;  ///< host user and group of jobs when the server is root; outside all usual ranges
  ArtifactLimits artifact_limits;
  /// What jobs write goes to `work` instead of memory. Chosen by itself where tmpfs can't carry an overlay (before Linux 6.6).
  bool scratch_on_disk = false;
};

/// A switch that ends a running sandbox early; set from any thread, once.
class StopSwitch {
 public:
  StopSwitch();
  void set() const;
  [[nodiscard]] bool is_set() const;
  [[nodiscard]] int fd() const { return event_.get(); }  ///< readable once set

 private:
  Fd event_;
};

struct SandboxJob {
  std::string id;  ///< [0-9A-Za-z_-]+
  std::vector<std::string> argv;
  Environment env;  ///< whole; PATH is added where absent
  std::string cwd = "/";
  std::vector<SandboxFolder> folders;
  fs::path image_root;                       ///< as in SandboxOptions, for this job; empty: as there
  std::map<std::string, std::string> files;  ///< extra read-only files, by path: "/kunit.sh" -> content; executable
  SandboxLimits limits;
  milliseconds timeout{2 * 60 * 60 * 1000};
  milliseconds grace{15000};
  fs::path artifacts;  ///< existing folder; empty: they are thrown away
};

struct SandboxEnd {
  enum class How { exited, timed_out, stopped, over_limit };
  How how = How::exited;
  int exit_code = 0;
  std::string reason;  ///< for people; empty when it just exited
  std::vector<std::string> artifacts_left_out;
  double seconds = 0;
};

class Sandbox {
 public:
  /// @error bad_config  runc is missing
  static Result<Sandbox> create(SandboxOptions options);
  /// Runs a job to its end. @error infrastructure only; whatever the job does is a SandboxEnd.
  Result<SandboxEnd> run(const SandboxJob& job, const std::function<void(std::string_view)>& on_output,
                         const StopSwitch& stop) const;
  /// Ends and removes whatever sandboxes an earlier process left. Call before the first `run`.
  Result<> recover() const;

  /// Owner of the files that jobs may write; files of layers should have it.
  [[nodiscard]] std::uint32_t file_owner() const { return owner_; }
  /// Gives a folder and all in it to the job's user where the server is another one.
  Result<> give_to_job(const fs::path& folder) const;

 private:
  explicit Sandbox(SandboxOptions options);
  Result<> prepare(const SandboxJob& job, const fs::path& bundle) const;
  void remove(const std::string& id) const;
  Result<> find_aliases();
  [[nodiscard]] fs::path seen_by_runc(const fs::path& path) const;
  [[nodiscard]] SpawnOptions runc_command(std::vector<std::string> arguments) const;

  SandboxOptions options_;
  /// {host path, where runc sees it}: what a folder closed to others hides from the job's user (a server in /root, say).
  std::vector<std::pair<fs::path, fs::path>> aliases_;
  std::uint32_t owner_ = 0;
  std::uint32_t group_ = 0;
};

}  // namespace bowsprit::exec
