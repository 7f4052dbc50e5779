// SPDX-License-Identifier: Apache-2.0
#include "kernel/boot.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/log.h"
#include "kernel/command.h"
#include "os/fd.h"

namespace bowsprit::kernel {
namespace {

constexpr std::uint64_t kKeptOfFlood = 8U << 20U;  // at each end
constexpr std::size_t kChunk = 1U << 18U;

/// Reads what a growing file has behind the last call.
class Follower {
 public:
  Follower(Fd fd, const std::function<void(std::string_view)>& sink)
      : fd_(std::move(fd)), sink_(sink), buffer_(kChunk, '\0') {}

  /// Up to 16 MiB, so that the caller gets to look at the clock.
  Result<> read_new() {
    for (int chunk = 0; chunk < 64; ++chunk) {
      TRY_ASSIGN(const auto count, fd_.read(buffer_.data(), buffer_.size()));
      if (count == 0) break;
      seen_ += count;
      sink_(std::string_view(buffer_).substr(0, count));
    }
    return {};
  }
  [[nodiscard]] std::uint64_t seen() const { return seen_; }

 private:
  Fd fd_;
  const std::function<void(std::string_view)>& sink_;
  std::string buffer_;
  std::uint64_t seen_ = 0;
};

/// A descriptor that is readable when the file was written to; invalid where the system has no inotify left.
Fd watch_file(const fs::path& path) {
  Fd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (fd && ::inotify_add_watch(fd.get(), path.c_str(), IN_MODIFY) < 0) fd.reset();
  return fd;
}

void drop_events(const Fd& fd) {
  std::array<char, 4096> events{};
  while (fd.read(events.data(), events.size())) continue;
}

/// Replaces the middle of a flooded console file by one line that says so.
Result<> shorten_console(const fs::path& path, std::uint64_t size) {
  if (size <= 2 * kKeptOfFlood) return {};
  TRY_ASSIGN(const Fd fd, Fd::open(path, O_RDWR));
  std::string tail(kKeptOfFlood, '\0');
  const auto count = ::pread(fd.get(), tail.data(), tail.size(), static_cast<off_t>(size - kKeptOfFlood));
  if (count < 0) return fail_errno(fmt::format("read '{}'", path.string()));
  tail.resize(static_cast<std::size_t>(count));
  if (::ftruncate(fd.get(), static_cast<off_t>(kKeptOfFlood)) != 0 || ::lseek(fd.get(), 0, SEEK_END) < 0)
    return fail_errno(fmt::format("shorten '{}'", path.string()));
  return fd.write_all(
      fmt::format("\n[bowsprit: {} bytes of console output are left out here]\n", size - 2 * kKeptOfFlood) + tail);
}

}  // namespace

std::vector<std::string> quiet_boot_arguments(const fs::path& tree, std::string_view config_text) {
  if (config_text.find("CONFIG_UML_PCI_OVER_VIRTIO_DEVICE_ID=-1\n") == std::string_view::npos) return {};
  // Since 6.16 the part that warns is a file of its own, and um_pci_init does real work.
  std::error_code ignored;
  const bool split = fs::exists(tree / "arch/um/drivers/virtio_pcidev.c", ignored);
  return {split ? "initcall_blacklist=virtio_pcidev_init" : "initcall_blacklist=um_pci_init"};
}

Result<BootOutcome> boot_uml(const BootOptions& options, const std::function<void(std::string_view)>& on_console) {
  std::vector<std::string> argv{options.kernel.string(), fmt::format("mem={}M", kKernelMemory >> 20U),
                                "console=tty",           "con=null",
                                "con0=fd:0,fd:1",        "ssl=null",
                                "kunit_shutdown=halt",   "kunit.enable=1"};
  argv.insert(argv.end(), options.arguments.begin(), options.arguments.end());
  return boot_command({.argv = std::move(argv), .env = {{"TMPDIR", options.memory_folder.string()}}}, options,
                      on_console);
}

Result<BootOutcome> boot_command(BootCommand command, const BootOptions& options,
                                 const std::function<void(std::string_view)>& on_console) {
  // Its home gets UML's control socket; its current folder a core file, where the machine writes such.
  TRY_ASSIGN(const TempDir home, TempDir::create("bowsprit-boot"));
  // Append, since stdout and stderr are two writers of one file.
  TRY_ASSIGN(Fd console, Fd::open(options.console.string(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND));
  struct stat info{};
  if (::fstat(console.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return fail(ErrorKind::os,
                "write the console to '{}': it is not a regular file, and the kernel would lose output there",
                options.console.string());
  TRY_ASSIGN(Fd reader, Fd::open(options.console.string()));
  Follower follower(std::move(reader), on_console);
  const Fd modified = watch_file(options.console);

  command.env.insert({{"PATH", "/usr/bin:/bin"}, {"HOME", home.path().string()}});
  const auto start = std::chrono::steady_clock::now();
  const auto deadline = start + options.limit;
  TRY_ASSIGN(auto child, ChildProcess::spawn({.argv = std::move(command.argv),
                                              .env = std::move(command.env),
                                              .cwd = home.path().string(),
                                              .stdout_fd = console.get(),
                                              .stderr_fd = console.get(),
                                              .new_session = true}));
  console.reset();
  BootOutcome outcome;
  bool running = true;
  while (running) {
    std::array<pollfd, 3> entries{pollfd{child.pidfd(), POLLIN, 0}, pollfd{options.stop_fd, POLLIN, 0},
                                  pollfd{modified.get(), POLLIN, 0}};
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    // A tick for file systems that tell inotify nothing.
    const auto wait = std::clamp<std::int64_t>(left.count(), 0, modified ? 500 : 20);
    if (::poll(entries.data(), entries.size(), static_cast<int>(wait)) < 0 && errno != EINTR)
      return fail_errno("wait for the kernel");
    if (entries[2].revents != 0) drop_events(modified);
    TRY(follower.read_new());
    running = entries[0].revents == 0;
    if (!running) break;
    if (entries[1].revents != 0) {
      outcome.end = BootEnd::stopped;
      break;
    }
    if (follower.seen() > options.console_limit) {
      outcome.end = BootEnd::flooded;
      break;
    }
    if (left.count() <= 0 || (options.give_up && options.give_up())) {
      outcome.end = BootEnd::timed_out;
      break;
    }
  }
  if (!running && is_readable(options.stop_fd)) outcome.end = BootEnd::stopped;
  outcome.status = child.stop(running && outcome.end != BootEnd::flooded ? kKillGrace : milliseconds(0));
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  // What was written between the last look and the end.
  for (std::uint64_t before = follower.seen() + 1;
       before != follower.seen() && follower.seen() <= options.console_limit;) {
    before = follower.seen();
    TRY(follower.read_new());
  }
  if (outcome.end == BootEnd::exited && follower.seen() > options.console_limit) outcome.end = BootEnd::flooded;
  outcome.console_bytes = follower.seen();
  if (outcome.end == BootEnd::flooded || outcome.console_bytes > options.console_limit) {
    std::error_code ignored;
    TRY(shorten_console(options.console, fs::file_size(options.console, ignored)));
  }
  return outcome;
}

}  // namespace bowsprit::kernel
