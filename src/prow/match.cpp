// SPDX-License-Identifier: Apache-2.0
#include "prow/match.h"

#include <algorithm>

#include "base/strings.h"
#include "prow/regex.h"

namespace bowsprit::prow {

bool runs_on_branch(const ChangeJob& job, std::string_view branch, std::string* why) {
  const auto matches = [branch](const std::string& pattern) { return regex_matches(pattern, branch); };
  if (const auto skip = std::find_if(job.skip_branches.begin(), job.skip_branches.end(), matches);
      skip != job.skip_branches.end()) {
    if (why != nullptr) *why = fmt::format("branch {} matches skip_branches '{}'", branch, *skip);
    return false;
  }
  if (job.branches.empty() || std::any_of(job.branches.begin(), job.branches.end(), matches)) return true;
  if (why != nullptr) *why = fmt::format("branch {} is not in branches ({})", branch, join(job.branches, ", "));
  return false;
}

bool branches_intersect(const ChangeJob& a, const ChangeJob& b) {
  const auto everywhere = [](const ChangeJob& job) { return job.branches.empty() && job.skip_branches.empty(); };
  if (everywhere(a) || everywhere(b)) return true;
  if (a.branches.empty()) return b.branches.empty() || branches_intersect(b, a);
  if (!b.branches.empty())
    return std::any_of(a.branches.begin(), a.branches.end(), [&b](const std::string& branch) {
      return std::find(b.branches.begin(), b.branches.end(), branch) != b.branches.end();
    });
  return std::any_of(a.branches.begin(), a.branches.end(),
                     [&b](const std::string& branch) { return runs_on_branch(b, branch); });
}

}  // namespace bowsprit::prow
