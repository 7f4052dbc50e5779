// SPDX-License-Identifier: Apache-2.0
/// One kept bare mirror per repository, and the merge of a change into its branch made in it, without any work tree.
///
/// The merge commit is the one that Prow's clonerefs makes, down to its id: identity ci-robot, dates = commit time of
/// the base plus 1 s per pull, message of `git merge --no-ff SHA` on the branch (kubernetes-sigs/prow,
/// pkg/pod-utils/clone/clone.go). A change that the branch already contains gives the branch itself, as `git merge`
/// says "Already up to date". Fetched are exactly the branch and the change; nothing where both are already here.
/// Old objects go by git's own background maintenance, which fetch starts.
/// Does not: fetch submodules.
/// Threads: any; one fetch at a time per repository, also against other processes (flock).
#pragma once

#include <mutex>

#include "exec/local/git.h"
#include "prow/job.h"

namespace bowsprit::exec {

struct MergedSource {
  std::string base_sha;                ///< the branch's tip that was used
  std::string merged_sha;              ///< = base_sha where the change was already in it
  std::vector<std::string> conflicts;  ///< not empty: no merged_sha
};

class Mirror {
 public:
  /// Opens the mirror in `folder`, making it where it is absent. `stop_fd`: as in git.h.
  static Result<std::unique_ptr<Mirror>> open(const fs::path& folder, std::string url, GitCredentials credentials,
                                              int stop_fd = -1);

  /// The branch that the server's HEAD names, asked now: "master".
  Result<std::string> head_branch() const;
  /// The tip of a branch, fetched now.
  Result<std::string> fetch_branch(const std::string& branch);
  /// Fetches and merges. @error not_found  the branch or change is not on the server; conflict (blame change)  no
  /// common history
  Result<MergedSource> merge(const prow::Refs& refs);
  /// Names `commit` so that it stays while a warm tree is made of it; an empty commit removes the name.
  Result<> pin(const std::string& name, const std::string& commit) const;

  [[nodiscard]] const Git& git() const { return git_; }
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  Mirror(const fs::path& folder, std::string url, GitCredentials credentials, int stop_fd)
      : git_(folder, stop_fd), url_(std::move(url)), credentials_(std::move(credentials)) {}
  Result<> forget_old_changes();
  Result<> fetch(const std::vector<std::string>& refspecs);
  [[nodiscard]] std::string resolve(const std::string& name) const;  ///< commit id; empty where there is none
  Result<> merge_one(const std::string& branch, const prow::Pull& pull, std::int64_t time, MergedSource& into) const;

  Git git_;
  std::string url_;
  GitCredentials credentials_;
  std::mutex fetching_;
};

}  // namespace bowsprit::exec
