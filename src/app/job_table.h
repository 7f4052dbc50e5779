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

class JobTable {
 public:
  /// @error bad_config  the files have errors now, at the start: there is no last good table yet
  static Result<std::unique_ptr<JobTable>> load(ServerConfig config);

  /// Jobs of a project; the default job where no Prow files are configured.
  [[nodiscard]] std::vector<prow::Presubmit> jobs_for(const std::string& project) const;

  /// Loads again if any file changed since the last look; true if the table in force is a new one.
  bool reload_if_changed();

 private:
  explicit JobTable(ServerConfig config) : config_(std::move(config)) {}
  /// Names, sizes and times of all files: differs after every edit.
  [[nodiscard]] std::string fingerprint() const;

  ServerConfig config_;
  mutable std::mutex mutex_;
  std::shared_ptr<const prow::Config> table_;
  std::string seen_;
};

}  // namespace bowsprit::app
