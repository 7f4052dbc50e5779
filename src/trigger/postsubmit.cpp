// SPDX-License-Identifier: Apache-2.0
#include "trigger/postsubmit.h"

#include "prow/match.h"
#include "trigger/changed_files.h"

namespace bowsprit::trigger {
namespace {

constexpr const char* kMerged = "merged";

Decision decide_one(const prow::Postsubmit& job, const gerrit::Change& change, const std::vector<std::string>& files) {
  Decision out{.job = job.name, .cause = kMerged};
  if (!prow::runs_on_branch(job, change.branch, &out.reason)) return out;
  if (!job.run_if_changed.empty() || !job.skip_if_only_changed.empty()) {
    const auto matched = changed_files_say(job, files, out.reason);
    if (!matched) return out;
    out.reason = fmt::format("merged, {}", *matched);
  } else if (!job.always_run.value_or(true)) {
    out.reason = "always_run is false";
    return out;
  } else {
    out.reason = "merged";
  }
  out.run = true;
  out.trigger_key = kMerged;
  return out;
}

}  // namespace

std::vector<Decision> decide_postsubmits(const gerrit::Change& change, const std::vector<prow::Postsubmit>& jobs) {
  const auto files = changed_paths(change);
  std::vector<Decision> out;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    out.push_back(decide_one(jobs[i], change, files));
    out.back().index = i;
  }
  return out;
}

}  // namespace bowsprit::trigger
