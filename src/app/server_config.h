// SPDX-License-Identifier: Apache-2.0
/// The server's own configuration: bowsprit.yaml, or what `serve --gerrit URL --repo NAME` fills in.
///
///     gerrit:
///       url: https://gerrit.example
///       user: kunit
///       password_file: /etc/bowsprit/password     # HTTP password; or cookie_file; neither: anonymous, which cannot
///       vote stream_events: {host: gerrit.example, user: kunit, key_file: /etc/bowsprit/id_ed25519, known_hosts:
///       /etc/bowsprit/known_hosts}
///     label: Verified
///     repos:
///     - project: linux                            # jobs of https://kunit-review.googlesource.com/linux run for it
///       prow: https://kunit-review.googlesource.com/linux
///     prow: [jobs/]                               # Prow's config.yaml, job files, folders; none: the default job
///     executor: {local: {jobs: 2, memory: 4Gi, disk: 20Gi, pids: 4096, work: /var/lib/bowsprit/work}}
///     state: /var/lib/bowsprit
///     artifacts: {store: s3://bucket/prefix, endpoint: https://s3.example, credentials_file: s3.json}
///     web: {listen: 127.0.0.1:8090, public_url: https://kunit.example}
///     triggers: {who: group, group: kunit-users, trusted: [maintainer]}
///     timeouts: {scheduling: 24h, pending: 1h, running: 8h}
///     keep: {runs: 2160h}
///
/// Paths are relative to the file's folder. Secrets are only named here, by their files.
/// Does not: read Prow's files (prow/config.h), open or connect to anything.
/// Threads: values.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "prow/config.h"
#include "trigger/policy.h"
#include "yaml/fields.h"

namespace bowsprit::app {

struct StreamEventsConfig {
  std::string host;
  int port = 29418;
  std::string user;                   ///< default: that of gerrit
  std::filesystem::path key_file;     ///< empty: what the ssh program finds itself
  std::filesystem::path known_hosts;  ///< empty: likewise
  bool operator==(const StreamEventsConfig&) const = default;
};

struct GerritConfig {
  std::string url;   ///< without a final slash
  std::string user;  ///< with password_file: HTTP basic
  std::filesystem::path password_file;
  std::filesystem::path cookie_file;   ///< Netscape format, as git's http.cookieFile
  milliseconds poll_interval{10'000};  ///< the poll is the truth; stream_events only wakes it
  std::optional<StreamEventsConfig> stream_events;
  bool operator==(const GerritConfig&) const = default;
};

struct RepoConfig {
  std::string project;
  std::string prow;    ///< the repository's name in Prow's files; empty: URL/project
  std::string gerrit;  ///< may be given for clarity; then it is the server's own Gerrit
  bool operator==(const RepoConfig&) const = default;
};

struct LocalExecutorConfig {
  int jobs = 1;                     ///< at once
  yaml::Bytes memory{4ULL << 30U};  ///< of one job
  yaml::Bytes disk{20ULL << 30U};   ///< what one job may write
  int pids = 4096;
  yaml::Bytes warm_disk{40ULL << 30U};  ///< what all warm trees may hold together
  std::filesystem::path work;           ///< mirrors, warm trees, sandboxes; empty: STATE/work
  std::string rootfs = "host";          ///< "host", or the folder of an unpacked OCI image
  std::map<std::string, std::filesystem::path>
      images;  ///< image of a job's container -> root filesystem; others get `rootfs`
  bool operator==(const LocalExecutorConfig&) const = default;
};
struct ExecutorConfig {
  LocalExecutorConfig local;
  bool operator==(const ExecutorConfig&) const = default;
};

/// Where the files of runs go; docs/stores.md.
struct ArtifactsConfig {
  std::string store;  ///< s3://BUCKET[/PREFIX], gs://BUCKET[/PREFIX], file:///FOLDER; empty: STATE/artifacts
  std::filesystem::path credentials_file;
  std::string endpoint;
  std::string region;
  std::optional<bool> path_style;
  std::filesystem::path ca_file;
  std::optional<milliseconds> signed_urls;  ///< how long the URLs hold to which downloads are sent; unset: no such URLs
  yaml::Bytes cache{1ULL << 30U};           ///< of files that stay on this machine beside a bucket
  bool operator==(const ArtifactsConfig&) const = default;
};

struct WebConfig {
  std::string listen = "127.0.0.1:8090";
  std::string public_url;            ///< of links in reports; empty: http://LISTEN
  bool feeds = false;                ///< Atom for each job
  std::filesystem::path token_file;  ///< who has this token may rerun and abort; empty: nobody
  bool operator==(const WebConfig&) const = default;
};

/// Who may start jobs (trigger/policy.h).
struct TriggersConfig {
  std::string who = "anyone";        ///< "anyone", "owner", "group"
  std::string group;                 ///< Gerrit group, by name or UUID, whose members are trusted
  std::vector<std::string> trusted;  ///< accounts: user names, e-mail addresses or ids
  bool operator==(const TriggersConfig&) const = default;
};

/// How long a run may stay where it is (sched/deadline.h); 0: no limit.
struct TimeoutsConfig {
  milliseconds scheduling{0};
  std::optional<milliseconds> pending;  ///< default: plank.pod_pending_timeout, else 2 h
  std::optional<milliseconds> running;  ///< default: plank.pod_running_timeout, else 48 h
  bool operator==(const TimeoutsConfig&) const = default;
};

/// What is cleaned up after what age; unset: kept for ever.
struct KeepConfig {
  std::optional<milliseconds> runs;  ///< rows of ended runs; default: sinker.max_prowjob_age, where that is set
  bool operator==(const KeepConfig&) const = default;
};

struct ServerConfig {
  GerritConfig gerrit;
  std::string label = "Verified";  ///< votes of jobs without a gerrit-report-label; "": none
  std::vector<RepoConfig> repos;
  std::vector<std::filesystem::path> prow;  ///< empty: default_job() for every repository
  ExecutorConfig executor;
  std::filesystem::path state = "bowsprit-state";
  ArtifactsConfig artifacts;
  WebConfig web;
  int history_days = 365;  ///< results of single tests are kept so long
  TriggersConfig triggers;
  TimeoutsConfig timeouts;
  KeepConfig keep;
  std::filesystem::path default_kunitconfig;  ///< for trees without a kunitconfig; empty: such a tree is a config_error

  [[nodiscard]] std::vector<prow::RepoMapping> mappings() const;
  [[nodiscard]] trigger::Who who() const {
    return trigger::who_from_string(triggers.who).value_or(trigger::Who::group);
  }
  [[nodiscard]] bool has_project(std::string_view project) const;
};

struct LoadedServerConfig {
  ServerConfig config;
  yaml::Problems problems;
};
LoadedServerConfig load_server_config(const std::filesystem::path& file);
LoadedServerConfig load_server_config_text(std::string file, std::string_view text);

/// Whether a file's text is a bowsprit.yaml rather than a file of Prow's; both may begin with "gerrit:".
bool is_server_config(std::string_view text);

/// The job of a repository for which no Prow configuration is given: "kunit", on every patch set, by the job image's
/// /kunit.sh.
prow::Presubmit default_job(std::string_view gerrit_url, std::string_view project);

}  // namespace bowsprit::app
