// SPDX-License-Identifier: Apache-2.0
#include "os/process.h"

#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/strings.h"
#include "os/stoppable.h"

extern char** environ;

namespace bowsprit {
namespace {

/// The path of a program; its name where there is none.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  for (const auto& dir : split(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", ':')) {
    const std::string candidate = (dir.empty() ? "." : dir) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return name;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (auto& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

ExitStatus decode(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return {info.si_status, 0};
  return {128 + info.si_status, info.si_status};
}

/// What the child does between fork and exec; async-signal-safe calls only.
struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* envp;
  const char* cwd;
  std::array<int, 3> standard;
  std::vector<std::pair<int, int>> pass;
  int error_fd;
  pid_t parent;
  bool die_with_parent;
  bool new_session;
  std::vector<int> cgroups;
  std::vector<std::pair<std::string, std::string>> binds;
  std::optional<UserId> run_as;
};

[[noreturn]] void child_main(const ChildPlan& plan) {
  const auto give_up = [&] {
    const int code = errno;
    [[maybe_unused]] const auto written = ::write(plan.error_fd, &code, sizeof code);
    ::_exit(127);
  };
  if (plan.new_session) {
    ::setsid();
  } else {
    ::setpgid(0, 0);
  }
  for (const int cgroup : plan.cgroups)
    if (::write(cgroup, "0", 1) != 1) give_up();
  if (!plan.binds.empty() &&
      (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0))
    give_up();
  for (const auto& [from, to] : plan.binds)
    if (::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) give_up();
  if (plan.run_as) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(plan.run_as->gid, plan.run_as->gid, plan.run_as->gid) != 0 ||
        ::setresuid(plan.run_as->uid, plan.run_as->uid, plan.run_as->uid) != 0)
      give_up();
  }
  if (plan.die_with_parent) {  // after setresuid, which takes the signal back
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(127);  // the parent died between fork and prctl
  }
  for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // Sources first go above every target, so that no dup2 overwrites one that is still needed.
  constexpr int kHigh = 64;
  std::array<int, 3> standard{};
  for (std::size_t i = 0; i < 3; ++i) {
    standard[i] = ::fcntl(plan.standard[i], F_DUPFD, kHigh);
    if (standard[i] < 0) give_up();
  }
  std::array<int, 16> passed{};
  for (std::size_t i = 0; i < plan.pass.size() && i < passed.size(); ++i) {
    passed[i] = ::fcntl(plan.pass[i].first, F_DUPFD, kHigh);
    if (passed[i] < 0) give_up();
  }
  const int error_fd = ::fcntl(plan.error_fd, F_DUPFD_CLOEXEC, kHigh);
  for (int i = 0; i < 3; ++i) {
    if (::dup2(standard[static_cast<std::size_t>(i)], i) < 0) give_up();
    ::close(standard[static_cast<std::size_t>(i)]);
  }
  for (std::size_t i = 0; i < plan.pass.size() && i < passed.size(); ++i) {
    if (::dup2(passed[i], plan.pass[i].second) < 0) give_up();
    ::close(passed[i]);
  }
  if (plan.cwd != nullptr && ::chdir(plan.cwd) != 0) {
    const int code = errno;
    [[maybe_unused]] const auto written = ::write(error_fd, &code, sizeof code);
    ::_exit(127);
  }
  ::execve(plan.program, plan.argv, plan.envp);
  const int code = errno;
  [[maybe_unused]] const auto written = ::write(error_fd, &code, sizeof code);
  ::_exit(127);
}

}  // namespace

bool is_installed(const std::string& program) { return find_program(program) != program; }

Environment current_environment() {
  Environment env;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) env.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return env;
}

std::string ExitStatus::text() const {
  if (signal != 0) return fmt::format("killed by signal {} ({})", signal, ::strsignal(signal));
  return fmt::format("exit code {}", code);
}

Result<ChildProcess> ChildProcess::spawn(const SpawnOptions& options) {
  if (options.argv.empty()) return fail(ErrorKind::bug, "spawn: no program given");
  if (options.pass_fds.size() > 16) return fail(ErrorKind::bug, "spawn: more than 16 passed descriptors");
  TRY_ASSIGN(const Fd null, Fd::open("/dev/null", O_RDWR));
  TRY_ASSIGN(Pipe error_pipe, Pipe::create());
  std::vector<std::string> argv = options.argv;
  const auto argv_pointers = pointers(argv);
  std::vector<std::string> env;
  if (options.env)
    for (const auto& [name, value] : *options.env) env.push_back(name + "=" + value);
  const auto env_pointers = pointers(env);
  const std::string program = find_program(options.argv[0]);
  const ChildPlan plan{program.c_str(),
                       argv_pointers.data(),
                       options.env ? env_pointers.data() : environ,
                       options.cwd.empty() ? nullptr : options.cwd.c_str(),
                       {options.stdin_fd >= 0 ? options.stdin_fd : null.get(),
                        options.stdout_fd >= 0 ? options.stdout_fd : STDOUT_FILENO,
                        options.stderr_fd >= 0 ? options.stderr_fd : STDERR_FILENO},
                       options.pass_fds,
                       error_pipe.writer.get(),
                       ::getpid(),
                       options.die_with_parent,
                       options.new_session,
                       options.join_cgroups,
                       options.private_binds,
                       options.run_as};
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("fork");
  if (pid == 0) child_main(plan);
  // Also here, so that a stop() right now reaches the group. A group leader could not setsid any more, though.
  if (!options.new_session) ::setpgid(pid, pid);
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  ChildProcess child(pid, std::move(pidfd));
  error_pipe.writer.reset();
  int code = 0;
  auto count = error_pipe.reader.read(reinterpret_cast<char*>(&code), sizeof code);
  if (count && *count == sizeof code) {
    errno = code;
    return fail_errno(fmt::format("start '{}'", join(options.argv, " ")));
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), status_(std::exchange(other.status_, {})) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(status_, other.status_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0 && !status_) stop(milliseconds(0));
}

Result<std::optional<ExitStatus>> ChildProcess::wait_for(milliseconds limit) {
  if (status_) return status_;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (true) {
    int wait = -1;
    if (limit.count() >= 0) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
      wait = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
    }
    pollfd entry{pidfd_.get(), POLLIN, 0};
    const int ready = ::poll(&entry, 1, wait);
    if (ready < 0 && errno != EINTR) return fail_errno("wait for a child");
    if (ready == 0) return std::nullopt;
    if (ready < 0) continue;
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0) {
      if (errno == EINTR) continue;
      return fail_errno("wait for a child");
    }
    status_ = decode(info);
    return status_;
  }
}

Result<ExitStatus> ChildProcess::wait() {
  TRY_ASSIGN(const auto status, wait_for(milliseconds(-1)));
  return *status;
}

void ChildProcess::signal_group(int signal) const {
  if (pid_ > 0) ::kill(-pid_, signal);
}

ExitStatus ChildProcess::stop(milliseconds grace) {
  if (grace.count() > 0 && !status_) {
    signal_group(SIGTERM);
    [[maybe_unused]] const auto ended = wait_for(grace);
  }
  signal_group(SIGKILL);  // also what outlived the leader
  [[maybe_unused]] const auto reaped = wait_for(milliseconds(-1));
  return status_.value_or(ExitStatus{128 + SIGKILL, SIGKILL});
}

Result<CommandOutput> run_stoppable(SpawnOptions options, milliseconds limit, int stop_fd, std::string_view input,
                                    std::size_t output_limit) {
  TRY_ASSIGN(Pipe out, Pipe::create());
  TRY_ASSIGN(Pipe err, Pipe::create());
  Pipe in;
  if (!input.empty()) {
    TRY_ASSIGN(in, Pipe::create());
    ::fcntl(in.writer.get(), F_SETFL, O_NONBLOCK);
    options.stdin_fd = in.reader.get();
  }
  options.stdout_fd = out.writer.get();
  options.stderr_fd = err.writer.get();
  TRY_ASSIGN(auto child, ChildProcess::spawn(options));
  out.writer.reset();
  err.writer.reset();
  in.reader.reset();
  CommandOutput result;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::array<char, 65536> buffer{};
  const auto drain = [&](Fd& fd, std::string& into) -> Result<> {
    TRY_ASSIGN(const auto count, fd.read(buffer.data(), buffer.size()));
    if (count == 0) fd.reset();
    into.append(buffer.data(), std::min(count, output_limit - std::min(output_limit, into.size())));
    return {};
  };
  const auto stopped = [&] {
    child.stop(milliseconds(0));
    return fail(ErrorKind::cancelled, "run '{}': stopped", shorten(join(options.argv, " "), 200));
  };
  while (out.reader || err.reader || in.writer) {
    std::array<pollfd, 4> entries{pollfd{out.reader.get(), POLLIN, 0}, pollfd{err.reader.get(), POLLIN, 0},
                                  pollfd{in.writer.get(), POLLOUT, 0}, pollfd{stop_fd, POLLIN, 0}};
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready =
        ::poll(entries.data(), entries.size(), static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30)));
    if (ready < 0 && errno != EINTR) return fail_errno("poll a child's output");
    if (ready == 0) {
      child.stop(milliseconds(0));
      return fail(ErrorKind::timeout, "run '{}': no end within {}", shorten(join(options.argv, " "), 200),
                  format_duration(limit));
    }
    if (ready < 0) continue;
    if (entries[3].revents != 0) return stopped();
    if (entries[0].revents != 0) TRY(drain(out.reader, result.out));
    if (entries[1].revents != 0) TRY(drain(err.reader, result.err));
    if (entries[2].revents != 0) {
      const auto count = ::write(in.writer.get(), input.data(), std::min<std::size_t>(input.size(), 65536));
      if (count > 0) input.remove_prefix(static_cast<std::size_t>(count));
      if (input.empty() || (count < 0 && errno != EAGAIN && errno != EINTR)) in.writer.reset();
    }
  }
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  // Most end with their output; one that does not can be stopped all the same.
  std::array<pollfd, 2> last{pollfd{child.pidfd(), POLLIN, 0}, pollfd{stop_fd, POLLIN, 0}};
  while (::poll(last.data(), last.size(), static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30))) < 0 &&
         errno == EINTR) {
  }
  if (last[0].revents == 0 && last[1].revents != 0) return stopped();
  TRY_ASSIGN(const auto status, child.wait_for(milliseconds(0)));
  if (!status) {
    child.stop(milliseconds(0));
    return fail(ErrorKind::timeout, "run '{}': no end within {}", shorten(join(options.argv, " "), 200),
                format_duration(limit));
  }
  result.status = *status;
  return result;
}

Result<CommandOutput> run_command(SpawnOptions options, milliseconds limit, std::string_view input,
                                  std::size_t output_limit) {
  return run_stoppable(std::move(options), limit, -1, input, output_limit);
}

Result<std::string> run_checked(SpawnOptions options, milliseconds limit, std::string_view input) {
  const std::string command = shorten(join(options.argv, " "), 300);
  TRY_ASSIGN(auto output, run_command(std::move(options), limit, input));
  if (output.status.ok()) return std::move(output.out);
  const std::string_view tail = trim(output.err);
  return fail(ErrorKind::os, "run '{}': {}: {}", command, output.status.text(),
              tail.size() > 2000 ? tail.substr(tail.size() - 2000) : tail);
}

}  // namespace bowsprit
