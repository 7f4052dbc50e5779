// SPDX-License-Identifier: Apache-2.0
#include "artifact/source_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/signature.h"

namespace bowsprit::artifact {

Result<SourceFile> SourceFile::open(const std::filesystem::path& path) {
  TRY_ASSIGN(Fd fd, Fd::open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct ::stat info{};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(fmt::format("stat '{}'", path.string()));
  if (!S_ISREG(info.st_mode)) return fail(ErrorKind::bad_data, "store '{}': it is no plain file", path.string());
  return SourceFile(path.string(), std::move(fd), static_cast<std::uint64_t>(info.st_size));
}

Result<std::string> SourceFile::read(std::uint64_t offset, std::uint64_t length) const {
  std::string bytes(static_cast<std::size_t>(length), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto count = ::pread(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(fmt::format("read '{}'", path_));
    if (count == 0) return fail(ErrorKind::bad_data, "read '{}': it was cut while it was stored", path_);
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

Result<std::string> SourceFile::md5() const {
  constexpr std::uint64_t kPiece = 1U << 20U;
  Md5 hash;
  for (std::uint64_t at = 0; at < size_; at += kPiece) {
    TRY_ASSIGN(const std::string bytes, read(at, std::min(kPiece, size_ - at)));
    hash.add(bytes);
  }
  return hash.finish();
}

}  // namespace bowsprit::artifact
