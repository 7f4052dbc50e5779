// SPDX-License-Identifier: Apache-2.0
#include "prow/layout.h"

#include "base/strings.h"
#include "prow/job_env.h"
#include "prow/job_fields.h"
#include "prow/job_json.h"

namespace bowsprit::prow::layout {

namespace {

/// Prow's times have whole seconds.
std::string time_text(SystemTime time) { return rfc3339(std::chrono::floor<seconds>(time)).substr(0, 19) + "Z"; }

std::string pull_folder(const Place& place) {
  std::string folder = "pr-logs/pull/";
  if (const std::string segment = repo_segment(place); !segment.empty()) folder += segment + "/";
  return folder + fmt::format("{}/{}", place.pull, place.job);
}

}  // namespace

std::string repo_segment(const Place& place) {
  if (place.strategy == Strategy::legacy && place.org == place.default_org)
    return place.repo == place.default_repo ? std::string() : place.repo;
  if (place.strategy == Strategy::single && place.org == place.default_org && place.repo == place.default_repo)
    return {};
  std::string_view host = place.org;
  for (const std::string_view scheme : {"https://", "http://"})
    if (host.starts_with(scheme)) host.remove_prefix(scheme.size());
  while (host.ends_with('/')) host.remove_suffix(1);
  // A Gerrit below a path of its host has a '/' here, which must not become a folder.
  return replace_all(fmt::format("{}_{}", host, place.repo), "/", "_");
}

std::optional<Strategy> strategy_of(std::string_view word) {
  if (word == "explicit") return Strategy::explicit_;
  if (word == "legacy") return Strategy::legacy;
  if (word == "single") return Strategy::single;
  return std::nullopt;
}

std::string run_folder(const Place& place) {
  switch (place.type) {
    case JobType::presubmit: return pull_folder(place) + "/" + place.build_id;
    case JobType::batch: return fmt::format("pr-logs/pull/batch/{}/{}", place.job, place.build_id);
    case JobType::postsubmit:
    case JobType::periodic: break;
  }
  return fmt::format("logs/{}/{}", place.job, place.build_id);
}

std::string alias_file(const Place& place) {
  if (place.type != JobType::presubmit) return {};
  return fmt::format("pr-logs/directory/{}/{}.txt", place.job, place.build_id);
}

std::vector<std::string> latest_build_files(const Place& place) {
  if (place.type == JobType::postsubmit || place.type == JobType::periodic)
    return {fmt::format("logs/{}/latest-build.txt", place.job)};
  if (place.type == JobType::batch) return {fmt::format("pr-logs/directory/{}/latest-build.txt", place.job)};
  return {fmt::format("pr-logs/directory/{}/latest-build.txt", place.job), pull_folder(place) + "/latest-build.txt"};
}

Json started(const Refs& refs, std::string_view merged_sha, SystemTime when) {
  const std::string pull_sha = refs.pulls.empty() ? refs.base_sha : refs.pulls.front().sha;
  const std::string commit = merged_sha.empty() ? pull_sha : std::string(merged_sha);
  Json json{{"timestamp", unix_seconds(when)}, {"repo-version", commit}};
  if (!refs.pulls.empty()) json["pull"] = std::to_string(refs.pulls.front().number);
  json["repos"] = Json{{refs.org + "/" + refs.repo, refs.text()}};
  json["repo-commit"] = commit;
  return json;
}

Json finished(const Finish& finish) {
  Json json{{"timestamp", unix_seconds(finish.when)},
            {"passed", finish.passed},
            {"result", finish.passed    ? "SUCCESS"
                       : finish.aborted ? "ABORTED"
                                        : "FAILURE"}};
  if (!finish.metadata.empty()) json["metadata"] = finish.metadata;
  if (!finish.revision.empty()) json["revision"] = finish.revision;
  return json;
}

Json prow_job(const Presubmit& job, const Refs& refs, const ProwJobState& state) {
  Json labels = yaml::to_json(job.labels);
  labels["created-by-prow"] = "true";
  labels["prow.k8s.io/type"] = to_string(state.type);
  labels["prow.k8s.io/id"] = state.name;
  labels["prow.k8s.io/build-id"] = state.build_id;
  labels["prow.k8s.io/job"] = job.name.substr(0, 63);
  Json annotations = yaml::to_json(job.annotations);
  annotations["prow.k8s.io/job"] = job.name;
  annotations["prow.k8s.io/context"] = job.context;

  Json spec{{"type", to_string(state.type)}, {"agent", "kubernetes"}, {"cluster", job.cluster}, {"job", job.name}};
  if (state.type != JobType::periodic) spec["refs"] = to_json(refs);
  for (const Refs& extra : job.extra_refs) spec["extra_refs"].push_back(to_json(extra));
  spec["report"] = !job.skip_report;
  spec["context"] = job.context;
  if (!job.rerun_command.empty()) spec["rerun_command"] = job.rerun_command;
  if (job.max_concurrency > 0) spec["max_concurrency"] = job.max_concurrency;
  spec["pod_spec"] = job.spec;
  if (job.decorate) spec["decoration_config"] = yaml::to_json(job.decoration_config);

  Json status{{"state", state.state}, {"build_id", state.build_id}};
  if (state.started) status["startTime"] = time_text(*state.started);
  if (state.completed) status["completionTime"] = time_text(*state.completed);
  if (!state.description.empty()) status["description"] = state.description;
  if (!state.url.empty()) status["url"] = state.url;

  return {{"apiVersion", "prow.k8s.io/v1"},
          {"kind", "ProwJob"},
          {"metadata",
           {{"name", state.name},
            {"creationTimestamp", time_text(state.created)},
            {"labels", labels},
            {"annotations", annotations}}},
          {"spec", spec},
          {"status", status}};
}

}  // namespace bowsprit::prow::layout
