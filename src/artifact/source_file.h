// SPDX-License-Identifier: Apache-2.0
/// A file that is put into a store: a plain file, no symbolic link, of the size that it had when it was opened. Internal
/// to artifact/. Threads: one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "os/fd.h"

namespace bowsprit::artifact {

class SourceFile {
 public:
  /// @error not_found, bad_data (no plain file), os
  static Result<SourceFile> open(const std::filesystem::path& path);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Exactly these bytes. @error bad_data  the file was cut meanwhile
  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::uint64_t length) const;
  /// Of all of it, base64.
  [[nodiscard]] Result<std::string> md5() const;

 private:
  SourceFile(std::string path, Fd fd, std::uint64_t size) : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}
  std::string path_;
  Fd fd_;
  std::uint64_t size_;
};

}  // namespace bowsprit::artifact
