// SPDX-License-Identifier: Apache-2.0
#include "exec/local/mirror.h"

#include <sys/file.h>

#include "base/log.h"
#include "base/strings.h"

namespace bowsprit::exec {
namespace {

constexpr milliseconds kFetchLimit{60 * 60 * 1000};  // the first fetch of a kernel's history is gigabytes

/// A branch's place in the mirror. Hashed, since "a" and "a/b" may follow each other upstream and would collide as
/// files.
std::string branch_ref(const std::string& branch) { return "refs/bowsprit/branch/" + sha256_hex(branch).substr(0, 24); }

/// A change's place: the name is there only after a complete fetch, while objects alone may be the half of a killed
/// one.
std::string change_ref(const std::string& sha) { return "refs/bowsprit/change/" + sha; }

std::string merge_message(const std::string& branch, const std::string& sha) {
  // git leaves "into main" and "into master" out (merge.suppressDest's default).
  const bool unnamed = branch == "main" || branch == "master";
  return fmt::format("Merge commit '{}'{}\n", sha, unnamed ? "" : fmt::format(" into {}", branch));
}

}  // namespace

Result<std::unique_ptr<Mirror>> Mirror::open(const fs::path& folder, std::string url, GitCredentials credentials,
                                             int stop_fd) {
  std::unique_ptr<Mirror> mirror(new Mirror(folder, std::move(url), std::move(credentials), stop_fd));
  std::error_code code;
  if (!fs::exists(folder / "HEAD", code)) {
    TRY(make_dirs(folder));
    TRY(mirror->git_.checked({"init", "--quiet", "--bare", "--initial-branch=unused", "--template="}));
  }
  TRY(mirror->forget_old_changes());
  return mirror;
}

Result<> Mirror::fetch(const std::vector<std::string>& refspecs) {
  const std::scoped_lock lock(fetching_);
  TRY_ASSIGN(const Fd guard, Fd::open((git_.repository() / "bowsprit.lock").string(), O_RDWR | O_CREAT, 0600));
  while (::flock(guard.get(), LOCK_EX) != 0)
    if (errno != EINTR) return fail_errno(fmt::format("lock the mirror '{}'", git_.repository().string()));
  return git_.fetch(url_, refspecs, credentials_, kFetchLimit);
}

std::string Mirror::resolve(const std::string& name) const {
  const auto output = git_.run({"rev-parse", "--quiet", "--verify", "--end-of-options", name + "^{commit}"});
  return output && output->status.ok() ? std::string(trim(output->out)) : std::string();
}

Result<std::string> Mirror::head_branch() const {
  TRY_ASSIGN(const auto answer, git_.remote_head(url_, credentials_));
  constexpr std::string_view kSymbolic = "ref: refs/heads/";
  for (const auto& line : split_lines(answer))
    if (const auto tab = line.find('\t'); line.starts_with(kSymbolic) && tab != std::string::npos)
      return line.substr(kSymbolic.size(), tab - kSymbolic.size());
  return fail(ErrorKind::not_found, "HEAD of '{}' names no branch", url_);
}

Result<std::string> Mirror::fetch_branch(const std::string& branch) {
  if (!safe_ref(branch)) return fail(ErrorKind::bad_data, "branch '{}' is not a name that git allows", branch);
  TRY(fetch({fmt::format("+refs/heads/{}:{}", branch, branch_ref(branch))}));
  const auto tip = resolve(branch_ref(branch));
  if (tip.empty()) return fail(ErrorKind::not_found, "branch '{}' of '{}' is not a commit", branch, url_);
  return tip;
}

Result<MergedSource> Mirror::merge(const prow::Refs& refs) {
  if (!safe_ref(refs.base_ref))
    return fail(ErrorKind::bad_data, "branch '{}' is not a name that git allows", refs.base_ref);
  if (!refs.base_sha.empty() && !is_object_id(refs.base_sha))
    return fail(ErrorKind::bad_data, "base commit '{}' is not an object id", refs.base_sha);
  std::vector<std::string> refspecs;
  for (const auto& pull : refs.pulls) {
    if (!is_object_id(pull.sha))
      return fail(ErrorKind::bad_data, "change {}: '{}' is not an object id", pull.number, pull.sha);
    if (!pull.ref.empty() && !safe_ref(pull.ref))
      return fail(ErrorKind::bad_data, "change {}: '{}' is not a ref", pull.number, pull.ref);
    if (resolve(change_ref(pull.sha)) != pull.sha)
      refspecs.push_back(fmt::format("+{}:{}", pull.ref.empty() ? pull.sha : pull.ref, change_ref(pull.sha)));
  }
  const std::string branch = branch_ref(refs.base_ref);
  const bool branch_is_current = !refs.base_sha.empty() && resolve(branch) == refs.base_sha;
  if (!branch_is_current) refspecs.push_back(fmt::format("+refs/heads/{}:{}", refs.base_ref, branch));
  if (!refspecs.empty()) TRY(fetch(refspecs));
  for (const auto& pull : refs.pulls)
    if (resolve(change_ref(pull.sha)) != pull.sha)
      return fail(ErrorKind::not_found, "change {}: {} of '{}' is not {}", pull.number, pull.ref, url_, pull.sha);

  MergedSource source{.base_sha = refs.base_sha};
  if (source.base_sha.empty()) source.base_sha = resolve(branch);
  if (resolve(source.base_sha).empty()) TRY(fetch({source.base_sha}));  // a commit that the branch no longer holds

  TRY_ASSIGN(const auto time_text, git_.checked({"show", "-s", "--format=%ct", source.base_sha}));
  auto time = parse_int(trim(time_text)).value_or(0);
  source.merged_sha = source.base_sha;
  for (const auto& pull : refs.pulls) {
    TRY(merge_one(refs.base_ref, pull, ++time, source));
    if (!source.conflicts.empty()) break;
  }
  return source;
}

Result<> Mirror::merge_one(const std::string& branch, const prow::Pull& pull, std::int64_t time,
                           MergedSource& into) const {
  TRY_ASSIGN(const auto base, git_.run({"merge-base", into.merged_sha, pull.sha}));
  if (base.status.code == 1 && trim(base.out).empty())
    return fail_by(Blame::change, ErrorKind::conflict, "change {} has no history in common with branch '{}'",
                   pull.number, branch);
  if (!base.status.ok()) return fail(ErrorKind::os, "git merge-base: {}", trim(base.err));
  if (trim(base.out) == pull.sha) return {};  // already in the branch

  TRY_ASSIGN(const auto merged,
             git_.run({"merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", into.merged_sha, pull.sha}));
  auto fields = split(merged.out, '\0');
  std::erase(fields, "");
  if ((merged.status.code != 0 && merged.status.code != 1) || fields.empty())
    return fail(ErrorKind::os, "git merge-tree of {} and {}: {}: {}", into.merged_sha, pull.sha, merged.status.text(),
                trim(merged.err));
  if (merged.status.code == 1) {
    into.merged_sha.clear();
    into.conflicts.assign(fields.begin() + 1, fields.end());
    std::ranges::sort(into.conflicts);
    const auto repeated = std::ranges::unique(into.conflicts);
    into.conflicts.erase(repeated.begin(), repeated.end());
    if (into.conflicts.empty()) into.conflicts.emplace_back("(git names no file)");
    return {};
  }
  const std::string date = fmt::format("@{} +0000", time);
  const Environment identity{{"GIT_AUTHOR_NAME", "ci-robot"},    {"GIT_AUTHOR_EMAIL", "ci-robot@k8s.io"},
                             {"GIT_COMMITTER_NAME", "ci-robot"}, {"GIT_COMMITTER_EMAIL", "ci-robot@k8s.io"},
                             {"GIT_AUTHOR_DATE", date},          {"GIT_COMMITTER_DATE", date}};
  TRY_ASSIGN(const auto commit, git_.checked({"commit-tree", "-p", into.merged_sha, "-p", pull.sha, fields[0]},
                                             identity, merge_message(branch, pull.sha)));
  into.merged_sha = trim(commit);
  return {};
}

Result<> Mirror::pin(const std::string& name, const std::string& commit) const {
  const std::string ref = "refs/bowsprit/warm/" + name;
  if (!safe_ref(ref)) return fail(ErrorKind::bug, "'{}' can't name a commit", name);
  if (commit.empty()) {
    TRY(git_.checked({"update-ref", "-d", ref}));
  } else {
    TRY(git_.checked({"update-ref", ref, commit}));
  }
  return {};
}

Result<> Mirror::forget_old_changes() {
  // A change of long ago is fetched again if it is ever needed.
  TRY_ASSIGN(const auto refs,
             git_.checked({"for-each-ref", "--format=%(committerdate:unix) %(refname)", "refs/bowsprit/change/"}));
  const auto oldest = unix_seconds(SystemClock::now()) - 30 * 24 * 3600;
  std::string stale;
  for (const auto& line : split_lines(refs)) {
    const auto space = line.find(' ');
    if (space == std::string::npos || parse_int(line.substr(0, space)).value_or(oldest) >= oldest) continue;
    stale += fmt::format("delete {}\n", line.substr(space + 1));
  }
  if (!stale.empty()) TRY(git_.checked({"update-ref", "--stdin"}, {}, stale));
  return {};
}

}  // namespace bowsprit::exec
