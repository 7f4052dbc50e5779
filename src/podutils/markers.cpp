// SPDX-License-Identifier: Apache-2.0
#include "podutils/markers.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <limits>
#include <set>

#include "base/strings.h"
#include "os/fd.h"
#include "os/files.h"

namespace bowsprit::podutils {
namespace {

constexpr int kLookAgain = 10'000;  // milliseconds, as Prow

/// Watches the folders of all markers; an empty Fd where the kernel has no watches left, then only looking helps.
Fd watch_folders(const std::vector<std::string>& paths) {
  Fd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  std::set<fs::path> folders;
  for (const std::string& path : paths) folders.insert(fs::path(path).parent_path());
  for (const fs::path& folder : folders)
    if (fd)
      ::inotify_add_watch(fd.get(), folder.empty() ? "." : folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
  return fd;
}

}  // namespace

Result<int> read_marker(const std::string& path) {
  TRY_ASSIGN(const std::string text, read_file(path, 4096));
  const auto code = parse_int(trim(text));
  if (!code || *code < std::numeric_limits<int>::min() || *code > std::numeric_limits<int>::max())
    return fail(ErrorKind::bad_data, "marker '{}': expected an exit code, got '{}'", path,
                shorten(printable(text), 40));
  return static_cast<int>(*code);
}

Result<> write_marker(const std::string& path, int code) {
  // Under its final name only with its final mode, whatever the umask.
  const std::string temp = fmt::format("{}.part{}", path, ::getpid());
  TRY(write_file_atomic(temp, std::to_string(code)));
  if (::chmod(temp.c_str(), 0777) != 0) return fail_errno(fmt::format("chmod '{}'", temp));
  if (::rename(temp.c_str(), path.c_str()) != 0) return fail_errno(fmt::format("rename '{}' to '{}'", temp, path));
  return {};
}

Result<std::map<std::string, Result<int>>> wait_for_markers(const std::vector<std::string>& paths, int wake_fd,
                                                            const std::function<bool()>& stop) {
  std::map<std::string, Result<int>> found;
  const std::set<std::string> wanted(paths.begin(), paths.end());
  const Fd watch = watch_folders(paths);  // before the first look, so that none comes in between unseen
  while (true) {
    for (const std::string& path : wanted)
      if (std::error_code code; !found.contains(path) && fs::exists(path, code)) found.emplace(path, read_marker(path));
    if (found.size() == wanted.size()) return found;
    pollfd entries[2]{{watch.get(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
    const int ready = ::poll(entries, 2, kLookAgain);
    if (ready < 0 && errno != EINTR) return fail_errno("wait for marker files");
    if (entries[0].revents != 0) {
      std::array<char, 4096> events{};
      while (::read(watch.get(), events.data(), events.size()) > 0) {
      }
    }
    if (entries[1].revents != 0 && stop()) return found;
  }
}

}  // namespace bowsprit::podutils
