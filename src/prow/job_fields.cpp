// SPDX-License-Identifier: Apache-2.0
#include "prow/job_fields.h"

#include <algorithm>

#include "base/strings.h"
#include "prow/cron.h"
#include "prow/labels.h"
#include "prow/pod_spec.h"
#include "prow/regex.h"

namespace bowsprit::prow {

namespace {

using yaml::Cursor;
using yaml::Fields;

template <class Job>
constexpr JobType kJobType = JobType::presubmit;
template <>
constexpr JobType kJobType<Postsubmit> = JobType::postsubmit;
template <>
constexpr JobType kJobType<Periodic> = JobType::periodic;

bool is_name_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
}

void check_name(const Cursor& cursor, const std::string& name) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_char))
    return cursor.expected("a name of the characters A-Z a-z 0-9 - . _");
  // Prow takes these two, and then writes outside the job's folder.
  if (name == "." || name == "..") return cursor.expected("a name that is not a folder of its own meaning");
  if (name.size() > 63)
    cursor.warning("long-job-names", fmt::format("{} characters; Kubernetes labels hold 63 of them", name.size()));
}

void check_labels(const Cursor& cursor, const std::map<std::string, std::string>& labels) {
  for (const auto& [key, value] : labels) {
    const auto child = cursor.find(key);
    const Cursor& at = child ? *child : cursor;
    if (key == "prow.k8s.io/type" || key == "prow.k8s.io/id" || key == "created-by-prow")
      at.error("this label is Prow's own");
    else if (!is_qualified_name(key))
      at.error("expected a Kubernetes label as the key: [dns.name/]word of at most 63 characters");
    if (!is_label_value(value))
      at.expected("a Kubernetes label value: at most 63 of A-Z a-z 0-9 - . _, a letter or digit at both ends");
  }
}

void check_annotations(const Cursor& cursor, const std::map<std::string, std::string>& annotations) {
  for (const auto& [key, value] : annotations) {
    const auto child = cursor.find(key);
    const Cursor& at = child ? *child : cursor;
    if (!is_qualified_name(key))
      at.error("expected a Kubernetes annotation as the key: [dns.name/]word of at most 63 characters");
    else if (key == "bowsprit/policy" && value != "fair" && value != "strict")
      at.expected("fair or strict");
  }
}

void check_regex(const Cursor& cursor, const std::string& pattern) {
  if (const auto error = regex_error(pattern)) cursor.expected(fmt::format("a regular expression ({})", *error));
}

void check_regexes(const Cursor& cursor, const std::vector<std::string>& patterns) {
  for (std::size_t i = 0; i < patterns.size(); ++i) check_regex(cursor.at(i), patterns[i]);
}

void check_cron(const Cursor& cursor, const std::string& text) {
  if (const auto schedule = Cron::parse(text); !schedule)
    cursor.expected(fmt::format("a cron line ({})", schedule.error().message));
}

void check_path_alias(const Cursor& cursor, const std::string& alias) {
  const std::vector<std::string> parts = split(alias, '/');
  if (alias.starts_with('/') || std::find(parts.begin(), parts.end(), "..") != parts.end())
    cursor.expected("a relative path without \"..\"");
}

void check_agent(const Cursor& cursor) {
  if (cursor.node().text() != "kubernetes") cursor.expected("\"kubernetes\", the only agent that is supported");
}

/// JobBase and UtilityConfig of Prow.
template <class Job>
Fields<Job> base_fields() {
  return Fields<Job>()
      .required("name", &Job::name, check_name)
      .field("decorate", &Job::decorate)
      .field("decoration_config", &Job::decoration_config)
      .field("max_concurrency", &Job::max_concurrency, yaml::at_least(0))
      .field("cluster", &Job::cluster)
      .field("labels", &Job::labels, check_labels)
      .field("annotations", &Job::annotations, check_annotations)
      .field("path_alias", &Job::path_alias, check_path_alias)
      .field("clone_uri", &Job::clone_uri)
      .field("extra_refs", &Job::extra_refs)
      .field("skip_submodules", &Job::skip_submodules)
      .field("clone_depth", &Job::clone_depth, yaml::at_least(0))
      .field("skip_fetch_head", &Job::skip_fetch_head)
      .field("hidden", &Job::hidden)
      .field("job_queue_name", &Job::job_queue_name)
      .custom("spec", [](const Cursor& cursor, Job&) { check_pod_spec(cursor, kJobType<Job>); })
      .custom("agent", [](const Cursor& cursor, Job&) { check_agent(cursor); })
      .accepted({"namespace"}, "Pods are made in the namespace of the executor")
      .accepted({"error_on_eviction"}, "only the infrastructure's failures are tried again")
      .accepted({"reporter_config"}, "reports go to Gerrit")
      .accepted({"rerun_auth_config"}, "it names GitHub users")
      .accepted({"prowjob_defaults"}, "it is for Google's ResultStore")
      .refused({"pipeline_run_spec", "tekton_pipeline_run_spec"}, "Tekton pipelines")
      .refused({"jenkins_spec"}, "Jenkins");
}

template <class Job>
Fields<Job> change_job_fields() {
  return base_fields<Job>()
      .field("context", &Job::context)
      .field("branches", &Job::branches, check_regexes)
      .field("skip_branches", &Job::skip_branches, check_regexes)
      .field("always_run", &Job::always_run)
      .field("run_if_changed", &Job::run_if_changed, check_regex)
      .field("skip_if_only_changed", &Job::skip_if_only_changed, check_regex)
      .field("skip_report", &Job::skip_report);
}

void exclusive(const Cursor& cursor, std::string_view a, bool a_set, std::string_view b, bool b_set) {
  if (!a_set || !b_set) return;
  const auto at = cursor.find(b);
  (at ? *at : cursor).error(fmt::format("{} and {} exclude each other", a, b));
}

void finish_base(const Cursor& cursor, JobBase& job) {
  if (!cursor.find("spec")) cursor.error("expected the field \"spec\"");
  if (const auto refs = cursor.find("extra_refs"))
    for (std::size_t i = 0; i < job.extra_refs.size(); ++i)
      for (std::size_t k = 0; k < i; ++k)
        if (job.extra_refs[i].org == job.extra_refs[k].org && job.extra_refs[i].repo == job.extra_refs[k].repo)
          refs->at(i).error(fmt::format("the same repository as item {}", k));
}

void finish_change_job(const Cursor& cursor, ChangeJob& job, bool always_run) {
  exclusive(cursor, "always_run", always_run, "run_if_changed", !job.run_if_changed.empty());
  exclusive(cursor, "always_run", always_run, "skip_if_only_changed", !job.skip_if_only_changed.empty());
  exclusive(cursor, "run_if_changed", !job.run_if_changed.empty(), "skip_if_only_changed",
            !job.skip_if_only_changed.empty());
  if (job.context.empty()) job.context = job.name;
  if (job.skip_report && !job.report_label().value_or("").empty())
    cursor.find("labels")->error("skip_report and a gerrit-report-label exclude each other");
  finish_base(cursor, job);
}

}  // namespace

const Fields<Retry>& fields_of(const Retry*) {
  static const auto fields = Fields<Retry>()
                                 .field("attempts", &Retry::attempts, yaml::at_least(0))
                                 .field("interval", &Retry::interval, yaml::at_least(milliseconds(0)))
                                 .field("run_all", &Retry::run_all);
  return fields;
}

const Fields<Pull>& fields_of(const Pull*) {
  static const auto fields = Fields<Pull>()
                                 .field("number", &Pull::number)
                                 .always()
                                 .field("author", &Pull::author)
                                 .always()
                                 .field("sha", &Pull::sha)
                                 .always()
                                 .field("title", &Pull::title)
                                 .field("ref", &Pull::ref)
                                 .field("head_ref", &Pull::head_ref)
                                 .field("link", &Pull::link)
                                 .field("commit_link", &Pull::commit_link)
                                 .field("author_link", &Pull::author_link);
  return fields;
}

const Fields<Refs>& fields_of(const Refs*) {
  static const auto fields = Fields<Refs>()
                                 .field("org", &Refs::org)
                                 .always()
                                 .field("repo", &Refs::repo)
                                 .always()
                                 .field("repo_link", &Refs::repo_link)
                                 .field("base_ref", &Refs::base_ref)
                                 .field("base_sha", &Refs::base_sha)
                                 .field("base_link", &Refs::base_link)
                                 .field("pulls", &Refs::pulls)
                                 .field("path_alias", &Refs::path_alias, check_path_alias)
                                 .field("workdir", &Refs::workdir)
                                 .field("auxiliary", &Refs::auxiliary)
                                 .field("clone_uri", &Refs::clone_uri)
                                 .field("skip_submodules", &Refs::skip_submodules)
                                 .field("clone_depth", &Refs::clone_depth, yaml::at_least(0))
                                 .field("skip_fetch_head", &Refs::skip_fetch_head)
                                 .field("blobless_fetch", &Refs::blobless_fetch)
                                 .field("sparse_checkout_files", &Refs::sparse_checkout_files);
  return fields;
}

const Fields<Presubmit>& fields_of(const Presubmit*) {
  static const auto fields = change_job_fields<Presubmit>()
                                 .field("optional", &Presubmit::optional)
                                 .field("trigger", &Presubmit::trigger, check_regex)
                                 .field("rerun_command", &Presubmit::rerun_command)
                                 .field("run_before_merge", &Presubmit::run_before_merge);
  return fields;
}

const Fields<Postsubmit>& fields_of(const Postsubmit*) {
  static const auto fields = change_job_fields<Postsubmit>();
  return fields;
}

const Fields<Periodic>& fields_of(const Periodic*) {
  static const auto fields = base_fields<Periodic>()
                                 .field("cron", &Periodic::cron, check_cron)
                                 .field("interval", &Periodic::interval)
                                 .field("minimum_interval", &Periodic::minimum_interval)
                                 .field("tags", &Periodic::tags)
                                 .field("retry", &Periodic::retry);
  return fields;
}

void finish(const Cursor& cursor, Presubmit& job) {
  finish_change_job(cursor, job, job.always_run);
  if (job.trigger.empty() != job.rerun_command.empty()) {
    cursor.error(fmt::format("expected trigger and rerun_command together, got only {}",
                             job.trigger.empty() ? "rerun_command" : "trigger"));
  } else if (job.trigger.empty()) {
    job.trigger = default_trigger(job.name);
    job.rerun_command = default_rerun_command(job.name);
  } else if (!regex_error(job.trigger) && !regex_matches(job.trigger, job.rerun_command)) {
    cursor.find("rerun_command")->expected(fmt::format("a command that trigger \"{}\" matches", job.trigger));
  }
}

void finish(const Cursor& cursor, Postsubmit& job) { finish_change_job(cursor, job, job.always_run.value_or(false)); }

void finish(const Cursor& cursor, Periodic& job) {
  const int times = (job.cron.empty() ? 0 : 1) + (job.interval ? 1 : 0) + (job.minimum_interval ? 1 : 0);
  if (times != 1) cursor.error(fmt::format("expected one of cron, interval and minimum_interval, got {}", times));
  finish_base(cursor, job);
}

}  // namespace bowsprit::prow
