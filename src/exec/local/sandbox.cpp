// SPDX-License-Identifier: Apache-2.0
#include "exec/local/sandbox.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strings.h"
#include "exec/local/cgroup.h"
#include "exec/local/sandbox_init.h"
#include "exec/local/sandbox_root.h"
#include "exec/local/use_watch.h"
#include "os/process.h"

namespace bowsprit::exec {
namespace {

/// Control groups are the whole machine's, so their names tell one server's jobs from another's.
std::string group_prefix(const fs::path& work) {
  return fmt::format("bowsprit-{}-", sha256_hex(work.string()).substr(0, 12));
}

/// Beyond the grace period: for killing what is left and for streaming the artifacts.
constexpr milliseconds kEndLimit{60'000};
constexpr milliseconds kWatchPeriod{100};
constexpr milliseconds kRuncLimit{60'000};

using Steady = std::chrono::steady_clock;

milliseconds until(SteadyTime time) {
  return std::clamp(std::chrono::ceil<milliseconds>(time - Steady::now()), milliseconds(0), milliseconds(3'600'000));
}

std::string mib(std::uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20U); }

/// A limit may only be lowered, and the server's own may already be lower than what is asked for.
std::uint64_t at_most_ours(__rlimit_resource_t resource, std::uint64_t wanted) {
  rlimit ours{};
  return ::getrlimit(resource, &ours) == 0 ? std::min<std::uint64_t>(wanted, ours.rlim_max) : wanted;
}

/// One run, from the start of runc to the end of its socket. The steps are: start, follow, collect, end.
class Run {
 public:
  Run(const SandboxJob& job, const SandboxOptions& options, const std::function<void(std::string_view)>& on_output,
      const StopSwitch& stop)
      : job_(job), options_(options), on_output_(on_output), stop_(stop) {}

  /// `runc` is the command that runs the prepared bundle.
  Result<SandboxEnd> execute(const fs::path& bundle, SpawnOptions runc);

 private:
  Result<> start(const fs::path& bundle, SpawnOptions runc);
  Result<> follow();
  void watch();
  [[nodiscard]] std::string memory_reason() const {
    return fmt::format("it used more memory than its limit of {}", mib(job_.limits.memory));
  }
  [[nodiscard]] std::string disk_reason() const {
    return fmt::format("it wrote more than its limit of {} (and {} in /dev/shm)", mib(job_.limits.disk),
                       mib(job_.limits.shm));
  }
  void ask_to_end(SandboxEnd::How how, std::string reason);
  void read_output();
  Result<> read_control();
  Result<> collect_artifacts();
  bool drain_until(int done, SteadyTime deadline);
  void finish();
  void explain_limits();
  void kill_init() const;

  const SandboxJob& job_;
  const SandboxOptions& options_;
  const std::function<void(std::string_view)>& on_output_;
  const StopSwitch& stop_;

  std::optional<JobCgroup> cgroup_;
  std::optional<ChildProcess> runc_;
  fs::path pid_file_;
  fs::path scratch_;
  Fd output_;
  Fd control_;
  std::string received_;      ///< of the socket, not yet used
  std::string first_output_;  ///< what runc says when it can't start, told in the error
  bool started_ = false;
  bool job_ended_ = false;
  bool disk_full_ = false;
  bool pids_full_ = false;
  std::optional<SteadyTime> kill_at_;
  SandboxEnd end_;
  std::array<char, 65536> buffer_{};
};

Result<> Run::start(const fs::path& bundle, SpawnOptions runc) {
  if (auto group = JobCgroup::create(group_prefix(options_.work) + job_.id, job_.limits)) {
    cgroup_.emplace(std::move(*group));
  } else {
    log_debug("exec", "{}; the memory of job {} is watched instead", group.error().text(), job_.id);
  }
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return fail_errno("create a socket pair");
  control_ = Fd(sockets[0]);
  const Fd theirs(sockets[1]);
  TRY_ASSIGN(Pipe pipe, Pipe::create());
  pid_file_ = bundle / "pid";
  scratch_ = bundle / kScratch;
  runc.stdout_fd = pipe.writer.get();
  runc.stderr_fd = pipe.writer.get();
  runc.pass_fds = {{theirs.get(), kControlFd}};
  if (cgroup_) runc.join_cgroups = cgroup_->join_fds();
  TRY_ASSIGN(auto child, ChildProcess::spawn(runc));
  runc_.emplace(std::move(child));
  output_ = std::move(pipe.reader);
  return {};
}

void Run::kill_init() const {
  const auto text = read_file(pid_file_);
  if (const auto pid = parse_int(trim(text.value_or(""))); pid && *pid > 1) ::kill(static_cast<pid_t>(*pid), SIGKILL);
}

void Run::ask_to_end(SandboxEnd::How how, std::string reason) {
  if (kill_at_) return;
  end_.how = how;
  end_.reason = std::move(reason);
  kill_at_ = Steady::now() + job_.grace + kEndLimit;
  ::send(control_.get(), "T", 1, MSG_NOSIGNAL);
}

void Run::read_output() {
  const auto count = output_.read(buffer_.data(), buffer_.size());
  if (!count || *count == 0) {
    output_.reset();
    return;
  }
  const std::string_view bytes(buffer_.data(), *count);
  if (!started_ && first_output_.size() < 2000) first_output_ += bytes.substr(0, 2000);
  on_output_(bytes);
}

Result<> Run::read_control() {
  const auto count = control_.read(buffer_.data(), buffer_.size());
  if (!count || *count == 0) {  // also reset by peer: process 1 was killed before it read what we sent
    control_.reset();
    return {};
  }
  received_.append(buffer_.data(), *count);
  while (!job_ended_) {
    const auto newline = received_.find('\n');
    if (newline == std::string::npos) break;
    const auto words = split(received_.substr(0, newline), ' ');
    received_.erase(0, newline + 1);
    if (words[0] == "started") started_ = true;
    if (words[0] == "exit" && words.size() == 3) {
      end_.exit_code = static_cast<int>(parse_int(words[1]).value_or(1));
      disk_full_ = words[2] == "1";
      job_ended_ = true;
    }
  }
  if (!job_ended_ && received_.size() > 4096)
    return fail(ErrorKind::bad_data, "sandbox {}: process 1 speaks nonsense", job_.id);
  return {};
}

/// The limits that the kernel does not keep for us; no grace, the machine comes first.
void Run::watch() {
  if (kill_at_) return;
  if (!cgroup_) {
    const auto text = read_file(pid_file_);
    const auto pid = parse_int(trim(text.value_or("")));
    if (!pid) return;
    const auto use = memory_of_tree(static_cast<pid_t>(*pid));
    if (use.processes >= job_.limits.pids * 9 / 10) pids_full_ = true;  // a glance rarely meets the very top
    if (use.bytes > job_.limits.memory) {
      ask_to_end(SandboxEnd::How::over_limit, memory_reason());
      kill_init();
    }
  }
  if (!kill_at_ && options_.scratch_on_disk && disk_use(scratch_) > job_.limits.disk) {
    ask_to_end(SandboxEnd::How::over_limit, disk_reason());
    kill_init();
  }
}

Result<> Run::follow() {
  const auto deadline = Steady::now() + job_.timeout;
  const bool watched = !cgroup_ || options_.scratch_on_disk;
  auto next_watch = Steady::now() + kWatchPeriod;
  while (control_ && !job_ended_) {
    auto wait = until(kill_at_.value_or(deadline));
    if (watched) wait = std::min(wait, until(next_watch));
    std::array<pollfd, 3> entries{pollfd{control_.get(), POLLIN, 0}, pollfd{output_.get(), POLLIN, 0},
                                  pollfd{kill_at_ ? -1 : stop_.fd(), POLLIN, 0}};
    if (::poll(entries.data(), entries.size(), static_cast<int>(wait.count())) < 0 && errno != EINTR)
      return fail_errno("poll a sandbox");
    if (entries[0].revents != 0) TRY(read_control());
    if (entries[1].revents != 0) read_output();
    if (entries[2].revents != 0) ask_to_end(SandboxEnd::How::stopped, "it was aborted");
    if (Steady::now() >= deadline)
      ask_to_end(SandboxEnd::How::timed_out, fmt::format("it did not end within {}", format_duration(job_.timeout)));
    if (kill_at_ && Steady::now() >= *kill_at_) break;
    if (watched && Steady::now() >= next_watch) {
      watch();
      next_watch = Steady::now() + kWatchPeriod;
    }
  }
  return {};
}

Result<> Run::collect_artifacts() {
  if (job_.artifacts.empty() || !control_) return {};
  const auto deadline = Steady::now() + kEndLimit;
  const auto source = [&](char* to, std::size_t size) -> Result<std::size_t> {
    if (!received_.empty()) {
      const auto count = received_.copy(to, size);
      received_.erase(0, count);
      return count;
    }
    if (!drain_until(control_.get(), deadline))
      return fail(ErrorKind::timeout, "sandbox {}: its artifacts did not come out within {}", job_.id,
                  format_duration(kEndLimit));
    return control_.read(to, size);
  };
  TRY_ASSIGN(auto counts, receive_artifacts(source, job_.artifacts, options_.artifact_limits));
  end_.artifacts_left_out = std::move(counts.left_out);
  return {};
}

/// Reads output until `done`, so that nobody who still writes some (runc, process 1) waits for us while we wait for them.
bool Run::drain_until(int done, SteadyTime deadline) {
  while (true) {
    std::array<pollfd, 2> entries{pollfd{done, POLLIN, 0}, pollfd{output_.get(), POLLIN, 0}};
    const auto left = until(deadline);
    if (::poll(entries.data(), entries.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) return false;
    if (entries[1].revents != 0) read_output();
    if (entries[0].revents != 0) return true;
    if (left.count() == 0) return false;
  }
}

/// Nothing of the job may be left when `run` returns. runc ends when process 1 does, and with it every writer of the pipe.
void Run::finish() {
  control_.reset();
  if (!job_ended_ || !drain_until(runc_->pidfd(), Steady::now() + milliseconds(5000))) kill_init();
  if (!drain_until(runc_->pidfd(), Steady::now() + milliseconds(5000))) {
    log_warn("exec", "sandbox {}: runc did not end with its container", job_.id);
    runc_->stop(milliseconds(0));
  }
  [[maybe_unused]] const auto reaped = runc_->wait_for(milliseconds(1000));
  const auto deadline = Steady::now() + milliseconds(2000);
  while (output_ && until(deadline).count() > 0) {
    pollfd entry{output_.get(), POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(until(deadline).count())) > 0) read_output();
  }
}

/// Where a limit was met and the job did not end well, the limit is why.
void Run::explain_limits() {
  const bool well = end_.how == SandboxEnd::How::exited && job_ended_ && end_.exit_code == 0;
  if (well || end_.how == SandboxEnd::How::stopped || end_.how == SandboxEnd::How::over_limit) return;
  const auto events = cgroup_ ? cgroup_->events() : JobCgroup::Events{};
  std::string reason;
  if (events.out_of_memory > 0)
    reason = memory_reason();
  else if (events.out_of_pids > 0 || pids_full_)
    reason = fmt::format("it started more processes than its limit of {}", job_.limits.pids);
  else if (disk_full_ || end_.exit_code == 128 + SIGXFSZ)
    reason = disk_reason();
  if (reason.empty()) return;
  end_.how = SandboxEnd::How::over_limit;
  end_.reason = std::move(reason);
}

Result<SandboxEnd> Run::execute(const fs::path& bundle, SpawnOptions runc) {
  const auto begin = Steady::now();
  TRY(start(bundle, std::move(runc)));
  auto done = follow();
  if (done && job_ended_) done = collect_artifacts();
  finish();
  end_.seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  explain_limits();
  if (!done && end_.how != SandboxEnd::How::over_limit) return std::unexpected(std::move(done).error());
  if (!started_ && end_.how == SandboxEnd::How::exited) {
    const auto log = read_file(bundle / "runc.log");
    return fail(ErrorKind::unavailable, "start sandbox {}: {}", job_.id,
                trim(first_output_.empty() ? log.value_or("") : first_output_));
  }
  if (!job_ended_ && end_.how == SandboxEnd::How::exited)
    return fail(ErrorKind::unavailable, "sandbox {} ended without the job's exit code ({})", job_.id,
                runc_->status() ? runc_->status()->text() : "killed");
  if (!job_ended_) end_.exit_code = 128 + SIGKILL;
  return std::move(end_);
}

/// An overlay of an ordinary user keeps its marks in user.* attributes, which tmpfs has since Linux 6.6.
bool tmpfs_carries_overlay() {
  const Fd file(::open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  return !file || ::fsetxattr(file.get(), "user.bowsprit", "1", 1, 0) == 0 || errno != EOPNOTSUPP;
}

bool reachable_by_others(fs::path folder) {
  for (; folder.has_relative_path(); folder = folder.parent_path()) {
    struct stat info{};
    if (::stat(folder.c_str(), &info) != 0 || (info.st_mode & S_IXOTH) == 0) return false;
  }
  return true;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 200 && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
  });
}

}  // namespace

StopSwitch::StopSwitch() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
void StopSwitch::set() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}
bool StopSwitch::is_set() const {
  pollfd entry{event_.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

Sandbox::Sandbox(SandboxOptions options) : options_(std::move(options)) {
  owner_ = ::geteuid() == 0 ? options_.job_uid : ::geteuid();
  group_ = ::geteuid() == 0 ? options_.job_uid : ::getegid();
}

Result<Sandbox> Sandbox::create(SandboxOptions options) {
  if (!tmpfs_carries_overlay()) options.scratch_on_disk = true;
  Sandbox sandbox(std::move(options));
  const auto& work = sandbox.options_.work;
  TRY(make_dirs(work / "runs"));
  TRY(make_dirs(work / "state"));
  if (::geteuid() == 0) {
    if (::chown((work / "state").c_str(), sandbox.owner_, sandbox.group_) != 0)
      return fail_errno("give the sandbox's state folder to its user");
    TRY(sandbox.find_aliases());
  }
  TRY_ASSIGN(const auto version, run_command({.argv = {sandbox.options_.runc, "--version"}}, kRuncLimit));
  if (!version.status.ok())
    return fail(ErrorKind::bad_config, "'{}' does not run: {}; on Debian: apt install runc", sandbox.options_.runc,
                trim(version.err));
  return sandbox;
}

/// The job's user must reach what runc mounts, but a folder above may be closed to others. Such a path is bound to a place in
/// /run that is open, in runc's own mount namespace only.
Result<> Sandbox::find_aliases() {
  std::error_code code;
  options_.work = fs::canonical(options_.work, code);
  options_.bowsprit = fs::canonical(options_.bowsprit, code);
  const fs::path place = "/run/bowsprit/" + sha256_hex(options_.work.string()).substr(0, 12);
  if (!reachable_by_others(options_.work.parent_path())) {
    TRY(make_dirs(place / "work"));
    aliases_.emplace_back(options_.work, place / "work");
  }
  if (!reachable_by_others(options_.bowsprit.parent_path())) {
    TRY(make_dirs(place));
    TRY(write_file(place / "bowsprit", ""));
    aliases_.emplace_back(options_.bowsprit, place / "bowsprit");
  }
  return {};
}

fs::path Sandbox::seen_by_runc(const fs::path& path) const {
  for (const auto& [host, alias] : aliases_) {
    const auto rest = path.lexically_relative(host);
    if (!rest.empty() && *rest.begin() != "..") return rest == "." ? alias : alias / rest;
  }
  return path;
}

SpawnOptions Sandbox::runc_command(std::vector<std::string> arguments) const {
  SpawnOptions command{.argv = {options_.runc, "--root", seen_by_runc(options_.work / "state").string()},
                       .env = Environment{{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}},
                       .cwd = "/"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  for (const auto& [host, alias] : aliases_) command.private_binds.emplace_back(host.string(), alias.string());
  if (::geteuid() == 0) command.run_as = UserId{owner_, group_};
  return command;
}

Result<> Sandbox::give_to_job(const fs::path& folder) const {
  if (::geteuid() == owner_) return {};
  const auto give = [&](const fs::path& path) { return ::lchown(path.c_str(), owner_, group_) == 0; };
  bool all = give(folder);
  std::error_code code;
  for (fs::recursive_directory_iterator it(folder, code), end; !code && it != end; it.increment(code))
    all = give(it->path()) && all;
  if (code || !all) return fail_errno(fmt::format("give '{}' to the sandbox's user", folder.string()));
  return {};
}

Result<> Sandbox::prepare(const SandboxJob& job, const fs::path& bundle) const {
  const auto root = bundle / "root";
  SandboxSpec spec{
      .root = seen_by_runc(root),
      .host_uid = owner_,
      .host_gid = group_,
      .folders = job.folders,
      .env = job.env,
      .cwd = job.cwd,
      .argv = {std::string(kToolsFolder) + "/bowsprit", "sandbox-init", "--grace", format_duration(job.grace), "--"},
      .limits = job.limits};
  spec.limits.pids = static_cast<int>(at_most_ours(RLIMIT_NPROC, static_cast<std::uint64_t>(spec.limits.pids)));
  spec.limits.file_size = at_most_ours(RLIMIT_FSIZE, spec.limits.disk);
  spec.argv.insert(spec.argv.end(), job.argv.begin(), job.argv.end());
  spec.env.emplace("PATH", kPath);
  // Also scratch, so that one limit holds all of it.
  spec.folders.push_back({.inside = "/tmp"});
  spec.folders.push_back({.inside = "/logs"});
  const auto& image_root = job.image_root.empty() ? options_.image_root : job.image_root;
  TRY_ASSIGN(spec.binds, make_sandbox_root(root, image_root, options_.bowsprit, job.files));
  for (auto& bind : spec.binds) bind.host = seen_by_runc(bind.host);
  for (auto& folder : spec.folders) {
    for (auto& layer : folder.layers) layer = seen_by_runc(layer);
    if (!folder.writable.empty()) folder.writable = seen_by_runc(folder.writable);
  }
  const auto scratch = options_.scratch_on_disk ? bundle / kScratch : root / kScratch;
  if (options_.scratch_on_disk) spec.scratch = seen_by_runc(scratch);
  for (const auto& folder : scratch_folders(spec)) TRY(make_dirs(scratch / folder));
  for (const auto& folder : spec.folders) TRY(make_dirs(root / fs::path(folder.inside).relative_path()));
  TRY(write_file(bundle / "config.json", dump_json(oci_config(spec))));
  return give_to_job(bundle);
}

void Sandbox::remove(const std::string& id) const {
  std::error_code code;
  if (fs::exists(options_.work / "state" / id, code)) {
    auto remove = runc_command({"delete", "--force", id});
    if (auto done = run_checked(std::move(remove), kRuncLimit); !done) log_warn("exec", "{}", done.error().text());
  }
  if (auto done = remove_tree(options_.work / "runs" / id); !done) log_warn("exec", "{}", done.error().text());
}

Result<SandboxEnd> Sandbox::run(const SandboxJob& job, const std::function<void(std::string_view)>& on_output,
                                const StopSwitch& stop) const {
  if (!is_name(job.id)) return fail(ErrorKind::bug, "'{}' can't name a sandbox", job.id);
  const auto bundle = options_.work / "runs" / job.id;
  TRY(make_dirs(bundle));
  Result<SandboxEnd> end = fail(ErrorKind::bug, "not run");
  if (auto ready = prepare(job, bundle); !ready) {
    end = std::unexpected(std::move(ready).error());
  } else {
    Run run(job, options_, on_output, stop);
    const auto seen = seen_by_runc(bundle);
    end = run.execute(bundle, runc_command({"--log", (seen / "runc.log").string(), "run", "--bundle", seen.string(),
                                            "--pid-file", (seen / "pid").string(), "--preserve-fds", "1", job.id}));
  }
  remove(job.id);
  return end;
}

Result<> Sandbox::recover() const {
  JobCgroup::remove_leftovers(group_prefix(options_.work));
  for (const char* folder : {"state", "runs"}) {
    std::error_code code;
    std::vector<std::string> ids;
    for (const auto& entry : fs::directory_iterator(options_.work / folder, code))
      ids.push_back(entry.path().filename().string());
    for (const auto& id : ids) {
      log_info("exec", "removing sandbox {}, left by an earlier server", id);
      remove(id);
    }
  }
  return {};
}

}  // namespace bowsprit::exec
