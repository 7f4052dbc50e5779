// SPDX-License-Identifier: Apache-2.0
/// Prow's words: jobs, refs, decoration (prow.k8s.io/v1; pkg/config/jobs.go and pkg/apis/prowjobs/v1 in
/// kubernetes-sigs/prow). Pure values. Does not: read YAML (prow/config.h) or decide what runs (trigger/).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "prow/decoration.h"

namespace bowsprit::prow {

/// One pull of refs; for Gerrit `number` is the change.
struct Pull {
  int number = 0;
  std::string author;
  std::string sha;
  std::string title;     ///< empty for Gerrit, as in Prow
  std::string ref;       ///< refs/changes/01/1/2
  std::string head_ref;  ///< empty for Gerrit
  std::string link;
  std::string commit_link;
  std::string author_link;
  bool operator==(const Pull&) const = default;
};

/// A repository at a state: what is cloned, and what is merged into it.
struct Refs {
  std::string org;   ///< "https://host"
  std::string repo;  ///< project
  std::string repo_link;
  std::string base_ref;
  std::string base_sha;
  std::string base_link;
  std::string clone_uri;
  std::string path_alias;
  std::vector<Pull> pulls;
  bool workdir = false;    ///< the job starts in this one
  bool auxiliary = false;  ///< not what is tested
  bool skip_submodules = false;
  int clone_depth = 0;  ///< 0: all
  bool skip_fetch_head = false;
  std::optional<bool> blobless_fetch;
  std::vector<std::string> sparse_checkout_files;
  bool operator==(const Refs&) const = default;

  /// "base:sha,number:sha:ref": the value of PULL_REFS.
  [[nodiscard]] std::string text() const;
};

/// What presubmits, postsubmits and periodics have in common.
struct JobBase {
  std::string name;
  bool decorate = false;
  DecorationConfig decoration_config;
  int max_concurrency = 0;  ///< 0: no limit
  std::string cluster = "default";
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string path_alias;
  std::string clone_uri;
  std::vector<Refs> extra_refs;  ///< repositories that are cloned besides
  bool skip_submodules = false;
  int clone_depth = 0;
  bool skip_fetch_head = false;
  bool hidden = false;
  std::string job_queue_name;
  Json spec;  ///< the Pod spec, as JSON

  /// Label that this job votes on: label prow.k8s.io/gerrit-report-label, or nullopt where the job does not say. "":
  /// none.
  [[nodiscard]] std::optional<std::string> report_label() const;
};

/// What presubmits and postsubmits have in common.
struct ChangeJob : JobBase {
  std::string context;                ///< = name unless given
  std::string repo;                   ///< key of the map of jobs, after the host mapping: "https://host/project"
  std::vector<std::string> branches;  ///< regular expressions; empty: all
  std::vector<std::string> skip_branches;
  std::string run_if_changed;
  std::string skip_if_only_changed;
  bool skip_report = false;
};

/// A job of `presubmits:`. Regular expressions are RE2's and were compiled by the loader, so they are valid.
struct Presubmit : ChangeJob {
  bool always_run = false;
  bool optional = false;
  bool run_before_merge = false;
  std::string trigger;        ///< regular expression; Prow's default is filled in
  std::string rerun_command;  ///< "/test NAME" filled in

  /// True where it never starts by itself on a patch set.
  [[nodiscard]] bool needs_command() const {
    return !always_run && run_if_changed.empty() && skip_if_only_changed.empty();
  }
};

/// A job of `postsubmits:`: runs once when a change is merged.
struct Postsubmit : ChangeJob {
  std::optional<bool> always_run;  ///< unset: by run_if_changed and the like, else yes
};

/// Another try of a failed periodic.
struct Retry {
  int attempts = 0;
  milliseconds interval{0};
  bool run_all = false;
  bool operator==(const Retry&) const = default;
};

/// A job of `periodics:`; exactly one of the three times is set.
struct Periodic : JobBase {
  std::string cron;
  std::optional<milliseconds> interval;          ///< from start to start
  std::optional<milliseconds> minimum_interval;  ///< from end to start
  std::vector<std::string> tags;
  std::optional<Retry> retry;
};

/// Prow's default `trigger` and `rerun_command` of a job.
std::string default_trigger(std::string_view job_name);
std::string default_rerun_command(std::string_view job_name);

}  // namespace bowsprit::prow
