// SPDX-License-Identifier: Apache-2.0
#include "prow/config.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <unordered_map>

#include "base/strings.h"
#include "os/files.h"
#include "prow/job_fields.h"
#include "prow/match.h"

namespace bowsprit::prow {

namespace {

namespace fs = std::filesystem;
using yaml::Cursor;

/// What one file holds.
struct FileContent {
  std::vector<std::pair<std::string, LoadedPresubmit>> presubmits;  ///< with the repository as written
  yaml::Problems problems;
  std::shared_ptr<const yaml::Tree> tree;
};

void read_presubmits(const Cursor& repos, FileContent& out) {
  if (!repos.is_map()) return;
  for (const yaml::Member& repo : repos.node().members()) {
    const Cursor jobs = repos.at(repo);
    if (!jobs.is_list()) continue;
    for (std::size_t i = 0; i < jobs.node().items().size(); ++i) {
      const Cursor cursor = jobs.at(i);
      if (!cursor.is_map()) continue;
      LoadedPresubmit loaded;
      loaded.job.repo = std::string(repo.key.text());
      read(cursor, loaded.job);
      finish(cursor, loaded.job);
      loaded.spec = cursor.node().find("spec");
      loaded.mark = cursor.mark();
      out.presubmits.emplace_back(loaded.job.repo, std::move(loaded));
    }
  }
}

const yaml::Fields<FileContent>& fields_of(const FileContent*) {
  static const auto fields =
      yaml::Fields<FileContent>()
          .custom("presubmits", read_presubmits)
          .accepted({"postsubmits", "periodics"}, "only presubmits run")
          .refused({"presets"}, "settings shared by jobs; write them into each job")
          .refused({"decorate_all_jobs"}, "write decorate: true into each job")
          .accepted({"prow_ignored"}, "Prow ignores it as well")
          .accepted({"tide", "branch-protection", "github_reporter", "github", "owners_dir_denylist",
                     "managed_webhooks", "status_error_link"},
                    "it is for GitHub")
          .accepted({"plank", "pipeline", "sinker", "deck", "gerrit", "horologium", "slack_reporter_configs",
                     "in_repo_config", "gangway", "moonraker", "scheduler", "jenkins_operators", "push_gateway",
                     "pubsub_subscriptions", "pubsub_triggers", "prowjob_default_entries", "disabled_clusters"},
                    "it is for a service of Prow's that bowsprit replaces")
          .accepted({"config_version_sha", "prowjob_namespace", "pod_namespace", "log_level", "default_job_timeout"},
                    "it is for Prow's own services");
  return fields;
}

FileContent read_content(std::string file, std::string_view text) {
  FileContent out;
  auto tree = std::make_shared<const yaml::Tree>(yaml::Tree::parse(std::move(file), text));
  out.problems = tree->problems();
  for (const yaml::Node& document : tree->documents()) read(Cursor(document, tree->file(), out.problems), out);
  out.tree = std::move(tree);
  return out;
}

FileContent read_content(const fs::path& path) {
  if (const auto text = read_file(path))
    return read_content(path.string(), *text);
  else {
    FileContent out;
    out.problems.push_back({yaml::Severity::error, {path.string(), 0, 0}, {}, text.error().text(), {}});
    return out;
  }
}

bool is_job_file(const fs::path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

/// The files that `path` stands for, sorted, since the order of jobs is theirs.
void list_files(const fs::path& path, std::vector<fs::path>& files, yaml::Problems& problems) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (fs::is_directory(status)) {
    std::vector<fs::path> found;
    fs::recursive_directory_iterator entry(path, fs::directory_options::follow_directory_symlink, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      // Hidden entries: editors' files, and the "..data" of a mounted ConfigMap, which would be read twice.
      if (entry->path().filename().string().starts_with('.'))
        entry.disable_recursion_pending();
      else if (is_job_file(entry->path()) && entry->is_regular_file(error))
        found.push_back(entry->path());
      if (entry.depth() > 64) entry.disable_recursion_pending();
    }
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

/// Reads all files on as many threads as there are processors.
std::vector<FileContent> read_all(const std::vector<fs::path>& files) {
  std::vector<FileContent> contents(files.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t at = next++; at < files.size(); at = next++) contents[at] = read_content(files[at]);
  };
  constexpr std::size_t kFilesWorthAThread = 8;
  const std::size_t helpers =
      std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()) - 1, files.size() / kFilesWorthAThread);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < helpers; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return contents;
}

/// Prow's rules for the jobs of one repository: a name, and a context, only once on a branch.
void check_repository(const std::vector<LoadedPresubmit>& jobs, yaml::Problems& problems) {
  std::unordered_map<std::string_view, std::vector<const LoadedPresubmit*>> by_name;
  std::unordered_map<std::string_view, std::vector<const LoadedPresubmit*>> by_context;
  const auto clash = [&](const LoadedPresubmit& loaded, const LoadedPresubmit& other, std::string text) {
    problems.push_back({yaml::Severity::error,
                        loaded.mark,
                        fmt::format("presubmits[{}]", loaded.job.repo),
                        fmt::format("{} ({}:{})", text, other.mark.file, other.mark.line),
                        {}});
  };
  for (const LoadedPresubmit& loaded : jobs) {
    auto& namesakes = by_name[loaded.job.name];
    for (const LoadedPresubmit* other : namesakes)
      if (branches_intersect(other->job, loaded.job)) {
        clash(loaded, *other, fmt::format("job \"{}\" is defined twice for the same branch", loaded.job.name));
        break;
      }
    auto& reporters = by_context[loaded.job.context];
    for (const LoadedPresubmit* other : reporters)
      if (other->job.name != loaded.job.name && branches_intersect(other->job, loaded.job)) {
        clash(loaded, *other,
              fmt::format("jobs \"{}\" and \"{}\" report to the same context \"{}\"", other->job.name, loaded.job.name,
                          loaded.job.context));
        break;
      }
    namesakes.push_back(&loaded);
    reporters.push_back(&loaded);
  }
}

Config combine(std::vector<FileContent> contents, yaml::Problems problems) {
  Config config;
  config.problems = std::move(problems);
  for (FileContent& content : contents) {
    for (auto& [repo, loaded] : content.presubmits) config.presubmits[repo_key(repo)].push_back(std::move(loaded));
    std::move(content.problems.begin(), content.problems.end(), std::back_inserter(config.problems));
    if (content.tree) config.trees.push_back(std::move(content.tree));
  }
  for (const auto& [repo, jobs] : config.presubmits) check_repository(jobs, config.problems);
  std::stable_sort(config.problems.begin(), config.problems.end(), [](const yaml::Problem& a, const yaml::Problem& b) {
    return std::tie(a.mark.file, a.mark.line, a.mark.column) < std::tie(b.mark.file, b.mark.line, b.mark.column);
  });
  return config;
}

std::string join_repo(std::string_view gerrit_url, std::string_view project) {
  while (gerrit_url.ends_with('/')) gerrit_url.remove_suffix(1);
  return fmt::format("{}/{}", gerrit_url, project);
}

}  // namespace

Config load_config(const std::vector<fs::path>& paths) {
  yaml::Problems problems;
  std::vector<fs::path> files;
  for (const fs::path& path : paths) list_files(path, files, problems);
  return combine(read_all(files), std::move(problems));
}

Config load_config_text(std::string file, std::string_view text) {
  std::vector<FileContent> contents;
  contents.push_back(read_content(std::move(file), text));
  return combine(std::move(contents), {});
}

std::string repo_key(std::string_view repo) {
  if (const auto scheme = repo.find("://"); scheme != std::string_view::npos) repo.remove_prefix(scheme + 3);
  while (repo.ends_with('/')) repo.remove_suffix(1);
  std::string key(repo);
  // Gerrit's URL for authenticated fetches.
  if (const auto slash = key.find("/a/"); slash != std::string::npos && key.find('/') == slash) key.erase(slash, 2);
  return key;
}

std::vector<Presubmit> jobs_for(const Config& config, const std::vector<RepoMapping>& mappings,
                                std::string_view gerrit_url, std::string_view project) {
  const std::string repo = join_repo(gerrit_url, project);
  const std::string own = repo_key(repo);
  std::vector<std::string> keys{own};
  for (const RepoMapping& mapping : mappings)
    if (repo_key(join_repo(mapping.gerrit, mapping.project)) == own) keys.push_back(repo_key(mapping.prow));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());

  std::vector<Presubmit> jobs;
  for (const std::string& key : keys) {
    const auto found = config.presubmits.find(key);
    if (found == config.presubmits.end()) continue;
    for (const LoadedPresubmit& loaded : found->second) {
      Presubmit& job = jobs.emplace_back(loaded.job);
      job.repo = repo;
      if (loaded.spec != nullptr) job.spec = yaml::to_json(*loaded.spec);
    }
  }
  return jobs;
}

}  // namespace bowsprit::prow
