// SPDX-License-Identifier: Apache-2.0
/// Warm trees on disk: a checkout of a branch tip, the build folder that the job made of it, and what the job said of
/// it.
///
///   FOLDER/KEY/GENERATION/source  pristine checkout; hard links of other trees' files, so it is never written again
///                        /build   made by the job itself on merged code, in the sandbox of every job
///                        /base    the job's artifacts on the base
///                        /tree.json, /lock
///             /uses.json how often jobs took it, and when last
///
/// A tree is made beside the others and takes its place by one rename: it is there whole or not at all, and a failed
/// refresh leaves the old one. A lease (shared flock on `lock`) keeps a tree from being removed, also by another
/// process, and ends with its process. Jobs see trees read-only, as lower layers of an overlay.
/// Keys: repository, branch, and a fingerprint of the job's command, environment, paths and tools, so also of the
/// architecture and the kunitconfigs that the command names. Not in the key: commit and .config, since make finds by
/// itself what they change.
/// Does not: decide when to make or refresh (warm_keeper.h, local_executor.h), or run jobs.
/// Threads: any.
#pragma once

#include <functional>

#include "base/clock.h"
#include "exec/local/mirror.h"

namespace bowsprit::exec {

struct WarmTreeInfo {
  std::string key;
  int generation = 0;
  std::string repository;
  std::string branch;
  std::string job;
  std::string commit;
  SystemTime made;
  double seconds = 0;
  int exit_code = 0;   ///< of the job on the base
  bool built = false;  ///< false: the job did not come to its end, the build folder is empty
  fs::path folder;
  std::int64_t hits = 0;  ///< jobs that took a tree of this key
  SystemTime last_used;   ///< the last such time, or when the tree was made

  [[nodiscard]] fs::path source() const { return folder / "source"; }
  [[nodiscard]] fs::path build() const { return folder / "build"; }
  [[nodiscard]] fs::path base() const { return folder / "base"; }
};

/// A tree that stays on disk while this lives.
class WarmLease {
 public:
  [[nodiscard]] const WarmTreeInfo& tree() const { return tree_; }

 private:
  friend class WarmTrees;
  WarmLease(WarmTreeInfo tree, Fd lock) : tree_(std::move(tree)), lock_(std::move(lock)) {}
  WarmTreeInfo tree_;
  Fd lock_;
};

/// What the job made of a new tree.
struct WarmBuild {
  bool ended = false;  ///< by itself
  int exit_code = 0;
};

class WarmTrees {
 public:
  explicit WarmTrees(fs::path folder) : folder_(std::move(folder)) {}

  static std::string key(const std::string& repository, const std::string& branch, const std::string& fingerprint);

  /// The newest tree of a key, held.
  [[nodiscard]] std::optional<WarmLease> newest(const std::string& key) const;
  /// The tree of a key whose commit has the smallest distance, held; the newer one where two have the same. nullopt of
  /// `distance`: farther than any. It is asked for only where there is a choice.
  [[nodiscard]] std::optional<WarmLease> nearest(
      const std::string& key,
      const std::function<std::optional<std::int64_t>(const std::string& commit)>& distance) const;
  /// Counts a job that took a tree of this key. One caller at a time per key.
  void note_use(const std::string& key) const;

  /// Makes the next generation of `wanted` (key, repository, branch, job and commit are given): its source from the
  /// nearest tree there is, its build folder from the one before; then `build` runs the job on it; then it is the
  /// newest. One maker per key at a time, others wait. Where meanwhile a tree of that commit came about, that one is
  /// given. `own` gives a folder to the job's user. Ends at once when the mirror's stop descriptor becomes readable;
  /// what was half made then goes with the next `tidy`.
  Result<WarmLease> make(WarmTreeInfo wanted, const Mirror& mirror, const std::function<Result<>(const fs::path&)>& own,
                         const std::function<Result<WarmBuild>(const WarmTreeInfo&)>& build) const;

  [[nodiscard]] std::vector<WarmTreeInfo> list() const;  ///< by key, newest first
  /// Removes what no job can get any more: older generations, half-made and half-removed ones. Leaves what is in use. Gigabytes take a
  /// minute; a readable `stop_fd` (-1: none) ends it at once, and the next one goes on.
  void tidy(int stop_fd = -1) const;
  /// Bytes on disk of one tree. A file that trees share counts in equal parts in each.
  static std::uint64_t size_of(const WarmTreeInfo& tree);
  /// Removes trees until all together have at most `bytes`, those first that were not used for longest; never one in
  /// use. Gives the removed ones. `stop_fd` as of `tidy`.
  std::vector<WarmTreeInfo> keep_within(std::uint64_t bytes, int stop_fd = -1) const;

 private:
  /// nullopt where it was moved away since it was read.
  static std::optional<WarmLease> hold(WarmTreeInfo tree);
  Result<> lay_out(const WarmTreeInfo& tree, const Git& git) const;

  fs::path folder_;
};

}  // namespace bowsprit::exec
