// SPDX-License-Identifier: Apache-2.0
#include "exec/local/sandbox_init.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/strings.h"
#include "exec/local/artifact_stream.h"
#include "os/fd.h"
#include "os/files.h"

namespace bowsprit::exec {
namespace {

bool is_full(const char* path) {
  struct statvfs info{};
  return ::statvfs(path, &info) == 0 && (info.f_bavail == 0 || info.f_favail == 0);
}

/// Kills and reaps every other process of the namespace, also what forks meanwhile.
void kill_all() {
  while (true) {
    ::kill(-1, SIGKILL);
    if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) return;
  }
}

pid_t start(const InitOptions& options, const sigset_t& old_mask) {
  std::vector<char*> argv;
  for (const auto& word : options.argv) argv.push_back(const_cast<char*>(word.c_str()));  // NOLINT: execvp's signature
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) {
    ::setpgid(pid, pid);  // here as well as below, so that a TERM that comes at once finds the group
    return pid;
  }
  ::setpgid(0, 0);
  ::sigprocmask(SIG_SETMASK, &old_mask, nullptr);
  ::close(kControlFd);
  ::execvp(argv[0], argv.data());
  std::fprintf(stderr, "bowsprit: can't start '%s': %s\n", argv[0], std::strerror(errno));
  ::_exit(errno == ENOENT ? 127 : 126);
}

/// Runs the job to its end; its wait status.
int supervise(const InitOptions& options, pid_t job, int signals) {
  bool ending = false;
  SteadyTime kill_at = SteadyTime::max();
  while (true) {
    int wait = -1;
    if (ending) {
      const auto left = std::chrono::ceil<milliseconds>(kill_at - std::chrono::steady_clock::now());
      wait = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    }
    // Once it was told to end, only the end of the socket matters, and that comes as POLLHUP without being asked for.
    pollfd entries[2]{{signals, POLLIN, 0}, {kControlFd, static_cast<short>(ending ? 0 : POLLIN), 0}};
    const int ready = ::poll(entries, 2, wait);
    if (ready < 0 && errno != EINTR) ::_exit(1);
    if (ready == 0 && std::chrono::steady_clock::now() >= kill_at) {
      ::kill(-1, SIGKILL);
      kill_at = SteadyTime::max();
    }
    if (ready > 0 && entries[0].revents != 0) {
      signalfd_siginfo info{};
      [[maybe_unused]] const auto count = ::read(signals, &info, sizeof info);
      int status = 0;
      for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG))
        if (pid == job) return status;
    }
    if (ready > 0 && entries[1].revents != 0) {
      char byte = 0;
      if (::read(kControlFd, &byte, 1) <= 0) {  // the server is gone
        ::kill(-1, SIGKILL);
        ::_exit(1);
      }
      ending = true;
      kill_at = std::chrono::steady_clock::now() + options.grace;
      ::kill(-job, SIGTERM);  // its group; what left that group is killed with the rest at the end
    }
  }
}

}  // namespace

int sandbox_init(const InitOptions& options) {
  // Its end kills every process that it can reach: right inside a sandbox, the end of the machine's user outside of one.
  if (::getpid() != 1) {
    std::fprintf(stderr, "sandbox-init is the first process of a sandbox; bowsprit starts it there by itself\n");
    return 2;
  }
  // A making that must delay no job runs as SCHED_IDLE, which counts inside a session only: the kernel's autogroup gives
  // each session an equal part of the processors (sched(7)). Where there are no autogroups there is no such file.
  if (::sched_getscheduler(0) == SCHED_IDLE) [[maybe_unused]]
    const auto written = write_file("/proc/self/autogroup", "19");
  ::prctl(PR_SET_DUMPABLE, 0);
  ::fcntl(kControlFd, F_SETFD, FD_CLOEXEC);
  sigset_t mask;
  sigset_t old_mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &mask, &old_mask);
  const Fd signals(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  const Fd control(kControlFd);
  if (!signals || !make_dirs(options.artifacts)) return 1;
  const pid_t job = start(options, old_mask);
  if (job < 0 || !control.write_all("started\n")) return 1;
  const int status = supervise(options, job, signals.get());
  kill_all();
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  const bool full = is_full("/logs") || is_full("/dev/shm");
  if (!control.write_all(fmt::format("exit {} {}\n", code, full ? 1 : 0))) return 1;
  if (auto sent = send_artifacts(options.artifacts, control.get()); !sent) {
    std::fprintf(stderr, "bowsprit: %s\n", sent.error().text().c_str());
    return 1;
  }
  return 0;
}

}  // namespace bowsprit::exec
