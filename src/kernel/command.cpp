// SPDX-License-Identifier: Apache-2.0
#include "kernel/command.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::kernel {
namespace {

double seconds_since(SteadyTime start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Result<CommandOutcome> run_streaming(SpawnOptions options, milliseconds limit, int stop_fd,
                                     const std::function<void(std::string_view)>& output) {
  const auto start = std::chrono::steady_clock::now();
  const auto deadline = start + limit;
  TRY_ASSIGN(Pipe pipe, Pipe::create());
  options.stdout_fd = pipe.writer.get();
  options.stderr_fd = pipe.writer.get();
  options.new_session = true;
  TRY_ASSIGN(auto child, ChildProcess::spawn(options));
  pipe.writer.reset();
  ::fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
  std::array<char, 65536> buffer{};
  CommandOutcome outcome;
  // Gives whether the pipe can have more; a pipe may stay open after the child, held by something that it left behind.
  // At most 4 MB at once: an endless writer must not keep us from the clock.
  const auto drain = [&]() -> Result<bool> {
    for (int chunk = 0; chunk < 64; ++chunk) {
      const auto count = pipe.reader.read(buffer.data(), buffer.size());
      if (!count && count.error().kind == ErrorKind::unavailable) return true;
      if (!count) return std::unexpected(count.error());
      if (*count == 0) return false;
      output(std::string_view(buffer.data(), *count));
    }
    return true;
  };
  while (true) {
    std::array<pollfd, 3> entries{pollfd{pipe.reader.get(), POLLIN, 0}, pollfd{child.pidfd(), POLLIN, 0},
                                  pollfd{stop_fd, POLLIN, 0}};
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    const int ready =
        ::poll(entries.data(), entries.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 1 << 30)));
    if (ready < 0 && errno != EINTR) return fail_errno("poll a command's output");
    if (ready <= 0) continue;
    if (entries[2].revents != 0) {
      outcome.end = CommandEnd::stopped;
      break;
    }
    if (entries[0].revents != 0) {
      TRY_ASSIGN(const bool more, drain());
      if (!more) pipe.reader.reset();
    }
    if (entries[1].revents != 0) break;
  }
  TRY_ASSIGN(const auto ended, child.wait_for(milliseconds(0)));
  if (!ended && outcome.end == CommandEnd::exited) outcome.end = CommandEnd::timed_out;
  if (ended && is_readable(stop_fd)) outcome.end = CommandEnd::stopped;
  outcome.status = child.stop(ended ? milliseconds(0) : kKillGrace);  // also what is left of its group
  if (pipe.reader) TRY(drain());
  outcome.seconds = seconds_since(start);
  return outcome;
}

bool is_readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return fd >= 0 && ::poll(&entry, 1, 0) == 1;
}

Result<> adopt_orphans() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return fail_errno("become the reaper of orphaned children");
  return {};
}

int end_orphans() {
  int ended = 0;
  // Killing one makes its children ours: again, until none is left. The bound is for a fork bomb, which only a pid
  // limit ends.
  for (int round = 0; round < 1000; ++round) {
    std::vector<pid_t> children;
    std::error_code code;
    for (fs::directory_iterator task("/proc/self/task", code), end; !code && task != end; task.increment(code)) {
      const auto text = read_file(task->path() / "children");
      if (!text) continue;
      for (const auto& word : split(*text, ' '))
        if (const auto pid = parse_int(trim(word))) children.push_back(static_cast<pid_t>(*pid));
    }
    if (children.empty()) break;
    for (const pid_t pid : children) ::kill(pid, SIGKILL);
    for (const pid_t pid : children)
      if (::waitpid(pid, nullptr, 0) == pid) ++ended;
  }
  return ended;
}

}  // namespace bowsprit::kernel
