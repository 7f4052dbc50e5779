// SPDX-License-Identifier: Apache-2.0
#include "exec/local/artifact_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "base/strings.h"
#include "os/fd.h"

namespace bowsprit::exec {
namespace {

using Reader = std::unique_ptr<archive, decltype(&::archive_read_free)>;
using Writer = std::unique_ptr<archive, decltype(&::archive_write_free)>;
using Entry = std::unique_ptr<archive_entry, decltype(&::archive_entry_free)>;

constexpr std::size_t kBuffer = 256U << 10U;

std::unexpected<Error> archive_error(std::string_view what, archive* from) {
  const char* text = ::archive_error_string(from);
  return fail(ErrorKind::bad_data, "{}: {}", what, text != nullptr ? text : "unknown error");
}

/// Plain relative names, which mean the same to every later reader (a shell, a URL, a page).
bool safe_name(std::string_view name) {
  if (name.empty() || name.size() > 1000) return false;
  for (const char c : name)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '\\') return false;
  const auto parts = split(name, '/');
  return parts.size() <= 32 && std::ranges::none_of(parts, [](const auto& part) {
           return part.empty() || part == "." || part == ".." || part.size() > 200;
         });
}

/// Opens below `folder`, following nothing that could lead out.
Fd open_beneath(int folder, const std::string& name, std::uint64_t flags, std::uint64_t mode) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how)));
}

/// Makes the folders of `name` below `root`, all but the last part; the folder that holds it, or none.
Fd open_parent(int root, const std::string& name) {
  Fd at(::dup(root));
  const auto parts = split(name, '/');
  for (std::size_t i = 0; at && i + 1 < parts.size(); ++i) {
    ::mkdirat(at.get(), parts[i].c_str(), 0755);
    at = open_beneath(at.get(), parts[i], O_DIRECTORY | O_RDONLY, 0);
  }
  return at;
}

struct Feed {
  const ByteSource& source;
  std::array<char, kBuffer> buffer;
  std::optional<Error> error;
};

la_ssize_t feed_archive(archive* reader, void* context, const void** bytes) {
  auto& feed = *static_cast<Feed*>(context);
  *bytes = feed.buffer.data();
  auto count = feed.source(feed.buffer.data(), feed.buffer.size());
  if (count) return static_cast<la_ssize_t>(*count);
  feed.error = std::move(count).error();
  ::archive_set_error(reader, EIO, "the stream broke off");
  return -1;
}

Result<> add_file(archive* writer, const fs::path& path, const std::string& name) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat info{};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  const Entry entry(::archive_entry_new(), &::archive_entry_free);
  ::archive_entry_set_pathname(entry.get(), name.c_str());
  ::archive_entry_set_filetype(entry.get(), AE_IFREG);
  ::archive_entry_set_perm(entry.get(), 0644);
  ::archive_entry_set_size(entry.get(), info.st_size);
  if (::archive_write_header(writer, entry.get()) != ARCHIVE_OK) return archive_error("send artifacts", writer);
  std::vector<char> buffer(kBuffer);
  auto left = static_cast<std::uint64_t>(info.st_size);
  while (left > 0) {
    TRY_ASSIGN(const auto count, fd.read(buffer.data(), std::min<std::uint64_t>(buffer.size(), left)));
    if (count == 0) break;  // nothing runs any more, so it can't have shrunk; libarchive pads
    if (::archive_write_data(writer, buffer.data(), count) < 0) return archive_error("send artifacts", writer);
    left -= count;
  }
  return {};
}

}  // namespace

Result<> send_artifacts(const fs::path& folder, int fd) {
  const Writer writer(::archive_write_new(), &::archive_write_free);
  ::archive_write_set_format_pax_restricted(writer.get());
  ::archive_write_set_bytes_per_block(writer.get(), static_cast<int>(kBuffer));
  ::archive_write_set_bytes_in_last_block(writer.get(), 1);
  if (::archive_write_open_fd(writer.get(), fd) != ARCHIVE_OK) return archive_error("send artifacts", writer.get());
  std::error_code code;
  for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, code), end;
       !code && it != end; it.increment(code)) {
    std::error_code ignored;
    if (it->symlink_status(ignored).type() != fs::file_type::regular) continue;
    TRY(add_file(writer.get(), it->path(), it->path().lexically_relative(folder).string()));
  }
  if (::archive_write_close(writer.get()) != ARCHIVE_OK) return archive_error("send artifacts", writer.get());
  return {};
}

Result<ArtifactCounts> receive_artifacts(const ByteSource& source, const fs::path& folder,
                                         const ArtifactLimits& limits) {
  TRY_ASSIGN(const Fd root, Fd::open(folder.string(), O_DIRECTORY | O_RDONLY));
  const auto feed = std::make_unique<Feed>(source);
  const Reader reader(::archive_read_new(), &::archive_read_free);
  ::archive_read_support_format_tar(reader.get());
  const auto broken = [&](std::string_view what) -> std::unexpected<Error> {
    if (feed->error) return std::unexpected(std::move(*feed->error));
    return archive_error(what, reader.get());
  };
  if (::archive_read_open(reader.get(), feed.get(), nullptr, &feed_archive, nullptr) != ARCHIVE_OK)
    return broken("receive artifacts");
  ArtifactCounts counts;
  const auto leave_out = [&](std::string_view name, std::string_view why) {
    if (counts.left_out.size() < 20)
      counts.left_out.push_back(fmt::format("{}: {}", printable(shorten(name, 200)), why));
  };
  std::size_t entries = 0;
  while (true) {
    archive_entry* entry = nullptr;
    const int status = ::archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return broken("receive artifacts");
    const char* raw = ::archive_entry_pathname(entry);
    const std::string name = raw != nullptr ? raw : "";
    if (++entries > limits.files) {
      leave_out(name, fmt::format("more than {} files", limits.files));
      break;
    }
    if (::archive_entry_filetype(entry) != AE_IFREG || ::archive_entry_hardlink(entry) != nullptr) {
      if (::archive_entry_filetype(entry) != AE_IFDIR) leave_out(name, "not a regular file");
      continue;
    }
    if (!safe_name(name)) {
      leave_out(name, "its name is not allowed");
      continue;
    }
    const Fd parent = open_parent(root.get(), name);
    const Fd file =
        parent ? open_beneath(parent.get(), name.substr(name.rfind('/') + 1), O_WRONLY | O_CREAT | O_EXCL, 0644) : Fd();
    if (!file) {
      leave_out(name, "it could not be created");
      continue;
    }
    ++counts.files;
    while (true) {
      const void* bytes = nullptr;
      std::size_t size = 0;
      la_int64_t offset =
          0;  // sparse entries are read as if they had no holes: a hole must cost bytes, or a job could claim exabytes
      const int block = ::archive_read_data_block(reader.get(), &bytes, &size, &offset);
      if (block == ARCHIVE_EOF) break;
      if (block != ARCHIVE_OK && block != ARCHIVE_WARN) return broken("receive artifacts");
      if (counts.bytes + size > limits.bytes) {
        leave_out(name, fmt::format("artifacts are larger than {} bytes; cut here", limits.bytes));
        return counts;
      }
      TRY(file.write_all({static_cast<const char*>(bytes), size}));
      counts.bytes += size;
    }
  }
  return counts;
}

}  // namespace bowsprit::exec
