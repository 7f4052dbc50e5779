// SPDX-License-Identifier: Apache-2.0
#include "prow/config.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <unordered_map>

#include "prow/config_file.h"
#include "prow/presets.h"

namespace bowsprit::prow {

namespace {

/// Reads all files on as many threads as there are processors.
std::vector<ConfigFile> read_all(const std::vector<std::filesystem::path>& paths) {
  std::vector<ConfigFile> files(paths.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t at = next++; at < paths.size(); at = next++) files[at] = read_config_file(paths[at]);
  };
  constexpr std::size_t kFilesWorthAThread = 8;
  const std::size_t helpers =
      std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()) - 1, paths.size() / kFilesWorthAThread);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < helpers; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return files;
}

/// Takes the sections of a file; one that another file has already is a problem.
void merge_settings(Config& config, ConfigFile& file, std::map<std::string, SourceMark>& sections) {
  Settings& all = config.settings;
  std::move(file.settings.presets.begin(), file.settings.presets.end(), std::back_inserter(all.presets));
  all.decorate_all_jobs |= file.settings.decorate_all_jobs;
  for (const auto& [name, mark] : file.sections) {
    const auto [first, fresh] = sections.emplace(name, mark);
    if (!fresh) {
      config.problems.push_back({yaml::Severity::error,
                                 mark,
                                 name,
                                 fmt::format("this section is also at {}:{}", first->second.file, first->second.line),
                                 {}});
      continue;
    }
    if (name == "plank") all.plank = std::move(file.settings.plank);
    if (name == "sinker") all.sinker = std::move(file.settings.sinker);
    if (name == "gerrit") all.gerrit = std::move(file.settings.gerrit);
    if (name == "in_repo_config") all.in_repo_config = std::move(file.settings.in_repo_config);
  }
}

/// A field without effect is named once, with the number of its other places.
void fold_unused_fields(yaml::Problems& problems) {
  std::unordered_map<std::string, std::pair<std::size_t, std::size_t>> first;  // where it is kept, and how many more
  std::size_t kept = 0;
  for (std::size_t at = 0; at < problems.size(); ++at) {
    yaml::Problem& problem = problems[at];
    if (problem.check == "unused-field") {
      const auto [found, fresh] =
          first.try_emplace(problem.path.substr(problem.path.find_last_of('.') + 1) + problem.text, kept, 0);
      if (!fresh) {
        ++found->second.second;
        continue;
      }
    }
    if (kept != at) problems[kept] = std::move(problem);
    ++kept;
  }
  problems.resize(kept);
  for (const auto& [key, place] : first)
    if (place.second > 0) problems[place.first].text += fmt::format(" (and {} more)", place.second);
}

Config combine(std::vector<ConfigFile> files, yaml::Problems problems) {
  Config config;
  config.problems = std::move(problems);
  std::map<std::string, SourceMark> sections;
  for (ConfigFile& file : files) {
    merge_settings(config, file, sections);
    for (auto& [repo, loaded] : file.presubmits) config.presubmits[repo_key(repo)].push_back(std::move(loaded));
    for (auto& [repo, loaded] : file.postsubmits) config.postsubmits[repo_key(repo)].push_back(std::move(loaded));
    std::move(file.periodics.begin(), file.periodics.end(), std::back_inserter(config.periodics));
    std::move(file.problems.begin(), file.problems.end(), std::back_inserter(config.problems));
    if (file.tree) config.trees.push_back(std::move(file.tree));
  }
  check_between_jobs(config, config.problems);
  std::stable_sort(config.problems.begin(), config.problems.end(), [](const yaml::Problem& a, const yaml::Problem& b) {
    return std::tie(a.mark.file, a.mark.line, a.mark.column) < std::tie(b.mark.file, b.mark.line, b.mark.column);
  });
  fold_unused_fields(config.problems);
  return config;
}

std::string join_repo(std::string_view gerrit_url, std::string_view project) {
  while (gerrit_url.ends_with('/')) gerrit_url.remove_suffix(1);
  return fmt::format("{}/{}", gerrit_url, project);
}

/// The job as it runs: with its Pod spec, presets, and the decoration of its repository.
template <class Job>
Job complete(const Loaded<Job>& loaded, const Settings& settings, std::string_view repo) {
  Job job = loaded.job;
  if (loaded.spec != nullptr) {
    job.spec = yaml::to_json(*loaded.spec);
    apply_presets(job.spec, job.labels, settings.presets);
  }
  if (!loaded.decorate_given) job.decorate = settings.decorate_all_jobs;
  if (job.decorate && settings.has_decoration_defaults())
    apply_defaults(job.decoration_config, settings.decoration_for(repo, job.cluster));
  return job;
}

template <class Job>
std::vector<Job> jobs_of_project(const std::map<std::string, std::vector<Loaded<Job>>>& by_repo,
                                 const Settings& settings, const std::vector<RepoMapping>& mappings,
                                 std::string_view gerrit_url, std::string_view project) {
  const std::string repo = join_repo(gerrit_url, project);
  const std::string own = repo_key(repo);
  std::vector<std::string> keys{own};
  for (const RepoMapping& mapping : mappings)
    if (repo_key(join_repo(mapping.gerrit, mapping.project)) == own) keys.push_back(repo_key(mapping.prow));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());

  std::vector<Job> jobs;
  for (const std::string& key : keys) {
    const auto found = by_repo.find(key);
    if (found == by_repo.end()) continue;
    for (const Loaded<Job>& loaded : found->second)
      jobs.emplace_back(complete(loaded, settings, loaded.job.repo)).repo = repo;
  }
  return jobs;
}

}  // namespace

std::size_t Config::job_count() const {
  std::size_t count = periodics.size();
  for (const auto& [repo, jobs] : presubmits) count += jobs.size();
  for (const auto& [repo, jobs] : postsubmits) count += jobs.size();
  return count;
}

Config load_config(const std::vector<std::filesystem::path>& paths) {
  yaml::Problems problems;
  const auto files = list_config_files(paths, problems);
  return combine(read_all(files), std::move(problems));
}

Config load_config_text(std::string file, std::string_view text) {
  std::vector<ConfigFile> files;
  files.push_back(read_config_text(std::move(file), text));
  return combine(std::move(files), {});
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
  return jobs_of_project(config.presubmits, config.settings, mappings, gerrit_url, project);
}

std::vector<Postsubmit> postsubmits_for(const Config& config, const std::vector<RepoMapping>& mappings,
                                        std::string_view gerrit_url, std::string_view project) {
  return jobs_of_project(config.postsubmits, config.settings, mappings, gerrit_url, project);
}

std::vector<Periodic> periodics(const Config& config) {
  std::vector<Periodic> out;
  for (const LoadedPeriodic& loaded : config.periodics) {
    const auto& refs = loaded.job.extra_refs;
    out.push_back(complete(loaded, config.settings, refs.empty() ? std::string() : refs[0].org + "/" + refs[0].repo));
  }
  return out;
}

}  // namespace bowsprit::prow
