// SPDX-License-Identifier: Apache-2.0
#include "prow/config_file.h"

#include <algorithm>

#include "os/files.h"
#include "prow/job_fields.h"
#include "prow/pod_spec.h"
#include "prow/settings_fields.h"

namespace bowsprit::prow {

namespace {

namespace fs = std::filesystem;
using yaml::Cursor;

template <class Job>
Loaded<Job> read_job(const Cursor& cursor) {
  Loaded<Job> loaded;
  read(cursor, loaded.job);
  finish(cursor, loaded.job);
  loaded.spec = cursor.node().find("spec");
  loaded.mark = cursor.mark();
  loaded.path = cursor.path();
  loaded.decorate_given = cursor.node().find("decorate") != nullptr;
  return loaded;
}

template <class Job>
void read_jobs_by_repo(const Cursor& repos, ConfigFile::ByRepo<Job>& out) {
  if (!repos.is_map()) return;
  for (const yaml::Member& repo : repos.node().members()) {
    const Cursor jobs = repos.at(repo);
    if (!jobs.is_list()) continue;
    for (std::size_t i = 0; i < jobs.node().items().size(); ++i) {
      const Cursor cursor = jobs.at(i);
      if (!cursor.is_map()) continue;
      auto loaded = read_job<Job>(cursor);
      loaded.job.repo = std::string(repo.key.text());
      out.emplace_back(loaded.job.repo, std::move(loaded));
    }
  }
}

void read_periodics(const Cursor& jobs, std::vector<LoadedPeriodic>& out) {
  if (!jobs.is_list()) return;
  for (std::size_t i = 0; i < jobs.node().items().size(); ++i)
    if (const Cursor cursor = jobs.at(i); cursor.is_map()) out.push_back(read_job<Periodic>(cursor));
}

/// A section of config.yaml that fills one member of the settings.
template <class Section>
auto section(std::string name, Section Settings::* member) {
  return [name = std::move(name), member](const Cursor& cursor, ConfigFile& out) {
    out.sections.emplace_back(name, cursor.mark());
    read(cursor, out.settings.*member);
    if constexpr (requires { finish(cursor, out.settings.*member); }) finish(cursor, out.settings.*member);
  };
}

/// A section of a part of Prow that is not here: named, and of the right shape.
auto unused_section(std::string why) {
  return [text = "accepted, not used: " + std::move(why)](const Cursor& cursor, ConfigFile&) {
    if (cursor.node().is_scalar() && !cursor.node().is_null()) cursor.expected("a map");
    cursor.warning("unused-field", text);
  };
}

const yaml::Fields<ConfigFile>& fields_of(const ConfigFile*) {
  static const auto fields =
      yaml::Fields<ConfigFile>()
          .custom("presubmits",
                  [](const Cursor& cursor, ConfigFile& out) { read_jobs_by_repo(cursor, out.presubmits); })
          .custom("postsubmits",
                  [](const Cursor& cursor, ConfigFile& out) { read_jobs_by_repo(cursor, out.postsubmits); })
          .custom("periodics", [](const Cursor& cursor, ConfigFile& out) { read_periodics(cursor, out.periodics); })
          .custom("presets", [](const Cursor& cursor, ConfigFile& out) { yaml::read(cursor, out.settings.presets); })
          .custom("decorate_all_jobs",
                  [](const Cursor& cursor, ConfigFile& out) { yaml::read(cursor, out.settings.decorate_all_jobs); })
          .custom("plank", section("plank", &Settings::plank))
          .custom("sinker", section("sinker", &Settings::sinker))
          .custom("gerrit", section("gerrit", &Settings::gerrit))
          .custom("in_repo_config", section("in_repo_config", &Settings::in_repo_config))
          .accepted({"prow_ignored"}, "Prow ignores it as well")
          .custom("tide", unused_section("Tide merges; bowsprit only judges"))
          .custom("branch-protection", unused_section("it is for GitHub"))
          .custom("github_reporter", unused_section("it is for GitHub"))
          .custom("github", unused_section("it is for GitHub"))
          .custom("owners_dir_denylist", unused_section("it is for GitHub"))
          .custom("managed_webhooks", unused_section("it is for GitHub"))
          .custom("deck", unused_section("bowsprit has pages of its own"))
          .custom("slack_reporter_configs", unused_section("reports go to Gerrit"))
          .custom("horologium", unused_section("the server keeps the time of periodics"))
          .custom("gangway", unused_section("it is for a service of Prow's that is not here"))
          .custom("moonraker", unused_section("it is for a service of Prow's that is not here"))
          .custom("scheduler", unused_section("it is for a service of Prow's that is not here"))
          .custom("pipeline", unused_section("Tekton pipelines are not run"))
          .custom("jenkins_operators", unused_section("Jenkins jobs are not run"))
          .custom("push_gateway", unused_section("metrics are read at /metrics"))
          .custom("pubsub_subscriptions", unused_section("it is for Google's Pub/Sub"))
          .custom("pubsub_triggers", unused_section("it is for Google's Pub/Sub"))
          .custom("prowjob_default_entries", unused_section("it is for Google's ResultStore"))
          .accepted({"disabled_clusters"}, "the executors are in bowsprit.yaml")
          .accepted({"status_error_link"}, "it is for GitHub")
          .accepted({"config_version_sha", "prowjob_namespace", "pod_namespace", "log_level", "default_job_timeout"},
                    "it is for Prow's own services");
  return fields;
}

bool is_job_file(const fs::path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

}  // namespace

ConfigFile read_config_text(std::string file, std::string_view text) {
  ConfigFile out;
  auto tree = std::make_shared<const yaml::Tree>(yaml::Tree::parse(std::move(file), text));
  out.problems = tree->problems();
  for (const yaml::Node& document : tree->documents())
    fields_of(static_cast<const ConfigFile*>(nullptr)).read(Cursor(document, tree->file(), out.problems), out);
  out.tree = std::move(tree);
  return out;
}

ConfigFile read_config_file(const fs::path& path) {
  const auto text = read_file(path);
  if (text) return read_config_text(path.string(), *text);
  ConfigFile out;
  out.problems.push_back({yaml::Severity::error, {path.string(), 0, 0}, {}, text.error().text(), {}});
  return out;
}

std::vector<fs::path> list_config_files(const std::vector<fs::path>& paths, yaml::Problems& problems) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (fs::is_directory(status)) {
      std::vector<fs::path> found;
      fs::recursive_directory_iterator entry(path, fs::directory_options::follow_directory_symlink, error);
      for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        // Hidden entries: editors' files, and the "..data" of a mounted ConfigMap, which would be read twice.
        const bool hidden = entry->path().filename().string().starts_with('.');
        if (!hidden && is_job_file(entry->path()) && entry->is_regular_file(error)) found.push_back(entry->path());
        constexpr int kDeepest = 64;  // a link to a folder above would go on for ever
        if (hidden || entry.depth() > kDeepest) entry.disable_recursion_pending();
      }
      // The order of jobs is that of their files.
      std::sort(found.begin(), found.end());
      files.insert(files.end(), found.begin(), found.end());
    } else if (fs::exists(status)) {
      files.push_back(path);
    }
    if (error || !fs::exists(status))
      problems.push_back({yaml::Severity::error,
                          {path.string(), 0, 0},
                          {},
                          fmt::format("read this file or folder: {}", error ? error.message() : "it does not exist"),
                          {}});
  }
  return files;
}

}  // namespace bowsprit::prow
