// SPDX-License-Identifier: Apache-2.0
#include "exec/local/use_watch.h"

#include <sys/stat.h>

#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::exec {

MemoryUse memory_of_tree(pid_t pid) {
  MemoryUse use;
  std::vector<std::int64_t> open{pid};
  while (!open.empty()) {
    const auto folder = fmt::format("/proc/{}", open.back());
    open.pop_back();
    const auto status = read_file(folder + "/status");
    if (!status) continue;
    ++use.processes;
    for (const auto& line : split_lines(*status))
      if (line.starts_with("RssAnon:"))
        use.bytes +=
            static_cast<std::uint64_t>(parse_int(trim(line.substr(8, line.size() - 8 - 2))).value_or(0)) * 1024;
    std::error_code code;  // a process may end while it is looked at
    for (fs::directory_iterator thread(folder + "/task", code), end; !code && thread != end; thread.increment(code)) {
      const auto children = read_file(thread->path() / "children");
      for (const auto& word : split(children.value_or(""), ' '))
        if (const auto child = parse_int(word)) open.push_back(*child);
    }
  }
  return use;
}

std::uint64_t disk_use(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code code;  // files come and go while they are counted
  for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, code), end; it != end;
       it.increment(code)) {
    struct stat info{};
    if (::lstat(it->path().c_str(), &info) == 0) bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
    if (code) break;
  }
  return bytes;
}

}  // namespace bowsprit::exec
