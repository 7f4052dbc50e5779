// SPDX-License-Identifier: Apache-2.0
#include "prow/job_fields.h"

#include <algorithm>

#include "base/strings.h"
#include "prow/pod_spec.h"
#include "prow/regex.h"

namespace bowsprit::prow {

namespace {

using yaml::Cursor;
using yaml::Fields;

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name_char(char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; }

/// The name part of a Kubernetes label or annotation key, and a label's value.
bool is_label_word(std::string_view text) {
  return !text.empty() && text.size() <= 63 && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::all_of(text.begin(), text.end(), is_name_char);
}

/// [dns.name/]word
bool is_qualified_name(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return is_label_word(text);
  const std::string_view prefix = text.substr(0, slash);
  const bool dns = !prefix.empty() && prefix.size() <= 253 && std::all_of(prefix.begin(), prefix.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
  });
  return dns && is_label_word(text.substr(slash + 1));
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
    if (!value.empty() && !is_label_word(value))
      at.expected("a Kubernetes label value: at most 63 of A-Z a-z 0-9 - . _, a letter or digit at both ends");
  }
}

void check_annotations(const Cursor& cursor, const std::map<std::string, std::string>& annotations) {
  for (const auto& [key, value] : annotations) {
    if (is_qualified_name(key)) continue;
    const auto child = cursor.find(key);
    (child ? *child : cursor)
        .error("expected a Kubernetes annotation as the key: [dns.name/]word of at most 63 characters");
  }
}

void check_regex(const Cursor& cursor, const std::string& pattern) {
  if (const auto error = regex_error(pattern)) cursor.expected(fmt::format("a regular expression ({})", *error));
}

void check_regexes(const Cursor& cursor, const std::vector<std::string>& patterns) {
  for (std::size_t i = 0; i < patterns.size(); ++i) check_regex(cursor.at(i), patterns[i]);
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
      .custom("spec", [](const Cursor& cursor, Job&) { check_pod_spec(cursor); })
      .custom("agent", [](const Cursor& cursor, Job&) { check_agent(cursor); })
      .accepted({"namespace", "error_on_eviction"}, "there is no Kubernetes")
      .accepted({"reporter_config"}, "reports go to Gerrit")
      .accepted({"rerun_auth_config"}, "it names GitHub users")
      .accepted({"hidden"}, "every job is shown")
      .accepted({"prowjob_defaults"}, "it is for Google's ResultStore")
      .accepted({"job_queue_name"}, "only max_concurrency limits a job")
      .accepted({"skip_submodules"}, "submodules are never fetched")
      .accepted({"clone_depth", "skip_fetch_head"}, "jobs share one full mirror")
      .refused({"extra_refs"}, "one repository per job")
      .refused({"pipeline_run_spec", "tekton_pipeline_run_spec"}, "Tekton pipelines")
      .refused({"jenkins_spec"}, "Jenkins");
}

}  // namespace

const Fields<DecorationConfig>& fields_of(const DecorationConfig*) {
  static const auto fields =
      Fields<DecorationConfig>()
          .field("timeout", &DecorationConfig::timeout)
          .field("grace_period", &DecorationConfig::grace_period)
          .accepted({"utility_images", "resources", "scheduling_options", "default_service_account_name",
                     "set_limit_equals_memory_request", "default_memory_request", "pod_pending_timeout",
                     "pod_running_timeout", "pod_unscheduled_timeout", "run_as_user", "run_as_group", "fs_group"},
                    "there is no Pod")
          .accepted({"gcs_configuration", "gcs_credentials_secret", "s3_credentials_secret", "censor_secrets",
                     "censoring_options", "upload_ignores_interrupts"},
                    "artifacts go to the server's own folder")
          .accepted({"ssh_key_secrets", "ssh_host_fingerprints", "blobless_fetch", "sparse_checkout_files",
                     "cookiefile_secret", "oauth_token_secret", "github_api_endpoints", "github_app_id",
                     "github_app_private_key_secret"},
                    "the server fetches for its jobs, with its own account")
          .accepted({"skip_cloning"}, "a job always has its tree");
  return fields;
}

const Fields<Presubmit>& fields_of(const Presubmit*) {
  static const auto fields = base_fields<Presubmit>()
                                 .field("context", &Presubmit::context)
                                 .field("branches", &Presubmit::branches, check_regexes)
                                 .field("skip_branches", &Presubmit::skip_branches, check_regexes)
                                 .field("always_run", &Presubmit::always_run)
                                 .field("run_if_changed", &Presubmit::run_if_changed, check_regex)
                                 .field("skip_if_only_changed", &Presubmit::skip_if_only_changed, check_regex)
                                 .field("optional", &Presubmit::optional)
                                 .field("skip_report", &Presubmit::skip_report)
                                 .field("trigger", &Presubmit::trigger, check_regex)
                                 .field("rerun_command", &Presubmit::rerun_command)
                                 .accepted({"run_before_merge"}, "there is no Tide");
  return fields;
}

void finish(const Cursor& cursor, Presubmit& job) {
  const auto exclusive = [&cursor](std::string_view a, bool a_set, std::string_view b, bool b_set) {
    if (!a_set || !b_set) return;
    const auto at = cursor.find(b);
    (at ? *at : cursor).error(fmt::format("{} and {} exclude each other", a, b));
  };
  exclusive("always_run", job.always_run, "run_if_changed", !job.run_if_changed.empty());
  exclusive("always_run", job.always_run, "skip_if_only_changed", !job.skip_if_only_changed.empty());
  exclusive("run_if_changed", !job.run_if_changed.empty(), "skip_if_only_changed", !job.skip_if_only_changed.empty());
  if (job.context.empty()) job.context = job.name;
  if (job.trigger.empty() != job.rerun_command.empty()) {
    cursor.error(fmt::format("expected trigger and rerun_command together, got only {}",
                             job.trigger.empty() ? "rerun_command" : "trigger"));
  } else if (job.trigger.empty()) {
    job.trigger = default_trigger(job.name);
    job.rerun_command = default_rerun_command(job.name);
  } else if (!regex_error(job.trigger) && !regex_matches(job.trigger, job.rerun_command)) {
    cursor.find("rerun_command")->expected(fmt::format("a command that trigger \"{}\" matches", job.trigger));
  }
  if (job.skip_report && !job.report_label().value_or("").empty())
    cursor.find("labels")->error("skip_report and a gerrit-report-label exclude each other");
  if (!cursor.find("spec"))
    cursor.error("expected the field \"spec\"");
  else if (job.decorate)
    check_decorated_spec(*cursor.find("spec"));
}

}  // namespace bowsprit::prow
