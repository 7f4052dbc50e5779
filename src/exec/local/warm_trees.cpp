// SPDX-License-Identifier: Apache-2.0
#include "exec/local/warm_trees.h"

#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>

#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "exec/local/source_layer.h"
#include "os/stoppable.h"

namespace bowsprit::exec {
namespace {

constexpr const char* kAbout = "tree.json";
constexpr const char* kUses = "uses.json";
constexpr milliseconds kCopyLimit{30 * 60 * 1000};
constexpr int kLockPause = 200;  // ms between two looks at a lock that another process holds

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

/// Takes a lock, or says that it is taken.
Result<Fd> lock_file(const fs::path& path, int operation) {
  TRY_ASSIGN(Fd fd, Fd::open(path.string(), O_RDWR | O_CREAT, 0600));
  while (::flock(fd.get(), operation | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(ErrorKind::unavailable, "'{}' is in use", path.string());
    if (errno != EINTR) return fail_errno(fmt::format("lock '{}'", path.string()));
  }
  return fd;
}

/// Waits for a lock.
Result<Fd> wait_for_lock(const fs::path& path, int stop_fd) {
  while (true) {
    auto lock = lock_file(path, LOCK_EX);
    if (lock || lock.error().kind != ErrorKind::unavailable) return lock;
    pollfd stop{stop_fd, POLLIN, 0};
    if (::poll(&stop, 1, kLockPause) > 0) return fail(ErrorKind::cancelled, "wait for '{}': stopped", path.string());
  }
}

std::optional<WarmTreeInfo> read_tree(const fs::path& folder) {
  const auto generation = parse_int(folder.filename().string());
  if (!generation) return std::nullopt;
  const auto text = read_file(folder / kAbout);
  const auto json = text ? parse_json(*text) : std::unexpected(text.error());
  if (!json) return std::nullopt;
  return WarmTreeInfo{.key = folder.parent_path().filename().string(),
                      .generation = static_cast<int>(*generation),
                      .repository = json_string(*json, "repository"),
                      .branch = json_string(*json, "branch"),
                      .job = json_string(*json, "job"),
                      .commit = json_string(*json, "commit"),
                      .made = from_unix_millis(json_int(*json, "made_ms")),
                      .seconds = json_double(*json, "seconds"),
                      .exit_code = static_cast<int>(json_int(*json, "exit_code")),
                      .built = json_bool(*json, "built"),
                      .folder = folder};
}

std::string about(const WarmTreeInfo& tree) {
  return dump_json({{"repository", tree.repository},
                    {"branch", tree.branch},
                    {"job", tree.job},
                    {"commit", tree.commit},
                    {"made_ms", unix_millis(tree.made)},
                    {"seconds", tree.seconds},
                    {"exit_code", tree.exit_code},
                    {"built", tree.built}},
                   2) +
         "\n";
}

/// Trees of one key, newest first.
std::vector<WarmTreeInfo> generations(const fs::path& key_folder) {
  std::vector<WarmTreeInfo> out;
  for (const auto& folder : entries(key_folder))
    if (auto tree = read_tree(folder)) out.push_back(std::move(*tree));
  std::ranges::sort(out, std::ranges::greater{}, &WarmTreeInfo::generation);
  return out;
}

/// Adds what a key's uses say to its trees.
void add_uses(const fs::path& key_folder, std::vector<WarmTreeInfo>& trees) {
  const auto text = read_file(key_folder / kUses);
  const auto uses = text ? parse_json(*text) : std::unexpected(text.error());
  for (auto& tree : trees) {
    tree.last_used = tree.made;
    if (!uses || !uses->is_object()) continue;
    tree.hits = json_int(*uses, "hits");
    tree.last_used = std::max(tree.made, from_unix_millis(json_int(*uses, "last_ms")));
  }
}

Result<> copy(std::vector<std::string> how, const fs::path& from, const fs::path& to, int stop_fd) {
  how.insert(how.begin(), {"cp", "--archive"});
  how.insert(how.end(), {"--", (from / ".").string(), to.string()});
  TRY_ASSIGN(const auto copied, run_stoppable({.argv = std::move(how)}, kCopyLimit, stop_fd));
  if (copied.status.ok()) return {};
  return fail(ErrorKind::os, "copy '{}' to '{}': {}: {}", from.string(), to.string(), copied.status.text(),
              shorten(trim(copied.err), 2000));
}

/// Gigabytes take a minute to remove, and who stops the server does not wait for it.
/// @error cancelled  some of it is still there
Result<> remove_until(const fs::path& folder, int stop_fd) {
  const auto removed = run_stoppable({.argv = {"rm", "-rf", "--", folder.string()}}, kCopyLimit, stop_fd);
  if (!removed && removed.error().kind == ErrorKind::cancelled) return std::unexpected(Error(removed.error()));
  return remove_tree(folder);  // what is left is closed to its owner
}

/// What a stop leaves is left to the next `tidy`.
void discard(const fs::path& folder, int stop_fd) {
  if (auto done = remove_until(folder, stop_fd); !done && done.error().kind != ErrorKind::cancelled)
    log_warn("exec", "{}", done.error().text());
}

/// Removes a tree unless somebody holds it.
bool remove_unused(const WarmTreeInfo& tree, int stop_fd) {
  const auto free = lock_file(tree.folder / "lock", LOCK_EX);
  if (!free) return false;
  // Renamed first: whoever looks for a tree finds a whole one or none.
  const auto trash = tree.folder.parent_path() / fmt::format("old-{}", tree.generation);
  if (::rename(tree.folder.c_str(), trash.c_str()) != 0) return false;
  discard(trash, stop_fd);
  return true;
}

}  // namespace

std::string WarmTrees::key(const std::string& repository, const std::string& branch, const std::string& fingerprint) {
  return sha256_hex(repository + '\0' + branch + '\0' + fingerprint).substr(0, 16);
}

std::optional<WarmLease> WarmTrees::hold(WarmTreeInfo tree) {
  auto lock = lock_file(tree.folder / "lock", LOCK_SH);
  std::error_code code;
  if (!lock || !fs::exists(tree.folder / kAbout, code)) return std::nullopt;
  return WarmLease(std::move(tree), std::move(*lock));
}

std::optional<WarmLease> WarmTrees::newest(const std::string& key) const {
  for (auto& tree : generations(folder_ / key))
    if (auto lease = hold(std::move(tree))) return lease;
  return std::nullopt;
}

std::optional<WarmLease> WarmTrees::nearest(
    const std::string& key,
    const std::function<std::optional<std::int64_t>(const std::string& commit)>& distance) const {
  constexpr auto kFarthest = std::numeric_limits<std::int64_t>::max();
  auto trees = generations(folder_ / key);
  if (trees.size() < 2) return newest(key);
  std::vector<std::pair<std::int64_t, WarmTreeInfo*>> order;
  for (auto& tree : trees) order.emplace_back(distance(tree.commit).value_or(kFarthest), &tree);
  std::ranges::stable_sort(order, {}, [](const auto& entry) { return entry.first; });
  for (auto& [steps, tree] : order)
    if (auto lease = hold(std::move(*tree))) return lease;
  return std::nullopt;
}

void WarmTrees::note_use(const std::string& key) const {
  const auto file = folder_ / key / kUses;
  const auto text = read_file(file);
  const auto uses = text ? parse_json(*text) : std::unexpected(text.error());
  const auto hits = uses && uses->is_object() ? json_int(*uses, "hits") : 0;
  // A lost count only makes another tree go first.
  [[maybe_unused]] const auto written =
      write_file(file, dump_json({{"hits", hits + 1}, {"last_ms", unix_millis(SystemClock::now())}}) + "\n");
}

Result<> WarmTrees::lay_out(const WarmTreeInfo& tree, const Git& git) const {
  for (const auto& folder : {tree.source(), tree.build(), tree.base()}) TRY(make_dirs(folder));
  const auto before = newest(tree.key);
  std::optional<WarmLease> another;
  if (!before)
    for (const auto& other : list())
      if (!another && other.repository == tree.repository) another = newest(other.key);
  if (const auto& near = before ? before : another) {
    TRY(copy({"--link"}, near->tree().source(), tree.source(), git.stop_fd()));
    TRY(move_checkout(git, near->tree().commit, tree.commit, tree.source()));
  } else {
    TRY(check_out(git, tree.commit, tree.source()));
  }
  if (before && before->tree().built)
    TRY(copy({"--reflink=auto"}, before->tree().build(), tree.build(), git.stop_fd()));
  return {};
}

Result<WarmLease> WarmTrees::make(WarmTreeInfo wanted, const Mirror& mirror,
                                  const std::function<Result<>(const fs::path&)>& own,
                                  const std::function<Result<WarmBuild>(const WarmTreeInfo&)>& build) const {
  const auto key_folder = folder_ / wanted.key;
  TRY(make_dirs(key_folder));
  TRY_ASSIGN(const Fd maker, wait_for_lock(key_folder / "make.lock", mirror.git().stop_fd()));
  if (auto there = newest(wanted.key); there && there->tree().commit == wanted.commit) return std::move(*there);
  const auto existing = generations(key_folder);
  wanted.generation = existing.empty() ? 1 : existing.front().generation + 1;
  const auto place = key_folder / std::to_string(wanted.generation);
  wanted.folder = key_folder / "new";  // one maker at a time
  TRY(remove_until(wanted.folder, mirror.git().stop_fd()));
  TRY(mirror.pin(wanted.key + "-new", wanted.commit));
  const auto begin = std::chrono::steady_clock::now();
  if (auto laid = lay_out(wanted, mirror.git()); !laid) {
    discard(wanted.folder, mirror.git().stop_fd());
    return std::unexpected(
        std::move(laid).error().with("lay out the warm tree of {} {}", wanted.repository, wanted.branch));
  }
  for (const auto& folder : {wanted.source(), wanted.build()}) TRY(own(folder));
  auto built = build(wanted);
  if (!built) {
    discard(wanted.folder, mirror.git().stop_fd());
    return std::unexpected(
        std::move(built).error().with("build the warm tree of {} {}", wanted.repository, wanted.branch));
  }
  wanted.built = built->ended;
  wanted.exit_code = built->exit_code;
  if (!wanted.built) {  // make was killed at some point; a half-written object would be taken for a whole one
    TRY(remove_tree(wanted.build()));
    TRY(make_dirs(wanted.build()));
    TRY(own(wanted.build()));
  }
  wanted.made = wanted.last_used = SystemClock::now();
  wanted.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  TRY(write_file_atomic(wanted.folder / kAbout, about(wanted)));
  TRY_ASSIGN(Fd lock, lock_file(wanted.folder / "lock", LOCK_SH));
  if (::rename(wanted.folder.c_str(), place.c_str()) != 0)
    return fail_errno(fmt::format("put the new warm tree at '{}'", place.string()));
  wanted.folder = place;
  TRY(mirror.pin(wanted.key, wanted.commit));
  tidy(mirror.git().stop_fd());
  return WarmLease(std::move(wanted), std::move(lock));
}

std::vector<WarmTreeInfo> WarmTrees::list() const {
  std::vector<WarmTreeInfo> out;
  for (const auto& key_folder : entries(folder_)) {
    auto trees = generations(key_folder);
    add_uses(key_folder, trees);
    for (auto& tree : trees) out.push_back(std::move(tree));
  }
  return out;
}

void WarmTrees::tidy(int stop_fd) const {
  for (const auto& key_folder : entries(folder_)) {
    const auto trees = generations(key_folder);
    for (std::size_t i = 1; i < trees.size(); ++i) [[maybe_unused]]
      const bool removed = remove_unused(trees[i], stop_fd);
    const auto maker = lock_file(key_folder / "make.lock", LOCK_EX);
    for (const auto& folder : entries(key_folder)) {
      const auto name = folder.filename().string();
      if (name.starts_with("old-") || (name == "new" && maker)) discard(folder, stop_fd);
    }
  }
}

std::uint64_t WarmTrees::size_of(const WarmTreeInfo& tree) {
  std::uint64_t bytes = 0;
  std::error_code code;  // files come and go while they are counted
  for (fs::recursive_directory_iterator it(tree.folder, fs::directory_options::skip_permission_denied, code), end;
       !code && it != end; it.increment(code)) {
    struct stat info{};
    if (::lstat(it->path().c_str(), &info) == 0)
      bytes += static_cast<std::uint64_t>(info.st_blocks) * 512 / (S_ISDIR(info.st_mode) ? 1 : info.st_nlink);
  }
  return bytes;
}

std::vector<WarmTreeInfo> WarmTrees::keep_within(std::uint64_t bytes, int stop_fd) const {
  auto trees = list();
  std::ranges::stable_sort(trees, {}, &WarmTreeInfo::last_used);
  std::vector<WarmTreeInfo> removed;
  const auto total = [&] {
    std::uint64_t sum = 0;
    for (const auto& tree : trees) sum += size_of(tree);
    return sum;
  };
  // Counted anew after each removal, since what two trees shared is then one's alone.
  for (auto used = total(); used > bytes; used = total()) {
    const auto gone =
        std::ranges::find_if(trees, [&](const WarmTreeInfo& tree) { return remove_unused(tree, stop_fd); });
    if (gone == trees.end()) {
      log_warn("exec", "warm trees hold {} MB, more than the allowed {} MB, and all are in use", used >> 20U,
               bytes >> 20U);
      break;
    }
    removed.push_back(std::move(*gone));
    trees.erase(gone);
  }
  return removed;
}

}  // namespace bowsprit::exec
