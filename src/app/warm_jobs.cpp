// SPDX-License-Identifier: Apache-2.0
#include "app/warm_jobs.h"

#include <algorithm>

#include "app/run_files.h"

namespace bowsprit::app {

std::optional<std::string> plain_branch(std::string_view expression) {
  if (expression.starts_with('^')) expression.remove_prefix(1);
  if (expression.ends_with('$')) expression.remove_suffix(1);
  // A dot means any character to Prow, but nobody has "linux-6x1" beside "linux-6.1"; escaped it means itself.
  std::string name;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    const bool escaped =
        c == '\\' && i + 1 < expression.size() && (expression[i + 1] == '.' || expression[i + 1] == '-');
    if (escaped) continue;
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '-' || c == '/' || c == '.';
    if (!plain) return std::nullopt;
    name += c;
  }
  if (name.empty()) return std::nullopt;
  return name;
}

std::vector<exec::RunRequest> warm_requests(
    const ServerConfig& config,
    const std::function<std::vector<prow::Presubmit>(const std::string& project)>& jobs_for) {
  std::vector<exec::RunRequest> out;
  std::vector<std::string> projects;
  for (const auto& repo : config.repos)
    if (std::ranges::find(projects, repo.project) == projects.end()) projects.push_back(repo.project);
  for (const auto& project : projects)
    for (const auto& job : jobs_for(project)) {
      if (job.needs_command()) continue;
      std::vector<std::string> branches;
      for (const auto& expression : job.branches)
        if (auto branch = plain_branch(expression)) branches.push_back(*std::move(branch));
      if (job.branches.empty()) branches.emplace_back();
      for (const auto& branch : branches) {
        store::Run run;
        run.gerrit = config.gerrit.url;
        run.project = project;
        run.branch = branch;
        exec::RunRequest request{
            .id = "warm", .prow_job_id = "warm", .job = job, .refs = refs_of(run, job), .artifacts = {}};
        request.refs.pulls.clear();
        out.push_back(std::move(request));
      }
    }
  return out;
}

}  // namespace bowsprit::app
