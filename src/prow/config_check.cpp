// SPDX-License-Identifier: Apache-2.0
// The rules between jobs, and between jobs and settings.
#include <map>
#include <unordered_map>

#include "base/strings.h"
#include "prow/config_file.h"
#include "prow/match.h"
#include "prow/pod_spec.h"
#include "prow/presets.h"

namespace bowsprit::prow {

namespace {

using yaml::Problems;
using yaml::Severity;

std::string place_of(const SourceMark& mark) { return fmt::format("{}:{}", mark.file, mark.line); }

/// A name, and a context, only once on a branch.
template <class Job>
void check_names(const std::vector<Loaded<Job>>& jobs, Problems& problems) {
  std::unordered_map<std::string_view, std::vector<const Loaded<Job>*>> by_name;
  std::unordered_map<std::string_view, std::vector<const Loaded<Job>*>> by_context;
  for (const Loaded<Job>& loaded : jobs) {
    auto& namesakes = by_name[loaded.job.name];
    for (const Loaded<Job>* other : namesakes)
      if (branches_intersect(other->job, loaded.job)) {
        problems.push_back({Severity::error,
                            loaded.mark,
                            loaded.path,
                            fmt::format("job \"{}\" is also defined at {} for the same branch", loaded.job.name,
                                        place_of(other->mark)),
                            {}});
        break;
      }
    auto& reporters = by_context[loaded.job.context];
    for (const Loaded<Job>* other : reporters)
      if (other->job.name != loaded.job.name && branches_intersect(other->job, loaded.job)) {
        problems.push_back({Severity::error,
                            loaded.mark,
                            loaded.path,
                            fmt::format("job \"{}\" at {} reports to the same context \"{}\"", other->job.name,
                                        place_of(other->mark), loaded.job.context),
                            {}});
        break;
      }
    namesakes.push_back(&loaded);
    reporters.push_back(&loaded);
  }
}

/// What the jobs need of the settings.
class SettingsCheck {
 public:
  SettingsCheck(const Settings& settings, Problems& problems) : settings_(settings), problems_(problems) {}

  template <class Job>
  void look(const Loaded<Job>& loaded, std::string_view repo) {
    const JobBase& job = loaded.job;
    const bool decorate = loaded.decorate_given ? job.decorate : settings_.decorate_all_jobs;
    if (loaded.spec != nullptr) {
      const std::string path = loaded.path + ".spec";
      const yaml::Cursor spec(*loaded.spec, loaded.mark.file, problems_, path);
      check_with_presets(spec, job.labels, settings_.presets);
      if (decorate)
        check_decorated_spec(spec);
      else
        check_undecorated_spec(spec);
    }
    if (!job.job_queue_name.empty() && !settings_.plank.job_queue_capacities.contains(job.job_queue_name))
      report(loaded, Severity::error,
             fmt::format("job queue \"{}\" is not among plank.job_queue_capacities", job.job_queue_name), {});
    if (decorate && settings_.has_decoration_defaults())
      for (const std::string& missing : missing_decoration(job, repo))
        report(loaded, Severity::error, "decoration_config, with its defaults: " + missing, {});
    if (!decorate && settings_.has_decoration_defaults())
      report(loaded, Severity::warning, "not decorated: no clone, no artifacts", "non-decorated-jobs");
  }

 private:
  template <class Job>
  void report(const Loaded<Job>& loaded, Severity severity, std::string text, std::string check) {
    problems_.push_back({severity, loaded.mark, loaded.path, std::move(text), std::move(check)});
  }

  /// Most jobs say nothing of their own, so the answer is the defaults' own, found once.
  const std::vector<std::string>& missing_decoration(const JobBase& job, std::string_view repo) {
    static const DecorationConfig nothing;
    auto [found, fresh] = defaults_.try_emplace({std::string(repo), job.cluster});
    if (fresh) {
      found->second.config = settings_.decoration_for(repo, job.cluster);
      found->second.missing = missing_in(found->second.config);
    }
    if (job.decoration_config == nothing) return found->second.missing;
    DecorationConfig config = job.decoration_config;
    apply_defaults(config, found->second.config);
    own_ = missing_in(config);
    return own_;
  }

  struct Defaults {
    DecorationConfig config;
    std::vector<std::string> missing;
  };
  const Settings& settings_;
  Problems& problems_;
  std::map<std::pair<std::string, std::string>, Defaults> defaults_;
  std::vector<std::string> own_;
};

}  // namespace

void check_between_jobs(const Config& config, Problems& problems) {
  SettingsCheck check(config.settings, problems);
  for (const auto& [repo, jobs] : config.presubmits) {
    check_names(jobs, problems);
    for (const auto& loaded : jobs) check.look(loaded, loaded.job.repo);
  }
  for (const auto& [repo, jobs] : config.postsubmits) {
    check_names(jobs, problems);
    for (const auto& loaded : jobs) check.look(loaded, loaded.job.repo);
  }
  std::unordered_map<std::string_view, const LoadedPeriodic*> names;
  for (const LoadedPeriodic& loaded : config.periodics) {
    const auto [first, fresh] = names.emplace(loaded.job.name, &loaded);
    if (!fresh)
      problems.push_back(
          {Severity::error,
           loaded.mark,
           loaded.path,
           fmt::format("periodic \"{}\" is also defined at {}", loaded.job.name, place_of(first->second->mark)),
           {}});
    check.look(loaded, loaded.job.extra_refs.empty()
                           ? std::string()
                           : loaded.job.extra_refs[0].org + "/" + loaded.job.extra_refs[0].repo);
  }
}

}  // namespace bowsprit::prow
