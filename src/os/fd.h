// SPDX-License-Identifier: Apache-2.0
/// File descriptors and pipes as owned values. Always close-on-exec.
/// Does not: buffer. Threads: one owner at a time.
#pragma once

#include <fcntl.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace bowsprit {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  static Result<Fd> open(const std::string& path, int flags = O_RDONLY, mode_t mode = 0644);

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }
  void reset();
  int release() { return std::exchange(fd_, -1); }

  /// Reads up to `size` bytes, again after EINTR; 0 is the end. For a non-blocking fd with nothing to read:
  /// unavailable.
  Result<std::size_t> read(char* buffer, std::size_t size) const;
  /// Writes all of it, again after EINTR and short writes.
  Result<> write_all(std::string_view bytes) const;

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd reader;
  Fd writer;
  static Result<Pipe> create();
};

}  // namespace bowsprit
