// SPDX-License-Identifier: Apache-2.0
#include "artifact/folder_store.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "artifact/source_file.h"
#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::artifact {
namespace {

constexpr std::size_t kMaxEntries = 100000;  ///< of one folder that are looked at; a job may make any number
constexpr int kMaxDepth = 64;

/// Opens a path below `root` without following any symbolic link on the way or at its end.
Result<Fd> open_beneath(const Fd& root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  while (true) {
    const auto fd = ::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    if (errno == EINTR || errno == EAGAIN) continue;  // EAGAIN: a rename elsewhere raced with the look-up
    // To whoever asks, a link is as absent as a file that is not there.
    if (errno == ELOOP || errno == EXDEV || errno == ENOTDIR) errno = ENOENT;
    return fail_errno(fmt::format("open object '{}'", path));
  }
}

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

/// Names in a folder, those of folders with a final '/', sorted: thus a walk gives full names in order.
Result<std::vector<std::string>> entries_of(Fd folder) {
  std::unique_ptr<DIR, DirCloser> dir(::fdopendir(folder.get()));
  if (!dir) return fail_errno("read folder of objects");
  folder.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir.get())) {
    std::string name = entry->d_name;
    if (name == "." || name == ".." || name.starts_with(kDraftPrefix)) continue;
    struct ::stat info{};
    if (::fstatat(::dirfd(dir.get()), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone meanwhile
    if (S_ISDIR(info.st_mode)) name += '/';
    if (S_ISDIR(info.st_mode) || S_ISREG(info.st_mode)) names.push_back(std::move(name));
    if (names.size() >= kMaxEntries) break;
  }
  std::ranges::sort(names);
  return names;
}

/// Adds the objects below `folder` ("" or "a/b/") whose names start with `prefix`.
Result<> walk(const Fd& root, const std::string& folder, const std::string& prefix, std::size_t limit, int depth,
              std::vector<ObjectInfo>& found) {
  if (depth > kMaxDepth) return {};
  TRY_ASSIGN(Fd fd, open_beneath(root, folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY));
  TRY_ASSIGN(const auto names, entries_of(std::move(fd)));
  for (const auto& entry : names) {
    if (found.size() >= limit) return {};
    const std::string name = folder + entry;
    if (name.ends_with('/')) {
      const bool may_match = name.starts_with(prefix) || prefix.starts_with(name);
      if (!may_match) continue;
      if (auto below = walk(root, name, prefix, limit, depth + 1, found);
          !below && below.error().kind != ErrorKind::not_found && below.error().kind != ErrorKind::denied)
        return below;
    } else if (name.starts_with(prefix)) {
      auto file = open_beneath(root, name, O_PATH);
      struct ::stat info{};
      if (file && ::fstat(file->get(), &info) == 0 && S_ISREG(info.st_mode))
        found.push_back({name, static_cast<std::uint64_t>(info.st_size)});
    }
  }
  return {};
}

std::string folder_of(const std::string& name) {
  const auto slash = name.rfind('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash + 1);
}

std::unexpected<Error> bad_name(const std::string& name) {
  return fail(ErrorKind::bad_data, "'{}' is no name of an object", shorten(printable(name), 200));
}

}  // namespace

Result<FolderStore> FolderStore::open(const std::filesystem::path& root) {
  TRY(make_dirs(root));
  TRY_ASSIGN(Fd fd, Fd::open(root, O_PATH | O_DIRECTORY));
  return FolderStore(root, std::move(fd));
}

Result<Fd> FolderStore::open_below(const std::string& name, int flags) const {
  if (!is_object_name(name)) return bad_name(name);
  TRY_ASSIGN(Fd fd, open_beneath(root_, name, flags));
  struct ::stat info{};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(fmt::format("stat object '{}'", name));
  if (!S_ISREG(info.st_mode)) return fail(ErrorKind::not_found, "open object '{}': it is no file", name);
  return fd;
}

Result<Fd> FolderStore::make_folder_of(const std::string& name) const {
  TRY_ASSIGN(Fd folder, open_beneath(root_, ".", O_RDONLY | O_DIRECTORY));
  auto parts = split(name, '/');
  parts.pop_back();
  for (const auto& part : parts) {
    if (::mkdirat(folder.get(), part.c_str(), 0755) != 0 && errno != EEXIST)
      return fail_errno(fmt::format("create folder '{}' of object '{}'", part, name));
    TRY_ASSIGN(folder, open_beneath(folder, part, O_RDONLY | O_DIRECTORY));
  }
  return folder;
}

/// The temp file of an object that is being written; removed unless it was renamed to its place.
struct FolderStore::Draft {
  const Fd& folder;
  std::string name;
  bool placed = false;

  explicit Draft(const Fd& in) : folder(in) {
    static std::atomic<unsigned> counter{0};
    name = fmt::format("{}{}-{}", kDraftPrefix, ::getpid(), counter.fetch_add(1));
  }
  ~Draft() {
    if (!placed) ::unlinkat(folder.get(), name.c_str(), 0);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
};

Result<> FolderStore::write(const std::string& name, const std::function<Result<>(const Fd&)>& fill) const {
  if (!is_object_name(name)) return bad_name(name);
  Result<> done = write_once(name, fill);
  // remove() may have taken a folder away under our feet, since it was empty.
  for (int attempt = 0; !done && done.error().kind == ErrorKind::not_found && attempt < 3; ++attempt)
    done = write_once(name, fill);
  return done;
}

Result<> FolderStore::write_once(const std::string& name, const std::function<Result<>(const Fd&)>& fill) const {
  TRY_ASSIGN(const Fd folder, make_folder_of(name));
  Draft draft(folder);
  ::unlinkat(folder.get(), draft.name.c_str(), 0);  // of a process that had our id and died
  const Fd file(::openat(folder.get(), draft.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return fail_errno(fmt::format("write object '{}'", name));
  if (auto filled = fill(file); !filled)
    return std::unexpected(std::move(filled).error().with("write object '{}'", name));
  if (::fsync(file.get()) != 0) return fail_errno(fmt::format("sync object '{}'", name));
  const std::string last = name.substr(folder_of(name).size());
  if (::renameat(folder.get(), draft.name.c_str(), folder.get(), last.c_str()) != 0)
    return fail_errno(fmt::format("put object '{}' in its place", name));
  draft.placed = true;
  if (::fsync(folder.get()) != 0) return fail_errno(fmt::format("sync the folder of object '{}'", name));
  return {};
}

Result<> FolderStore::put(const std::string& name, std::string_view bytes, const Attributes& /*attributes*/) {
  return write(name, [bytes](const Fd& to) { return to.write_all(bytes); });
}

Result<> FolderStore::put_file(const std::string& name, const std::filesystem::path& file,
                               const Attributes& /*attributes*/) {
  TRY_ASSIGN(const SourceFile from, SourceFile::open(file));
  return write(name, [&from](const Fd& to) -> Result<> {
    constexpr std::uint64_t kPiece = 1U << 18U;
    for (std::uint64_t at = 0; at < from.size(); at += kPiece) {
      TRY_ASSIGN(const std::string bytes, from.read(at, std::min(kPiece, from.size() - at)));
      TRY(to.write_all(bytes));
    }
    return {};
  });
}

Result<std::string> FolderStore::get(const std::string& name, std::uint64_t offset,
                                     std::optional<std::uint64_t> length) {
  TRY_ASSIGN(const Fd file, open_below(name, O_RDONLY | O_NONBLOCK));
  struct ::stat info{};
  if (::fstat(file.get(), &info) != 0) return fail_errno(fmt::format("stat object '{}'", name));
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (offset >= size) return std::string();
  std::string bytes(static_cast<std::size_t>(std::min(length.value_or(size), size - offset)), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto count = ::pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(fmt::format("read object '{}'", name));
    if (count == 0) break;  // it was cut meanwhile
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

Result<ObjectInfo> FolderStore::stat(const std::string& name) {
  TRY_ASSIGN(const Fd file, open_below(name, O_PATH));
  struct ::stat info{};
  if (::fstat(file.get(), &info) != 0) return fail_errno(fmt::format("stat object '{}'", name));
  return ObjectInfo{name, static_cast<std::uint64_t>(info.st_size)};
}

Result<std::vector<ObjectInfo>> FolderStore::list(const std::string& prefix, std::size_t limit) {
  std::vector<ObjectInfo> found;
  const std::string folder = folder_of(prefix);
  if (!folder.empty() && !is_object_name(folder.substr(0, folder.size() - 1))) return bad_name(prefix);
  if (auto done = walk(root_, folder, prefix, limit, 0, found); !done && done.error().kind != ErrorKind::not_found)
    return std::unexpected(std::move(done).error());
  return found;
}

Result<> FolderStore::remove(const std::string& name) {
  if (!is_object_name(name)) return bad_name(name);
  const std::string parent = folder_of(name);
  auto folder = open_beneath(root_, parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
  if (!folder && folder.error().kind == ErrorKind::not_found) return {};
  if (!folder) return std::unexpected(std::move(folder).error());
  const std::string last = name.substr(parent.size());
  if (::unlinkat(folder->get(), last.c_str(), 0) != 0 && errno != ENOENT)
    return fail_errno(fmt::format("remove object '{}'", name));
  // Folders that became empty go too, or they would pile up for ever.
  for (std::string empty = parent; !empty.empty(); empty = folder_of(empty)) {
    empty.pop_back();
    const std::string above = folder_of(empty);
    const auto in = open_beneath(root_, above.empty() ? "." : above, O_RDONLY | O_DIRECTORY);
    if (!in || ::unlinkat(in->get(), empty.substr(above.size()).c_str(), AT_REMOVEDIR) != 0) break;
  }
  return {};
}

}  // namespace bowsprit::artifact
