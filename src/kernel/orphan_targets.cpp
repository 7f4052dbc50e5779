// SPDX-License-Identifier: Apache-2.0
#include "kernel/orphan_targets.h"

#include <algorithm>

#include "base/strings.h"

namespace bowsprit::kernel {
namespace {

/// What a .cmd file says of its source stands below the command, which is a few thousand bytes.
constexpr std::size_t kMaxCommandFile = 4U << 20U;

/// "source_TARGET := FILE"; empty: no compiler made it.
std::string source_in(const std::string& text) {
  std::size_t at = text.starts_with("source_") ? 0 : text.find("\nsource_");
  if (at == std::string::npos) return {};
  at = text.find(":=", at);
  const auto end = text.find('\n', at);
  return at == std::string::npos ? std::string() : std::string(trim(text.substr(at + 2, end - at - 2)));
}

}  // namespace

Result<std::vector<std::string>> remove_orphan_targets(const fs::path& tree, const fs::path& build) {
  std::vector<std::string> removed;
  std::error_code code;
  for (fs::recursive_directory_iterator it(build, code), end; !code && it != end; it.increment(code)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) {
      // make goes into folders of the tree only; other folders here are somebody else's, such as a base's build.
      if (!fs::is_directory(tree / it->path().lexically_relative(build), ignored)) it.disable_recursion_pending();
      continue;
    }
    const auto name = it->path().filename().string();
    if (!name.starts_with('.') || !name.ends_with(".cmd")) continue;
    const auto text = read_file(it->path(), kMaxCommandFile);
    const auto source = text ? source_in(*text) : std::string();
    // A path that is not absolute is below the build folder, and made there.
    if (source.empty() || source.front() != '/' || fs::exists(source, ignored)) continue;
    const auto target = it->path().parent_path() / name.substr(1, name.size() - 5);
    if (!fs::remove(target, code) && code) break;
    if (!fs::remove(it->path(), code) && code) break;
    removed.push_back(target.lexically_relative(build).string());
  }
  if (code) return fail(ErrorKind::os, "{}: {}", build.string(), code.message());
  std::ranges::sort(removed);
  return removed;
}

}  // namespace bowsprit::kernel
