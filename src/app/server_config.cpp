// SPDX-License-Identifier: Apache-2.0
#include "app/server_config.h"

#include <algorithm>
#include <array>

#include "artifact/store_url.h"
#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::app {

namespace {

using yaml::Cursor;
using yaml::Fields;

void check_url(const Cursor& cursor, const std::string& url) {
  const bool scheme = url.starts_with("https://") || url.starts_with("http://");
  if (!scheme || url.find("://") + 3 == url.size() || url.find_first_of(" ?#") != std::string::npos)
    return cursor.expected("a URL such as https://gerrit.example");
  // A password in a URL ends up in logs.
  if (url.substr(0, url.find('/', 8)).find('@') != std::string::npos)
    cursor.error("expected a URL without user and password");
}

void check_not_empty(const Cursor& cursor, const std::string& text) {
  if (text.empty()) cursor.expected("a word");
}

void check_port(const Cursor& cursor, int port) {
  if (port < 1 || port > 65535) cursor.expected("a port from 1 to 65535");
}

void check_listen(const Cursor& cursor, const std::string& listen) {
  const auto colon = listen.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_int(std::string_view(listen).substr(colon + 1));
  if (!port || *port < 0 || *port > 65535 || colon == 0) cursor.expected("an address and port such as 127.0.0.1:8090");
}

/// A gerrit label, "Verified" or "Presubmit-Verified"; empty for no vote.
void check_label(const Cursor& cursor, const std::string& label) {
  const bool word = std::all_of(label.begin(), label.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (!word) cursor.expected("the name of a label");
}

void check_store(const Cursor& cursor, const std::string& store) {
  if (const auto url = artifact::parse_store_url(store); !store.empty() && !url) cursor.error(url.error().message);
}

void check_signed_urls(const Cursor& cursor, const std::optional<milliseconds>& lifetime) {
  constexpr std::chrono::hours kWeek{7 * 24};  // S3 and GCS sign for no longer
  if (lifetime && (*lifetime < seconds(1) || *lifetime > kWeek)) cursor.expected("a duration from 1s to 168h");
}

}  // namespace

const Fields<StreamEventsConfig>& fields_of(const StreamEventsConfig*) {
  static const auto fields = Fields<StreamEventsConfig>()
                                 .required("host", &StreamEventsConfig::host, check_not_empty)
                                 .field("port", &StreamEventsConfig::port, check_port)
                                 .field("user", &StreamEventsConfig::user)
                                 .field("key_file", &StreamEventsConfig::key_file)
                                 .field("known_hosts", &StreamEventsConfig::known_hosts);
  return fields;
}

const Fields<GerritConfig>& fields_of(const GerritConfig*) {
  static const auto fields =
      Fields<GerritConfig>()
          .required("url", &GerritConfig::url, check_url)
          .field("user", &GerritConfig::user)
          .field("password_file", &GerritConfig::password_file)
          .field("cookie_file", &GerritConfig::cookie_file)
          .field("poll_interval", &GerritConfig::poll_interval, yaml::at_least(milliseconds(1000)))
          .field("stream_events", &GerritConfig::stream_events);
  return fields;
}

const Fields<RepoConfig>& fields_of(const RepoConfig*) {
  static const auto fields = Fields<RepoConfig>()
                                 .required("project", &RepoConfig::project, check_not_empty)
                                 .field("prow", &RepoConfig::prow)
                                 .field("gerrit", &RepoConfig::gerrit, check_url);
  return fields;
}

const Fields<LocalExecutorConfig>& fields_of(const LocalExecutorConfig*) {
  static const auto fields = Fields<LocalExecutorConfig>()
                                 .field("jobs", &LocalExecutorConfig::jobs, yaml::at_least(1))
                                 .field("memory", &LocalExecutorConfig::memory)
                                 .field("disk", &LocalExecutorConfig::disk)
                                 .field("pids", &LocalExecutorConfig::pids, yaml::at_least(16))
                                 .field("warm_disk", &LocalExecutorConfig::warm_disk)
                                 .field("work", &LocalExecutorConfig::work)
                                 .field("rootfs", &LocalExecutorConfig::rootfs)
                                 .field("images", &LocalExecutorConfig::images);
  return fields;
}

const Fields<ExecutorConfig>& fields_of(const ExecutorConfig*) {
  static const auto fields = Fields<ExecutorConfig>().field("local", &ExecutorConfig::local);
  return fields;
}

const Fields<ArtifactsConfig>& fields_of(const ArtifactsConfig*) {
  static const auto fields = Fields<ArtifactsConfig>()
                                 .required("store", &ArtifactsConfig::store, check_store)
                                 .field("credentials_file", &ArtifactsConfig::credentials_file)
                                 .field("endpoint", &ArtifactsConfig::endpoint, check_url)
                                 .field("region", &ArtifactsConfig::region)
                                 .field("path_style", &ArtifactsConfig::path_style)
                                 .field("ca_file", &ArtifactsConfig::ca_file)
                                 .field("signed_urls", &ArtifactsConfig::signed_urls, check_signed_urls)
                                 .field("cache", &ArtifactsConfig::cache);
  return fields;
}

const Fields<WebConfig>& fields_of(const WebConfig*) {
  static const auto fields = Fields<WebConfig>()
                                 .field("listen", &WebConfig::listen, check_listen)
                                 .field("public_url", &WebConfig::public_url, check_url)
                                 .field("feeds", &WebConfig::feeds)
                                 .field("token_file", &WebConfig::token_file);
  return fields;
}

namespace {

void check_who(const Cursor& cursor, const std::string& who) {
  if (!trigger::who_from_string(who)) cursor.expected("anyone, owner or group");
}

void check_age(const Cursor& cursor, const std::optional<milliseconds>& age) {
  if (age && *age < seconds(1)) cursor.expected("1s or more");
}

void check_limit(const Cursor& cursor, const std::optional<milliseconds>& limit) {
  if (limit && limit->count() < 0) cursor.expected("0s or more");
}

}  // namespace

const Fields<TriggersConfig>& fields_of(const TriggersConfig*) {
  static const auto fields = Fields<TriggersConfig>()
                                 .field("who", &TriggersConfig::who, check_who)
                                 .field("group", &TriggersConfig::group)
                                 .field("trusted", &TriggersConfig::trusted);
  return fields;
}

const Fields<TimeoutsConfig>& fields_of(const TimeoutsConfig*) {
  static const auto fields = Fields<TimeoutsConfig>()
                                 .field("scheduling", &TimeoutsConfig::scheduling, yaml::at_least(milliseconds(0)))
                                 .field("pending", &TimeoutsConfig::pending, check_limit)
                                 .field("running", &TimeoutsConfig::running, check_limit);
  return fields;
}

const Fields<KeepConfig>& fields_of(const KeepConfig*) {
  static const auto fields = Fields<KeepConfig>().field("runs", &KeepConfig::runs, check_age);
  return fields;
}

const Fields<ServerConfig>& fields_of(const ServerConfig*) {
  static const auto fields = Fields<ServerConfig>()
                                 .required("gerrit", &ServerConfig::gerrit)
                                 .field("label", &ServerConfig::label, check_label)
                                 .required("repos", &ServerConfig::repos)
                                 .field("prow", &ServerConfig::prow)
                                 .field("executor", &ServerConfig::executor)
                                 .field("state", &ServerConfig::state)
                                 .field("artifacts", &ServerConfig::artifacts)
                                 .field("web", &ServerConfig::web)
                                 .field("history_days", &ServerConfig::history_days, yaml::at_least(1))
                                 .field("triggers", &ServerConfig::triggers)
                                 .field("timeouts", &ServerConfig::timeouts)
                                 .field("keep", &ServerConfig::keep)
                                 .field("default_kunitconfig", &ServerConfig::default_kunitconfig);
  return fields;
}

namespace {

/// What concerns several fields.
void finish(const Cursor& cursor, ServerConfig& config) {
  while (config.gerrit.url.ends_with('/')) config.gerrit.url.pop_back();
  while (config.web.public_url.ends_with('/')) config.web.public_url.pop_back();
  if (const auto gerrit = cursor.find("gerrit")) {
    if (!config.gerrit.password_file.empty() && config.gerrit.user.empty())
      gerrit->error("password_file needs the field \"user\"");
    if (!config.gerrit.password_file.empty() && !config.gerrit.cookie_file.empty())
      gerrit->error("password_file and cookie_file exclude each other");
  }
  if (auto& stream = config.gerrit.stream_events; stream && stream->user.empty()) stream->user = config.gerrit.user;
  if (const auto triggers = cursor.find("triggers");
      triggers && config.triggers.who == "group" && config.triggers.group.empty() && config.triggers.trusted.empty())
    triggers->error("who: group needs the field \"group\" or \"trusted\": nobody could start anything");
  if (const auto repos = cursor.find("repos")) {
    if (config.repos.empty()) repos->expected("at least one repository");
    for (std::size_t i = 0; i < config.repos.size(); ++i) {
      const std::string& gerrit = config.repos[i].gerrit;
      if (!gerrit.empty() && gerrit != config.gerrit.url && gerrit != config.gerrit.url + "/")
        repos->at(i).find("gerrit")->expected(fmt::format("\"{}\", the one Gerrit of this server", config.gerrit.url));
      for (std::size_t k = 0; k < i; ++k)
        // One project may take the jobs of several repositories of Prow's files, but not of one twice.
        if (config.repos[k].project == config.repos[i].project && config.repos[k].prow == config.repos[i].prow)
          repos->at(i).error(fmt::format("the same as item {}", k));
    }
  }
  auto& local = config.executor.local;
  if (local.work.empty()) local.work = config.state / "work";
  if (const auto folder = std::filesystem::path(cursor.file()).parent_path(); !cursor.file().empty()) {
    if (local.rootfs != "host") local.rootfs = (folder / local.rootfs).lexically_normal().string();
    for (auto& [image, root] : local.images) root = (folder / root).lexically_normal();
  }
}

}  // namespace

std::vector<prow::RepoMapping> ServerConfig::mappings() const {
  std::vector<prow::RepoMapping> out;
  for (const RepoConfig& repo : repos)
    if (!repo.prow.empty()) out.push_back({repo.prow, gerrit.url, repo.project});
  return out;
}

bool ServerConfig::has_project(std::string_view project) const {
  return std::any_of(repos.begin(), repos.end(), [project](const RepoConfig& repo) { return repo.project == project; });
}

LoadedServerConfig load_server_config_text(std::string file, std::string_view text) {
  LoadedServerConfig out;
  const auto tree = yaml::Tree::parse(std::move(file), text);
  out.problems = tree.problems();
  if (tree.documents().size() != 1) {
    if (!yaml::has_errors(out.problems))
      out.problems.push_back({yaml::Severity::error,
                              {tree.file(), 1, 1},
                              {},
                              fmt::format("expected one document, got {}", tree.documents().size()),
                              {}});
    return out;
  }
  const Cursor cursor(tree.documents()[0], tree.file(), out.problems);
  read(cursor, out.config);
  finish(cursor, out.config);
  return out;
}

LoadedServerConfig load_server_config(const std::filesystem::path& file) {
  const auto text = read_file(file);
  if (text) return load_server_config_text(file.string(), *text);
  LoadedServerConfig out;
  out.problems.push_back({yaml::Severity::error, {file.string(), 0, 0}, {}, text.error().text(), {}});
  return out;
}

bool is_server_config(std::string_view text) {
  // Keys at the left margin, which need no parser; so a folder of job files is not parsed twice.
  constexpr std::array<std::string_view, 7> kOurs{"repos", "label", "executor", "state", "web", "prow", "artifacts"};
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    const std::string_view key = line.substr(0, std::min(line.find(':'), line.size()));
    if (key.size() < line.size() && std::find(kOurs.begin(), kOurs.end(), key) != kOurs.end()) return true;
    at = end + 1;
  }
  return false;
}

prow::Presubmit default_job(std::string_view gerrit_url, std::string_view project) {
  prow::Presubmit job;
  job.name = job.context = "kunit";
  job.repo = fmt::format("{}/{}", gerrit_url, project);
  job.always_run = true;
  job.decorate = true;
  job.trigger = prow::default_trigger(job.name);
  job.rerun_command = prow::default_rerun_command(job.name);
  job.spec = {{"containers", Json::array({{{"image", "kunit"}, {"command", Json::array({"/kunit.sh"})}}})}};
  return job;
}

}  // namespace bowsprit::app
