// SPDX-License-Identifier: Apache-2.0
#include "exec/local/source_layer.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <set>

#include "base/strings.h"

namespace bowsprit::exec {
namespace {

bool safe_path(std::string_view path) {
  for (const auto& part : split(path, '/'))
    if (part.empty() || part == "." || part == ".." || part == ".git") return false;
  return true;
}

/// Checks `changes` out of the tree of `commit` into `to`. Existing files in the way are unlinked first, never written
/// into.
Result<> write_changed(const Git& git, const std::string& commit, const std::vector<TreeChange>& changes,
                       const fs::path& to) {
  std::string entries;
  std::string paths;
  for (const auto& change : changes) {
    if (change.deleted() || change.is_folder()) continue;
    entries += fmt::format("{} {} 0\t{}", change.mode, change.object, change.path);
    entries.push_back('\0');
    paths += change.path;
    paths.push_back('\0');
  }
  if (entries.empty()) return {};
  TRY_ASSIGN(const auto scratch, TempDir::create("bowsprit-index"));
  const Environment env{{"GIT_INDEX_FILE", (scratch.path() / "index").string()}, {"GIT_WORK_TREE", to.string()}};
  // ls-tree prints "mode type object<TAB>path", which update-index reads as it is.
  auto attribute_files = attribute_files_of(changes);
  attribute_files.insert(attribute_files.begin(), {"ls-tree", "-z", "--full-tree", commit, "--"});
  TRY_ASSIGN(const auto attributes, git.checked(std::move(attribute_files)));
  TRY(git.checked({"update-index", "-z", "--index-info"}, env, attributes + entries));
  TRY(git.checked({"checkout-index", "--force", "-z", "--stdin"}, env, paths));
  return {};
}

Result<std::vector<TreeChange>> changes_between(const Git& git, const std::string& from, const std::string& to) {
  if (from == to) return std::vector<TreeChange>{};
  TRY_ASSIGN(const auto raw, git.checked({"diff-tree", "-r", "-t", "-z", "--raw", "--no-renames", from, to}));
  return parse_tree_changes(raw);
}

}  // namespace

Result<std::vector<TreeChange>> parse_tree_changes(std::string_view raw) {
  std::vector<TreeChange> changes;
  while (!raw.empty()) {
    const auto end_of_meta = raw.find('\0');
    const auto end_of_path = end_of_meta == std::string_view::npos ? end_of_meta : raw.find('\0', end_of_meta + 1);
    if (end_of_path == std::string_view::npos)
      return fail(ErrorKind::bad_data, "git diff-tree: the last entry is cut short");
    const auto meta = split(raw.substr(0, end_of_meta), ' ');
    const auto path = raw.substr(end_of_meta + 1, end_of_path - end_of_meta - 1);
    if (meta.size() != 5 || !meta[0].starts_with(':') || meta[0].size() != 7 || meta[1].size() != 6 ||
        !is_object_id(meta[3]))
      return fail(ErrorKind::bad_data, "git diff-tree: unknown entry '{}'", raw.substr(0, end_of_meta));
    if (!safe_path(path))
      return fail_by(Blame::change, ErrorKind::bad_data, "the change has the path '{}', which is not allowed",
                     printable(path));
    changes.push_back({meta[0].substr(1), meta[1], meta[3], std::string(path)});
    raw.remove_prefix(end_of_path + 1);
  }
  return changes;
}

std::vector<std::string> whiteouts_of(const std::vector<TreeChange>& changes) {
  std::set<std::string, std::less<>> present;  // paths that exist after the change, of whatever kind
  std::set<std::string, std::less<>> hiding;   // paths under which nothing of the lower tree is seen any more
  for (const auto& change : changes) {
    if (change.deleted()) continue;
    present.insert(change.path);
    if (!change.is_folder()) hiding.insert(change.path);
  }
  for (const auto& change : changes)
    if (change.deleted() && change.is_folder() && !present.contains(change.path)) hiding.insert(change.path);
  const auto hidden = [&](std::string_view path) {
    for (auto slash = path.rfind('/'); slash != std::string_view::npos; slash = path.rfind('/')) {
      path = path.substr(0, slash);
      if (hiding.contains(path)) return true;
    }
    return false;
  };
  std::vector<std::string> out;
  for (const auto& change : changes)
    if (change.deleted() && !present.contains(change.path) && !hidden(change.path)) out.push_back(change.path);
  return out;
}

std::vector<std::string> attribute_files_of(const std::vector<TreeChange>& changes) {
  std::set<std::string> files{".gitattributes"};
  for (const auto& change : changes)
    for (auto slash = change.path.rfind('/'); slash != std::string::npos && slash != 0;
         slash = change.path.rfind('/', slash - 1))
      files.insert(change.path.substr(0, slash) + "/.gitattributes");
  return {files.begin(), files.end()};
}

Result<> check_out(const Git& git, const std::string& commit, const fs::path& to) {
  TRY_ASSIGN(const auto scratch, TempDir::create("bowsprit-index"));
  const Environment env{{"GIT_INDEX_FILE", (scratch.path() / "index").string()}, {"GIT_WORK_TREE", to.string()}};
  TRY(git.checked({"read-tree", commit}, env));
  TRY(git.checked({"checkout-index", "--force", "--all"}, env));
  return {};
}

Result<std::size_t> write_layer(const Git& git, const std::string& from, const std::string& to, const fs::path& layer) {
  TRY_ASSIGN(const auto changes, changes_between(git, from, to));
  TRY(write_changed(git, to, changes, layer));
  for (const auto& path : whiteouts_of(changes)) {
    const auto target = layer / path;
    TRY(make_dirs(target.parent_path()));
    if (::mknod(target.c_str(), S_IFCHR, makedev(0, 0)) != 0)
      return fail_errno(fmt::format("mark '{}' as deleted", target.string()));
  }
  return changes.size();
}

Result<> move_checkout(const Git& git, const std::string& from, const std::string& to, const fs::path& checkout) {
  TRY_ASSIGN(const auto changes, changes_between(git, from, to));
  // What goes or changes is unlinked first: git then makes new files, and another checkout's hard links keep the old
  // content. Only paths of the old tree are touched, so no symbolic link of the new one is followed.
  for (const auto& change : changes)
    if (change.old_mode != "000000" && (change.deleted() || !change.is_folder()))
      TRY(remove_tree(checkout / change.path));
  TRY(write_changed(git, to, changes, checkout));
  return {};
}

}  // namespace bowsprit::exec
