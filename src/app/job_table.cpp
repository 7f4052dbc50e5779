// SPDX-License-Identifier: Apache-2.0
#include "app/job_table.h"

#include <algorithm>

#include "base/log.h"
#include "os/files.h"

namespace bowsprit::app {
namespace {

void stat_line(const fs::path& path, std::vector<std::string>& lines) {
  std::error_code code;
  const auto size = fs::file_size(path, code);
  const auto time = fs::last_write_time(path, code);
  lines.push_back(fmt::format("{} {} {}", path.string(), code ? 0 : size, code ? 0 : time.time_since_epoch().count()));
}

}  // namespace

std::string JobTable::fingerprint() const {
  std::vector<std::string> lines;
  for (const auto& path : config_.prow) {
    std::error_code code;
    if (!fs::is_directory(path, code)) stat_line(path, lines);
    for (fs::recursive_directory_iterator it(path, code), end; !code && it != end; it.increment(code))
      if (it->is_regular_file(code)) stat_line(it->path(), lines);
  }
  std::ranges::sort(lines);
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

std::vector<PeriodicHere> periodics_here(const prow::Config& config, const ServerConfig& server) {
  std::map<std::string, std::string> projects;  // repository's key -> project
  for (const auto& repo : server.repos) projects[prow::repo_key(server.gerrit.url + "/" + repo.project)] = repo.project;
  for (const auto& mapping : server.mappings()) projects[prow::repo_key(mapping.prow)] = mapping.project;
  std::vector<PeriodicHere> out;
  for (auto& job : prow::periodics(config)) {
    PeriodicHere here;
    if (job.extra_refs.empty()) {
      here.why_not = "it has no extra_refs, so no source";
    } else {
      const prow::Refs& source = job.extra_refs.front();
      const auto found = projects.find(prow::repo_key(source.org + "/" + source.repo));
      if (found == projects.end()) {
        here.why_not = fmt::format("{}/{} is no repository of this server", source.org, source.repo);
      } else {
        here.project = found->second;
        here.branch = source.base_ref;
        if (here.branch.empty()) here.why_not = "its extra_refs name no base_ref";
      }
    }
    here.job = std::move(job);
    out.push_back(std::move(here));
  }
  return out;
}

std::shared_ptr<const prow::Config> JobTable::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

void JobTable::take(std::shared_ptr<const prow::Config> loaded) {
  auto here = periodics_here(*loaded, config_);
  std::erase_if(here, [](const PeriodicHere& periodic) {
    if (!periodic.why_not.empty()) log_debug("config", "periodic {}: {}", periodic.job.name, periodic.why_not);
    return !periodic.why_not.empty();
  });
  const std::lock_guard lock(mutex_);
  table_ = std::move(loaded);
  periodics_ = std::make_shared<const std::vector<PeriodicHere>>(std::move(here));
}

std::shared_ptr<const std::vector<PeriodicHere>> JobTable::periodics() const {
  const std::lock_guard lock(mutex_);
  return periodics_;
}

std::shared_ptr<const prow::Settings> JobTable::settings() const {
  if (auto now = table()) return {now, &now->settings};
  return std::make_shared<const prow::Settings>();
}

ProjectJobs JobTable::project_jobs(const std::string& project) const {
  const auto now = table();
  if (!now) return {.presubmits = {default_job(config_.gerrit.url, project)}, .postsubmits = {}, .allowed_trigger = {}};
  const auto mappings = config_.mappings();
  ProjectJobs out{.presubmits = prow::jobs_for(*now, mappings, config_.gerrit.url, project),
                  .postsubmits = prow::postsubmits_for(*now, mappings, config_.gerrit.url, project),
                  .allowed_trigger = now->settings.gerrit.allowed_presubmit_trigger_re};
  for (const auto& repos : now->settings.gerrit.org_repos_config) {
    if (!repos.opt_out_help) continue;
    for (const auto& repo : repos.repos) {
      const std::string key = prow::repo_key(repos.org + "/" + repo);
      if (key == prow::repo_key(config_.gerrit.url + "/" + project)) out.help = false;
      for (const auto& mapping : mappings)
        if (mapping.project == project && key == prow::repo_key(mapping.prow)) out.help = false;
    }
  }
  return out;
}

Result<std::unique_ptr<JobTable>> JobTable::load(ServerConfig config) {
  std::unique_ptr<JobTable> table(new JobTable(std::move(config)));
  if (table->config_.prow.empty()) return table;
  table->seen_ = table->fingerprint();
  auto loaded = std::make_shared<prow::Config>(prow::load_config(table->config_.prow));
  for (const auto& problem : loaded->problems) log_warn("config", "{}", problem.line());
  if (!loaded->usable()) return std::unexpected(yaml::to_error(loaded->problems));
  table->take(std::move(loaded));
  return table;
}

std::vector<prow::Presubmit> JobTable::jobs_for(const std::string& project) const {
  return project_jobs(project).presubmits;
}

bool JobTable::reload_if_changed() {
  if (config_.prow.empty()) return false;
  std::string now = fingerprint();
  if (now == seen_) return false;
  seen_ = std::move(now);
  auto loaded = std::make_shared<prow::Config>(prow::load_config(config_.prow));
  for (const auto& problem : loaded->problems) log_warn("config", "{}", problem.line());
  if (!loaded->usable()) {
    log_error("config", "the edited jobs have errors; the last good ones stay in force");
    return false;
  }
  take(std::move(loaded));
  log_info("config", "the edited jobs are in force");
  return true;
}

}  // namespace bowsprit::app
