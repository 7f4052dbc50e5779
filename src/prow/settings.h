// SPDX-License-Identifier: Apache-2.0
/// The sections of Prow's config.yaml that bowsprit acts on or checks: presets, plank, sinker, gerrit, in_repo_config.
/// Values; the declarations of their fields are in settings.cpp. Threads: values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "prow/decoration.h"

namespace bowsprit::prow {

/// Settings for the Pods of all jobs that have its labels. The lists are Kubernetes' own, kept as JSON.
struct Preset {
  std::map<std::string, std::string> labels;
  Json env;
  Json volumes;
  Json volume_mounts;
  Json tolerations;
  bool operator==(const Preset&) const = default;
};

/// Decoration for the jobs of a repository ("*", "org", "org/repo") and cluster ("" or "*": any).
struct DecorationDefault {
  std::string repo;
  std::string cluster;
  DecorationConfig config;
  bool operator==(const DecorationDefault&) const = default;
};

struct Plank {
  int max_concurrency = 0;
  int max_goroutines = 20;
  std::optional<milliseconds> pod_pending_timeout;
  std::optional<milliseconds> pod_running_timeout;
  std::optional<milliseconds> pod_unscheduled_timeout;
  std::optional<int> max_revivals;
  std::map<std::string, DecorationConfig> default_decoration_configs;
  std::vector<DecorationDefault> default_decoration_config_entries;
  std::map<std::string, int> job_queue_capacities;  ///< 0 blocks, below 0 has no limit
  std::map<std::string, std::string> job_url_prefix_config;
  std::string job_url_template;
  bool operator==(const Plank&) const = default;
};

struct Sinker {
  std::optional<milliseconds> resync_period;
  std::optional<milliseconds> max_prowjob_age;
  std::optional<milliseconds> max_pod_age;
  std::optional<milliseconds> terminated_pod_ttl;
  std::vector<std::string> exclude_clusters;
  bool operator==(const Sinker&) const = default;
};

struct GerritFilters {
  std::vector<std::string> branches;
  std::vector<std::string> excluded_branches;
  bool opt_in_by_default = false;
  bool operator==(const GerritFilters&) const = default;
};
struct GerritRepos {
  std::string org;  ///< "https://host"
  std::vector<std::string> repos;
  bool opt_out_help = false;
  std::optional<GerritFilters> filters;
  bool operator==(const GerritRepos&) const = default;
};
struct GerritSettings {
  std::optional<milliseconds> tick_interval;
  int ratelimit = 5;
  std::string deck_url;
  std::vector<GerritRepos> org_repos_config;
  std::string allowed_presubmit_trigger_re;
  bool operator==(const GerritSettings&) const = default;
};

struct InRepoConfig {
  std::map<std::string, bool> enabled;
  std::map<std::string, std::vector<std::string>> allowed_clusters;
  bool operator==(const InRepoConfig&) const = default;
};

struct Settings {
  std::vector<Preset> presets;
  bool decorate_all_jobs = false;
  Plank plank;
  Sinker sinker;
  GerritSettings gerrit;
  InRepoConfig in_repo_config;

  [[nodiscard]] bool has_decoration_defaults() const {
    return !plank.default_decoration_configs.empty() || !plank.default_decoration_config_entries.empty();
  }
  /// The defaults for a repository, later and more special entries over earlier ones.
  [[nodiscard]] DecorationConfig decoration_for(std::string_view repo, std::string_view cluster) const;
};

}  // namespace bowsprit::prow
