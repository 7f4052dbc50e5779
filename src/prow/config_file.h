// SPDX-License-Identifier: Apache-2.0
/// One file of Prow's configuration, and the checks between files. Inside prow/ only; others use config.h.
#pragma once

#include <utility>

#include "prow/config.h"
#include "yaml/fields.h"

namespace bowsprit::prow {

/// What one file holds. Files are read in parallel, so it knows nothing of the others.
struct ConfigFile {
  template <class Job>
  using ByRepo = std::vector<std::pair<std::string, Loaded<Job>>>;  ///< the repository as written

  ByRepo<Presubmit> presubmits;
  ByRepo<Postsubmit> postsubmits;
  std::vector<LoadedPeriodic> periodics;
  Settings settings;
  std::vector<std::pair<std::string, SourceMark>> sections;  ///< that may be in one file only: "plank"
  yaml::Problems problems;
  std::shared_ptr<const yaml::Tree> tree;
};

ConfigFile read_config_file(const std::filesystem::path& path);
ConfigFile read_config_text(std::string file, std::string_view text);

/// The files that the paths stand for, in order.
std::vector<std::filesystem::path> list_config_files(const std::vector<std::filesystem::path>& paths,
                                                     yaml::Problems& problems);

/// Reports what concerns more than one job or file: names, contexts, presets, queues, decoration.
void check_between_jobs(const Config& config, yaml::Problems& problems);

}  // namespace bowsprit::prow
