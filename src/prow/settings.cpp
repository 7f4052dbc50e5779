// SPDX-License-Identifier: Apache-2.0
#include "prow/settings.h"

#include <algorithm>

#include "base/strings.h"
#include "prow/job_fields.h"
#include "prow/regex.h"
#include "prow/settings_fields.h"

namespace bowsprit::prow {

using yaml::Cursor;
using yaml::Fields;

namespace {

void check_url(const Cursor& cursor, const std::string& url) {
  if (!url.starts_with("https://") && !url.starts_with("http://"))
    cursor.expected("a URL that begins with https:// or http://");
}

void check_regex(const Cursor& cursor, const std::string& pattern) {
  if (const auto error = regex_error(pattern)) cursor.expected(fmt::format("a regular expression ({})", *error));
}

void check_durations(const Cursor& cursor, const std::optional<milliseconds>& value) {
  if (value && value->count() < 0) cursor.expected("a duration of 0 or more");
}

/// "https://x-review.googlesource.com/y" -> "x.googlesource.com/y": Google's hosts have a second name for reviews.
std::string code_repo(std::string_view repo) {
  if (const auto scheme = repo.find("://"); scheme != std::string_view::npos) repo.remove_prefix(scheme + 3);
  std::string out(repo);
  constexpr std::string_view kSuffix = "-review";
  if (const auto dot = out.find('.'); dot != std::string::npos && out.substr(0, dot).ends_with(kSuffix))
    out.erase(dot - kSuffix.size(), kSuffix.size());
  return out;
}

/// Prow's rule for entries of defaults.
bool entry_fits(const DecorationDefault& entry, std::string_view repo, std::string_view cluster) {
  if (!entry.cluster.empty() && entry.cluster != "*" && entry.cluster != cluster) return false;
  if (entry.repo.empty() || entry.repo == "*" || entry.repo == repo) return true;
  const std::string code = code_repo(repo);
  return entry.repo == code || entry.repo == code.substr(0, code.find('/'));
}

/// The map form as entries: "*" first, then orgs, then repositories.
std::vector<DecorationDefault> entries_of(const Plank& plank) {
  if (plank.default_decoration_configs.empty()) return plank.default_decoration_config_entries;
  std::vector<DecorationDefault> entries;
  for (const auto& [repo, config] : plank.default_decoration_configs) entries.push_back({repo, "", config});
  const auto rank = [](const DecorationDefault& entry) {
    return entry.repo == "*" ? 0 : entry.repo.find('/') == std::string::npos ? 1 : 2;
  };
  std::ranges::stable_sort(entries, {}, rank);
  return entries;
}

}  // namespace

DecorationConfig Settings::decoration_for(std::string_view repo, std::string_view cluster) const {
  DecorationConfig merged;
  for (DecorationDefault& entry : entries_of(plank)) {
    if (!entry_fits(entry, repo, cluster)) continue;
    apply_defaults(entry.config, merged);
    merged = std::move(entry.config);
  }
  return merged;
}

const Fields<Preset>& fields_of(const Preset*) {
  static const auto fields = Fields<Preset>()
                                 .field("labels", &Preset::labels)
                                 .field("env", &Preset::env)
                                 .field("volumes", &Preset::volumes)
                                 .field("volumeMounts", &Preset::volume_mounts)
                                 .field("tolerations", &Preset::tolerations);
  return fields;
}

const Fields<DecorationDefault>& fields_of(const DecorationDefault*) {
  static const auto fields = Fields<DecorationDefault>()
                                 .field("repo", &DecorationDefault::repo)
                                 .field("cluster", &DecorationDefault::cluster)
                                 .required("config", &DecorationDefault::config);
  return fields;
}

const Fields<Plank>& fields_of(const Plank*) {
  static const auto fields = Fields<Plank>()
                                 .field("max_concurrency", &Plank::max_concurrency, yaml::at_least(0))
                                 .field("max_goroutines", &Plank::max_goroutines, yaml::at_least(1))
                                 .field("pod_pending_timeout", &Plank::pod_pending_timeout, check_durations)
                                 .field("pod_running_timeout", &Plank::pod_running_timeout, check_durations)
                                 .field("pod_unscheduled_timeout", &Plank::pod_unscheduled_timeout, check_durations)
                                 .field("max_revivals", &Plank::max_revivals)
                                 .field("default_decoration_configs", &Plank::default_decoration_configs)
                                 .field("default_decoration_config_entries", &Plank::default_decoration_config_entries)
                                 .field("job_queue_capacities", &Plank::job_queue_capacities)
                                 .field("job_url_prefix_config", &Plank::job_url_prefix_config)
                                 .field("job_url_template", &Plank::job_url_template)
                                 .accepted({"report_template", "report_templates"}, "they are for GitHub comments")
                                 .accepted({"jobURLPrefixDisableAppendStorageProvider", "build_cluster_status_file"},
                                           "they are for Deck and several build clusters");
  return fields;
}

const Fields<Sinker>& fields_of(const Sinker*) {
  static const auto fields = Fields<Sinker>()
                                 .field("resync_period", &Sinker::resync_period, check_durations)
                                 .field("max_prowjob_age", &Sinker::max_prowjob_age, check_durations)
                                 .field("max_pod_age", &Sinker::max_pod_age, check_durations)
                                 .field("terminated_pod_ttl", &Sinker::terminated_pod_ttl, check_durations)
                                 .field("exclude_clusters", &Sinker::exclude_clusters);
  return fields;
}

const Fields<GerritFilters>& fields_of(const GerritFilters*) {
  static const auto fields = Fields<GerritFilters>()
                                 .field("branches", &GerritFilters::branches)
                                 .field("excluded_branches", &GerritFilters::excluded_branches)
                                 .field("opt_in_by_default", &GerritFilters::opt_in_by_default);
  return fields;
}

const Fields<GerritRepos>& fields_of(const GerritRepos*) {
  static const auto fields = Fields<GerritRepos>()
                                 .required("org", &GerritRepos::org, check_url)
                                 .field("repos", &GerritRepos::repos)
                                 .field("opt_out_help", &GerritRepos::opt_out_help)
                                 .field("filters", &GerritRepos::filters);
  return fields;
}

const Fields<GerritSettings>& fields_of(const GerritSettings*) {
  static const auto fields =
      Fields<GerritSettings>()
          .field("tick_interval", &GerritSettings::tick_interval, check_durations)
          .field("ratelimit", &GerritSettings::ratelimit, yaml::at_least(0))
          .field("deck_url", &GerritSettings::deck_url, check_url)
          .field("org_repos_config", &GerritSettings::org_repos_config)
          .field("allowed_presubmit_trigger_re", &GerritSettings::allowed_presubmit_trigger_re, check_regex);
  return fields;
}

const Fields<InRepoConfig>& fields_of(const InRepoConfig*) {
  static const auto fields = Fields<InRepoConfig>()
                                 .field("enabled", &InRepoConfig::enabled)
                                 .field("allowed_clusters", &InRepoConfig::allowed_clusters);
  return fields;
}

void finish(const Cursor& cursor, const Plank& plank) {
  if (!plank.default_decoration_configs.empty() && !plank.default_decoration_config_entries.empty())
    cursor.find("default_decoration_config_entries")
        ->error("default_decoration_configs and default_decoration_config_entries exclude each other");
}

void finish(const Cursor& cursor, const GerritSettings& gerrit) {
  // Every message is looked at anyway; the pattern only ever narrowed what Prow looks at.
  if (const auto allowed = cursor.find("allowed_presubmit_trigger_re");
      allowed && !gerrit.allowed_presubmit_trigger_re.empty())
    allowed->warning("unused-field", "accepted, not used: all messages are read");
}

}  // namespace bowsprit::prow
