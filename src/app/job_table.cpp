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

Result<std::unique_ptr<JobTable>> JobTable::load(ServerConfig config) {
  std::unique_ptr<JobTable> table(new JobTable(std::move(config)));
  if (table->config_.prow.empty()) return table;
  table->seen_ = table->fingerprint();
  auto loaded = std::make_shared<prow::Config>(prow::load_config(table->config_.prow));
  for (const auto& problem : loaded->problems) log_warn("config", "{}", problem.line());
  if (!loaded->usable()) return std::unexpected(yaml::to_error(loaded->problems));
  table->table_ = std::move(loaded);
  return table;
}

std::vector<prow::Presubmit> JobTable::jobs_for(const std::string& project) const {
  if (config_.prow.empty()) return {default_job(config_.gerrit.url, project)};
  std::shared_ptr<const prow::Config> table;
  {
    const std::lock_guard lock(mutex_);
    table = table_;
  }
  return prow::jobs_for(*table, config_.mappings(), config_.gerrit.url, project);
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
  const std::lock_guard lock(mutex_);
  table_ = std::move(loaded);
  log_info("config", "the edited jobs are in force");
  return true;
}

}  // namespace bowsprit::app
