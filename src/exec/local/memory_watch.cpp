// SPDX-License-Identifier: Apache-2.0
#include "exec/local/memory_watch.h"

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

}  // namespace bowsprit::exec
