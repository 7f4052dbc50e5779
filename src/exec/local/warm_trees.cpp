// SPDX-License-Identifier: Apache-2.0
#include "exec/local/warm_trees.h"

#include <sys/file.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "exec/local/source_layer.h"

namespace bowsprit::exec {
namespace {

constexpr const char* kAbout = "tree.json";
constexpr milliseconds kCopyLimit{30 * 60 * 1000};

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

Result<Fd> lock_file(const fs::path& path, int operation) {
  TRY_ASSIGN(Fd fd, Fd::open(path.string(), O_RDWR | O_CREAT, 0600));
  while (::flock(fd.get(), operation) != 0) {
    if (errno == EWOULDBLOCK) return fail(ErrorKind::unavailable, "'{}' is in use", path.string());
    if (errno != EINTR) return fail_errno(fmt::format("lock '{}'", path.string()));
  }
  return fd;
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

Result<> copy(std::vector<std::string> how, const fs::path& from, const fs::path& to) {
  how.insert(how.begin(), {"cp", "--archive"});
  how.insert(how.end(), {"--", (from / ".").string(), to.string()});
  TRY(run_checked({.argv = std::move(how)}, kCopyLimit));
  return {};
}

}  // namespace

std::string WarmTrees::key(const std::string& repository, const std::string& branch, const std::string& fingerprint) {
  return sha256_hex(repository + '\0' + branch + '\0' + fingerprint).substr(0, 16);
}

std::optional<WarmLease> WarmTrees::newest(const std::string& key) const {
  for (auto& tree : generations(folder_ / key)) {
    auto lock = lock_file(tree.folder / "lock", LOCK_SH | LOCK_NB);
    std::error_code code;
    // Between reading and locking it may have been moved away; then its folder is gone.
    if (lock && fs::exists(tree.folder / kAbout, code)) return WarmLease(std::move(tree), std::move(*lock));
  }
  return std::nullopt;
}

Result<> WarmTrees::lay_out(const WarmTreeInfo& tree, const Git& git) const {
  for (const auto& folder : {tree.source(), tree.build(), tree.base()}) TRY(make_dirs(folder));
  const auto before = newest(tree.key);
  std::optional<WarmLease> near = newest(tree.key);
  for (const auto& other : list())
    if (!near && other.repository == tree.repository) near = newest(other.key);
  if (near) {
    TRY(copy({"--link"}, near->tree().source(), tree.source()));
    TRY(move_checkout(git, near->tree().commit, tree.commit, tree.source()));
  } else {
    TRY(check_out(git, tree.commit, tree.source()));
  }
  if (before && before->tree().built) TRY(copy({"--reflink=auto"}, before->tree().build(), tree.build()));
  return {};
}

Result<WarmLease> WarmTrees::make(WarmTreeInfo wanted, const Mirror& mirror,
                                  const std::function<Result<>(const fs::path&)>& own,
                                  const std::function<Result<WarmBuild>(const WarmTreeInfo&)>& build) const {
  const auto key_folder = folder_ / wanted.key;
  TRY(make_dirs(key_folder));
  TRY_ASSIGN(const Fd maker, lock_file(key_folder / "make.lock", LOCK_EX));
  if (auto there = newest(wanted.key); there && there->tree().commit == wanted.commit) return std::move(*there);
  const auto existing = generations(key_folder);
  wanted.generation = existing.empty() ? 1 : existing.front().generation + 1;
  const auto place = key_folder / std::to_string(wanted.generation);
  wanted.folder = key_folder / "new";  // one maker at a time
  TRY(remove_tree(wanted.folder));
  TRY(mirror.pin(wanted.key + "-new", wanted.commit));
  const auto begin = std::chrono::steady_clock::now();
  if (auto laid = lay_out(wanted, mirror.git()); !laid) {
    [[maybe_unused]] const auto removed = remove_tree(wanted.folder);
    return std::unexpected(
        std::move(laid).error().with("lay out the warm tree of {} {}", wanted.repository, wanted.branch));
  }
  for (const auto& folder : {wanted.source(), wanted.build()}) TRY(own(folder));
  auto built = build(wanted);
  if (!built) {
    [[maybe_unused]] const auto removed = remove_tree(wanted.folder);
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
  wanted.made = SystemClock::now();
  wanted.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  TRY(write_file_atomic(wanted.folder / kAbout, about(wanted)));
  TRY_ASSIGN(Fd lock, lock_file(wanted.folder / "lock", LOCK_SH | LOCK_NB));
  if (::rename(wanted.folder.c_str(), place.c_str()) != 0)
    return fail_errno(fmt::format("put the new warm tree at '{}'", place.string()));
  wanted.folder = place;
  TRY(mirror.pin(wanted.key, wanted.commit));
  tidy();
  return WarmLease(std::move(wanted), std::move(lock));
}

std::vector<WarmTreeInfo> WarmTrees::list() const {
  std::vector<WarmTreeInfo> out;
  for (const auto& key_folder : entries(folder_))
    for (auto& tree : generations(key_folder)) out.push_back(std::move(tree));
  return out;
}

void WarmTrees::tidy() const {
  const auto discard = [](const fs::path& folder) {
    if (auto done = remove_tree(folder); !done) log_warn("exec", "{}", done.error().text());
  };
  for (const auto& key_folder : entries(folder_)) {
    const auto trees = generations(key_folder);
    for (std::size_t i = 1; i < trees.size(); ++i) {
      auto free = lock_file(trees[i].folder / "lock", LOCK_EX | LOCK_NB);
      if (!free) continue;
      // Renamed first: whoever looks for a tree finds a whole one or none.
      const auto trash = key_folder / fmt::format("old-{}", trees[i].generation);
      if (::rename(trees[i].folder.c_str(), trash.c_str()) == 0) discard(trash);
    }
    const auto maker = lock_file(key_folder / "make.lock", LOCK_EX | LOCK_NB);
    for (const auto& folder : entries(key_folder)) {
      const auto name = folder.filename().string();
      if (name.starts_with("old-") || (name == "new" && maker)) discard(folder);
    }
  }
}

}  // namespace bowsprit::exec
