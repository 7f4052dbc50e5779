// SPDX-License-Identifier: Apache-2.0
/// What a job's source differs by from a kept checkout, written as an overlayfs layer: only the files that changed,
/// new time stamps on them, and a whiteout for what is gone. Laid over the checkout it is the job's source tree, and
/// every unchanged file keeps its time stamp, so that make builds only what the change touches.
///
/// git itself writes the files (checkout-index from an index of just these paths), so modes, symbolic links,
/// end-of-line attributes and git's own refusal of hostile paths are git's.
/// Does not: check out submodules; as in a plain clone they are empty folders.
/// Threads: any.
/// Source: git-diff-tree(1) raw format, kernel Documentation/filesystems/overlayfs.rst "whiteouts".
#pragma once

#include "exec/local/git.h"

namespace bowsprit::exec {

struct TreeChange {
  std::string old_mode;  ///< "000000": added
  std::string mode;      ///< "000000": deleted; "040000" a folder, "160000" a submodule
  std::string object;
  std::string path;

  [[nodiscard]] bool deleted() const { return mode == "000000"; }
  [[nodiscard]] bool is_folder() const { return (deleted() ? old_mode : mode) == "040000"; }
  bool operator==(const TreeChange&) const = default;
};

/// Reads `git diff-tree -r -t -z --raw --no-renames`. @error bad_data  not that format, or a path that could lead out
Result<std::vector<TreeChange>> parse_tree_changes(std::string_view raw);

/// The whiteouts that `changes` need: deleted files, and a deleted folder once instead of what is in it.
std::vector<std::string> whiteouts_of(const std::vector<TreeChange>& changes);

/// Every .gitattributes that may say how one of `changes` is written.
std::vector<std::string> attribute_files_of(const std::vector<TreeChange>& changes);

/// Writes the whole tree of `commit` into the empty folder `to`.
Result<> check_out(const Git& git, const std::string& commit, const fs::path& to);
/// Writes the layer from commit `from` to commit `to` into the empty folder `layer`. Returns the number of changed
/// paths.
Result<std::size_t> write_layer(const Git& git, const std::string& from, const std::string& to, const fs::path& layer);
/// Moves a checkout of `from` to `to` in place, without writing into an existing file: files may be hard links of
/// another checkout.
Result<> move_checkout(const Git& git, const std::string& from, const std::string& to, const fs::path& checkout);

}  // namespace bowsprit::exec
