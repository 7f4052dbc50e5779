// SPDX-License-Identifier: Apache-2.0
/// Whole files and folders: read, write so that readers see the old or the new text and never half of it, remove.
/// Does not: follow a path that code under test controls safely; for that use the sandbox.
/// Threads: any.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace bowsprit {

namespace fs = std::filesystem;

/// @error bad_data  larger than `limit` bytes
Result<std::string> read_file(const fs::path& path, std::size_t limit = 64U << 20U);
/// Writes `path` in place (created or truncated).
Result<> write_file(const fs::path& path, std::string_view text, mode_t mode = 0644);
/// Temp file beside it, fsync, rename: whole or absent, also after a crash.
Result<> write_file_atomic(const fs::path& path, std::string_view text, mode_t mode = 0644);
Result<> make_dirs(const fs::path& path);
/// Removes a tree; making folders writable on the way, as `make` and tests leave read-only ones. Absent is fine.
Result<> remove_tree(const fs::path& path);

/// A folder of our own under $TMPDIR (or `parent`), removed with all that is in it.
class TempDir {
 public:
  static Result<TempDir> create(std::string_view prefix, const fs::path& parent = {});
  TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDir& operator=(TempDir&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TempDir();
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  explicit TempDir(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

}  // namespace bowsprit
