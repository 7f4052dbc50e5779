// SPDX-License-Identifier: Apache-2.0
#include "os/fd.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace bowsprit {

void Fd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<Fd> Fd::open(const std::string& path, int flags, mode_t mode) {
  while (true) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) return Fd(fd);
    if (errno != EINTR) return fail_errno(fmt::format("open '{}'", path));
  }
}

Result<std::size_t> Fd::read(char* buffer, std::size_t size) const {
  while (true) {
    const auto count = ::read(fd_, buffer, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN) return fail(ErrorKind::unavailable, "read: nothing there yet");
    if (errno != EINTR) return fail_errno("read");
  }
}

Result<> Fd::write_all(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto count = ::write(fd_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return fail_errno("write");
    }
  }
  return {};
}

Result<Pipe> Pipe::create() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("create pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace bowsprit
