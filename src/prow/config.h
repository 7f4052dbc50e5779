// SPDX-License-Identifier: Apache-2.0
/// Prow's configuration: config.yaml and job files -> jobs by repository, settings, and every problem with its place.
///
/// Follows the checks of Prow's own load (pkg/config/config.go) and, as warnings under their names there, of its checkconfig. A field
/// that this program does not act on is a warning by name, once; one whose omission would change the result is an error; nothing is
/// passed over in silence.
/// Does not: know this server's Gerrit; `jobs_for` maps the repositories that the files name to it. Nor which executor runs a job:
/// that one refuses what it cannot run.
/// Threads: load() any; a Config is immutable afterwards and may be shared.
///
///   auto config = prow::load_config({"/etc/prow/config.yaml", "/etc/prow/jobs"});
///   if (!config.usable()) keep_the_last_good_one(to_error(config.problems));
///   auto jobs = prow::jobs_for(config, {{"https://kunit-review.googlesource.com/linux", "https://gerrit.example", "linux"}},
///                              "https://gerrit.example", "linux");
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "prow/job.h"
#include "prow/settings.h"
#include "yaml/problem.h"

namespace bowsprit::yaml {
class Node;
class Tree;
}  // namespace bowsprit::yaml

namespace bowsprit::prow {

/// A repository named by the job files, and where it is for this server.
struct RepoMapping {
  std::string prow;     ///< "https://kunit-review.googlesource.com/linux", or "org/repo"
  std::string gerrit;   ///< "https://gerrit.example"
  std::string project;  ///< "linux"
  bool operator==(const RepoMapping&) const = default;
};

/// A job as read. Its Pod spec stays in the file's tree, and presets and decoration defaults wait, until jobs_for() asks: most jobs
/// of a large configuration never run here.
template <class Job>
struct Loaded {
  Job job;
  const yaml::Node* spec = nullptr;
  SourceMark mark;
  std::string path;             ///< in its file, "presubmits[https://host/linux][0]"
  bool decorate_given = false;  ///< else decorate_all_jobs decides
};
using LoadedPresubmit = Loaded<Presubmit>;
using LoadedPostsubmit = Loaded<Postsubmit>;
using LoadedPeriodic = Loaded<Periodic>;

struct Config {
  std::map<std::string, std::vector<LoadedPresubmit>> presubmits;    ///< by repo_key()
  std::map<std::string, std::vector<LoadedPostsubmit>> postsubmits;  ///< by repo_key()
  std::vector<LoadedPeriodic> periodics;
  Settings settings;
  yaml::Problems problems;                               ///< by file and line
  std::vector<std::shared_ptr<const yaml::Tree>> trees;  ///< own what `spec` points to

  /// Warnings alone do not make it unusable.
  [[nodiscard]] bool usable() const { return !yaml::has_errors(problems); }
  [[nodiscard]] std::size_t job_count() const;
};

/// Reads files, and folders with every *.yaml and *.yml below them (hidden entries left out, names sorted).
Config load_config(const std::vector<std::filesystem::path>& paths);
/// The same from a text; `file` is its name in messages.
Config load_config_text(std::string file, std::string_view text);

/// How repositories are compared: without scheme, "/a/" and final slash, as Prow lets Gerrit users leave out "https://".
std::string repo_key(std::string_view repo);

/// The jobs of a Gerrit project, complete with `spec`, presets and decoration defaults, and with `repo` set to "GERRIT/PROJECT":
/// those of the repositories that the mappings give it, and those that name it themselves.
std::vector<Presubmit> jobs_for(const Config& config, const std::vector<RepoMapping>& mappings,
                                std::string_view gerrit_url, std::string_view project);
std::vector<Postsubmit> postsubmits_for(const Config& config, const std::vector<RepoMapping>& mappings,
                                        std::string_view gerrit_url, std::string_view project);
std::vector<Periodic> periodics(const Config& config);

}  // namespace bowsprit::prow
