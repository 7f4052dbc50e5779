// SPDX-License-Identifier: Apache-2.0
#include "kernel/memory_file.h"

#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/strings.h"
#include "os/fd.h"

namespace bowsprit::kernel {
namespace {

constexpr std::uint64_t kMegabyte = 1U << 20U;

struct Probe {
  std::string problem;  ///< empty: usable
  std::uint64_t room = 0;
};

/// Does what the kernel will do there: an unlinked file, mapped for execution.
Probe probe(const fs::path& folder) {
  struct statvfs space{};
  if (::statvfs(folder.c_str(), &space) != 0) return {std::strerror(errno)};
  Fd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0700));
  if (!fd && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    std::string name = (folder / "bowsprit-probe.XXXXXX").string();
    fd = Fd(::mkostemp(name.data(), O_CLOEXEC));
    if (fd) ::unlink(name.c_str());
  }
  if (!fd) return {errno == EACCES || errno == EROFS ? "it is not writable" : std::strerror(errno)};
  if (::ftruncate(fd.get(), 4096) != 0) return {std::strerror(errno)};
  void* map = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd.get(), 0);
  if (map == MAP_FAILED) return {errno == EPERM ? "it is mounted noexec" : std::strerror(errno)};
  ::munmap(map, 4096);
  return {"", static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize};
}

}  // namespace

std::vector<fs::path> memory_folder_candidates() {
  std::vector<fs::path> folders;
  const auto add = [&](const char* folder) {
    if (folder != nullptr && *folder != 0 && std::ranges::find(folders, fs::path(folder)) == folders.end())
      folders.emplace_back(folder);
  };
  for (const char* name : {"TMPDIR", "TMP", "TEMP"}) add(std::getenv(name));
  add("/dev/shm");
  add("/tmp");
  return folders;
}

Result<MemoryFolder> find_memory_folder(const std::vector<fs::path>& candidates, std::uint64_t memory) {
  std::vector<std::string> problems;
  MemoryFolder roomiest;
  std::uint64_t most = 0;
  for (const auto& folder : candidates) {
    const auto found = probe(folder);
    if (found.problem.empty() && found.room >= memory) {
      return MemoryFolder{folder, problems.empty() ? ""
                                                   : fmt::format("kernel memory goes to {}, since {}", folder.string(),
                                                                 join(problems, ", "))};
    }
    problems.push_back(
        fmt::format("{}: {}", folder.string(),
                    found.problem.empty() ? fmt::format("only {} MB free", found.room / kMegabyte) : found.problem));
    if (found.problem.empty() && found.room > most) {
      most = found.room;
      roomiest.path = folder;
    }
  }
  if (most >= kLeastMemoryRoom) {
    roomiest.note =
        fmt::format("{} has {} MB free, and the kernel may use {} MB: a test that needs more ends with a bus error",
                    roomiest.path.string(), most / kMegabyte, memory / kMegabyte);
    return roomiest;
  }
  return fail(
      ErrorKind::unavailable,
      "User-Mode Linux has no folder for its memory, which must allow execution and have {} MB free ({}); give it one: "
      "docker run --tmpfs /dev/shm:exec, in a Pod an emptyDir of medium Memory at /dev/shm, on a machine "
      "'mount -o remount,exec,size=2g /dev/shm', or TMPDIR=FOLDER on any disk mounted without noexec",
      memory / kMegabyte, join(problems, "; "));
}

}  // namespace bowsprit::kernel
