// SPDX-License-Identifier: Apache-2.0
/// The jobs in force: Prow's files as last loaded without errors, and their reload when a file changes.
///
/// A broken edit is logged with every problem by place, once per edit, and the last good table stays. Does not: reload the server's own
/// bowsprit.yaml; that takes a restart. Threads: any.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/server_config.h"
#include "prow/config.h"

namespace bowsprit::app {

/// What the configuration in force says of a project's changes.
struct ProjectJobs {
  std::vector<prow::Presubmit> presubmits;
  std::vector<prow::Postsubmit> postsubmits;
  std::string allowed_trigger;  ///< gerrit.allowed_presubmit_trigger_re
  bool help = true;             ///< false: gerrit.org_repos_config says opt_out_help
};

/// A periodic, and the repository of this server that is its source: the first of its extra_refs.
struct PeriodicHere {
  prow::Periodic job;
  std::string project;
  std::string branch;
  std::string why_not;  ///< not empty: it does not run here, as it names no repository of this server
};
/// Also the ones that do not run here. A large configuration has periodics of many repositories, whose other ones run elsewhere.
std::vector<PeriodicHere> periodics_here(const prow::Config& config, const ServerConfig& server);

class JobTable {
 public:
  /// @error bad_config  the files have errors now, at the start: there is no last good table yet
  static Result<std::unique_ptr<JobTable>> load(ServerConfig config);

  /// Jobs of a project; the default job where no Prow files are configured.
  [[nodiscard]] std::vector<prow::Presubmit> jobs_for(const std::string& project) const;

  [[nodiscard]] ProjectJobs project_jobs(const std::string& project) const;
  /// Those that run here; never null.
  [[nodiscard]] std::shared_ptr<const std::vector<PeriodicHere>> periodics() const;
  /// Prow's sections of settings; the defaults where no Prow files are configured. Never null.
  [[nodiscard]] std::shared_ptr<const prow::Settings> settings() const;

  /// Loads again if any file changed since the last look; true if the table in force is a new one.
  bool reload_if_changed();

 private:
  explicit JobTable(ServerConfig config) : config_(std::move(config)) {}
  /// Names, sizes and times of all files: differs after every edit.
  [[nodiscard]] std::string fingerprint() const;
  [[nodiscard]] std::shared_ptr<const prow::Config> table() const;
  void take(std::shared_ptr<const prow::Config> loaded);

  ServerConfig config_;
  mutable std::mutex mutex_;
  std::shared_ptr<const prow::Config> table_;
  std::shared_ptr<const std::vector<PeriodicHere>> periodics_ = std::make_shared<const std::vector<PeriodicHere>>();
  std::string seen_;
};

}  // namespace bowsprit::app
