// SPDX-License-Identifier: Apache-2.0
#include "os/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/log.h"
#include "os/fd.h"

namespace bowsprit {

Result<std::string> read_file(const fs::path& path, std::size_t limit) {
  TRY_ASSIGN(const Fd fd, Fd::open(path));
  std::string text;
  std::size_t used = 0;
  while (true) {
    text.resize(used + 65536);
    auto count = fd.read(text.data() + used, 65536);
    if (!count) return std::unexpected(std::move(count).error().with("read '{}'", path.string()));
    used += *count;
    if (*count == 0) break;
    if (used > limit) return fail(ErrorKind::bad_data, "read '{}': larger than {} bytes", path.string(), limit);
  }
  text.resize(used);
  return text;
}

Result<> write_file(const fs::path& path, std::string_view text, mode_t mode) {
  TRY_ASSIGN(const Fd fd, Fd::open(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  if (auto done = fd.write_all(text); !done)
    return std::unexpected(std::move(done).error().with("write '{}'", path.string()));
  return {};
}

Result<> write_file_atomic(const fs::path& path, std::string_view text, mode_t mode) {
  const fs::path temp = fmt::format("{}.tmp{}", path.string(), ::getpid());
  {
    TRY_ASSIGN(const Fd fd, Fd::open(temp, O_WRONLY | O_CREAT | O_TRUNC, mode));
    if (auto done = fd.write_all(text); !done)
      return std::unexpected(std::move(done).error().with("write '{}'", temp.string()));
    if (::fsync(fd.get()) != 0) return fail_errno(fmt::format("fsync '{}'", temp.string()));
  }
  if (::rename(temp.c_str(), path.c_str()) != 0)
    return fail_errno(fmt::format("rename '{}' to '{}'", temp.string(), path.string()));
  return {};
}

Result<> make_dirs(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return fail(ErrorKind::os, "create folder '{}': {}", path.string(), code.message());
  return {};
}

Result<> remove_tree(const fs::path& path) {
  std::error_code code;
  fs::remove_all(path, code);
  if (!code) return {};
  // A read-only folder in the way (overlayfs leaves work/ as 0000): open all folders up, then once more.
  std::error_code walk;
  if (const auto status = fs::symlink_status(path, walk); fs::is_directory(status)) ::chmod(path.c_str(), 0700);
  for (fs::recursive_directory_iterator it(path, walk), end; !walk && it != end; it.increment(walk)) {
    std::error_code ignored;
    if (it->symlink_status(ignored).type() == fs::file_type::directory) ::chmod(it->path().c_str(), 0700);
  }
  fs::remove_all(path, code);
  if (code) return fail(ErrorKind::os, "remove '{}': {}", path.string(), code.message());
  return {};
}

Result<TempDir> TempDir::create(std::string_view prefix, const fs::path& parent) {
  const char* tmpdir = std::getenv("TMPDIR");
  const fs::path base = !parent.empty() ? parent : fs::path(tmpdir != nullptr && *tmpdir != 0 ? tmpdir : "/tmp");
  std::string name = (base / fmt::format("{}.XXXXXX", prefix)).string();
  if (::mkdtemp(name.data()) == nullptr) return fail_errno(fmt::format("create folder '{}'", name));
  return TempDir(name);
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  if (auto done = remove_tree(path_); !done) log_warn("os", "{}", done.error().text());
}

}  // namespace bowsprit
