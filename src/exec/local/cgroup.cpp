// SPDX-License-Identifier: Apache-2.0
#include "exec/local/cgroup.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/log.h"
#include "base/strings.h"

namespace bowsprit::exec {
namespace {

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// Our own group of a hierarchy.
struct Hierarchy {
  fs::path folder;
  bool memory = false;
  bool pids = false;
  bool unified = false;
};

/// Mount point of the hierarchy that has `controller` (version 1), or of version 2 where it is empty.
std::optional<fs::path> mount_point(std::string_view controller) {
  const auto text = read_file("/proc/self/mountinfo");
  if (!text) return std::nullopt;
  for (const auto& line : split_lines(*text)) {
    const auto words = split(line, ' ');
    const auto dash = std::ranges::find(words, "-");
    if (words.size() < 5 || std::distance(dash, words.end()) < 4) continue;
    if (controller.empty() && dash[1] == "cgroup2") return words[4];
    if (!controller.empty() && dash[1] == "cgroup" && contains(split(dash[3], ','), controller)) return words[4];
  }
  return std::nullopt;
}

std::vector<Hierarchy> own_groups() {
  std::vector<Hierarchy> out;
  const auto text = read_file("/proc/self/cgroup");
  if (!text) return out;
  for (const auto& line : split_lines(*text)) {  // "5:memory:/a/b", "0::/a/b"
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto controllers = split(line.substr(first + 1, second - first - 1), ',');
    Hierarchy group;
    group.memory = contains(controllers, "memory");
    group.pids = contains(controllers, "pids");
    group.unified = line.starts_with("0::");
    if (!group.memory && !group.pids && !group.unified) continue;
    const auto root = mount_point(group.unified ? "" : group.memory ? "memory" : "pids");
    if (!root) continue;
    group.folder = *root / fs::path(line.substr(second + 1)).relative_path();
    if (group.unified) {
      const auto available = read_file(group.folder / "cgroup.controllers");
      if (!available) continue;
      const auto names = split(trim(*available), ' ');
      group.memory = contains(names, "memory");
      group.pids = contains(names, "pids");
      if (!group.memory && !group.pids) continue;
    }
    std::error_code code;
    if (fs::exists(group.folder / "cgroup.procs", code)) out.push_back(std::move(group));
  }
  return out;
}

Result<> set(const fs::path& file, std::uint64_t value) {
  TRY_ASSIGN(const Fd fd, Fd::open(file.string(), O_WRONLY));
  return fd.write_all(std::to_string(value));
}

void kill_and_remove(const fs::path& folder) {
  // Processes of a group that dies are gone a moment later; rmdir says EBUSY until then.
  for (int round = 0; round < 200; ++round) {
    if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) return;
    const auto procs = read_file(folder / "cgroup.procs");
    for (const auto& line : split_lines(procs.value_or("")))
      if (const auto pid = parse_int(line); pid && *pid > 0) ::kill(static_cast<pid_t>(*pid), SIGKILL);
    std::this_thread::sleep_for(milliseconds(10));
  }
  log_warn("exec", "control group '{}' could not be removed", folder.string());
}

std::int64_t counter(const fs::path& file, std::string_view key) {
  const auto text = read_file(file);
  if (!text) return 0;
  for (const auto& line : split_lines(*text))
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ')
      return parse_int(line.substr(key.size() + 1)).value_or(0);
  return 0;
}

}  // namespace

Result<JobCgroup> JobCgroup::create(const std::string& name, const SandboxLimits& limits) {
  JobCgroup group;
  bool has_memory = false;
  for (const auto& own : own_groups()) {
    if (own.unified && ::geteuid() == 0) {
      // Allowed only while our own group has no process besides; where not, the files below are missing and we say so.
      if (auto fd = Fd::open((own.folder / "cgroup.subtree_control").string(), O_WRONLY)) [[maybe_unused]]
        const auto done = fd->write_all("+memory +pids");
    }
    const auto folder = own.folder / name;
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
      if (errno == EACCES || errno == EPERM || errno == EROFS)
        return fail(ErrorKind::denied, "create control group '{}': not allowed", folder.string());
      return fail_errno(fmt::format("create control group '{}'", folder.string()));
    }
    group.folders_.push_back(folder);
    if (own.memory) {
      TRY(set(folder / (own.unified ? "memory.max" : "memory.limit_in_bytes"), limits.memory));
      has_memory = true;
      // Swap would let a job take what it was denied; absent where the kernel does not count it.
      [[maybe_unused]] const auto swap =
          own.unified ? set(folder / "memory.swap.max", 0) : set(folder / "memory.memsw.limit_in_bytes", limits.memory);
    }
    if (own.pids) TRY(set(folder / "pids.max", static_cast<std::uint64_t>(limits.pids)));
    TRY_ASSIGN(Fd procs, Fd::open((folder / "cgroup.procs").string(), O_WRONLY));
    group.procs_.push_back(std::move(procs));
  }
  if (!has_memory) return fail(ErrorKind::denied, "no memory control group is ours to use");
  return group;
}

JobCgroup::~JobCgroup() {
  procs_.clear();
  for (const auto& folder : folders_) kill_and_remove(folder);
}

std::vector<int> JobCgroup::join_fds() const {
  std::vector<int> out;
  for (const auto& fd : procs_) out.push_back(fd.get());
  return out;
}

JobCgroup::Events JobCgroup::events() const {
  Events events;
  for (const auto& folder : folders_) {
    events.out_of_memory +=
        counter(folder / "memory.events", "oom_kill") + counter(folder / "memory.oom_control", "oom_kill");
    events.out_of_pids += counter(folder / "pids.events", "max");
  }
  return events;
}

void JobCgroup::remove_leftovers(const std::string& prefix) {
  for (const auto& own : own_groups()) {
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(own.folder, code))
      if (entry.is_directory(code) && entry.path().filename().string().starts_with(prefix))
        kill_and_remove(entry.path());
  }
}

}  // namespace bowsprit::exec
