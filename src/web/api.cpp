// SPDX-License-Identifier: Apache-2.0
#include "web/api.h"

#include "artifact/result_json.h"
#include "web/layout.h"
#include "web/pages.h"

namespace bowsprit::web {
namespace {

Json time_json(std::optional<SystemTime> time) { return time ? Json(rfc3339(*time)) : Json(nullptr); }

}  // namespace

Json run_json(const store::Run& run, SystemTime now) {
  const auto seconds = run_seconds(run, now);
  return {{"id", run.id},
          {"job", run.job},
          {"type", run.type},
          {"state", sched::to_string(run.state)},
          {"verdict", run.verdict},
          {"description", run.description},
          {"phase", run.phase},
          {"gerrit", run.gerrit},
          {"project", run.project},
          {"branch", run.branch},
          {"change", run.change},
          {"patchset", run.patchset},
          {"revision", run.revision},
          {"ref", run.ref},
          {"subject", run.subject},
          {"author", run.author},
          {"attempt", run.attempt},
          {"optional", run.optional},
          {"reason", run.reason},
          {"base_sha", run.base_sha},
          {"merged_sha", run.merged_sha},
          {"prow_job_id", run.prow_job_id},
          {"created", rfc3339(run.created)},
          {"started", time_json(run.started)},
          {"finished", time_json(run.finished)},
          {"seconds", seconds ? Json(*seconds) : Json(nullptr)},
          {"page", fmt::format("/run/{}", run.id)},
          {"log", fmt::format("/run/{}/log", run.id)}};
}

Json runs_json(const RunsView& view) {
  Json runs = Json::array();
  for (const auto& run : view.runs) runs.push_back(run_json(run, view.now));
  // The list's page and its data take the same filters.
  const std::string query = view.next_before > 0 ? runs_url(view.filter, view.next_before).substr(1) : "";
  return {{"runs", std::move(runs)}, {"next", query.empty() ? Json(nullptr) : Json("/api/v1/runs" + query)}};
}

Json run_detail_json(const RunView& view) {
  Json json = run_json(view.run, view.now);
  Json events = Json::array();
  for (const auto& event : view.events) events.push_back(event_json(event, view.run));
  Json artifacts = Json::array();
  for (const auto& object : view.artifacts)
    artifacts.push_back({{"name", object.name}, {"size", object.size}, {"url", file_url(view.run.id, object.name)}});
  Json siblings = Json::array();
  for (const auto& run : view.siblings) siblings.push_back(run_json(run, view.now));
  json["log_size"] = view.log_size;
  json["events"] = std::move(events);
  json["artifacts"] = std::move(artifacts);
  json["more_artifacts"] = view.more_artifacts;
  json["other_runs"] = std::move(siblings);
  json["result"] = view.result ? artifact::result_to_json(*view.result) : Json(nullptr);
  json["result_problem"] = view.result_problem;
  return json;
}

Json jobs_json(const std::vector<JobView>& jobs) {
  Json list = Json::array();
  for (const auto& view : jobs) {
    const JobStats stats = stats_of(view.runs);
    const auto seconds = [](std::optional<double> value) { return value ? Json(*value) : Json(nullptr); };
    list.push_back({{"job", view.job},
                    {"page", job_url(view.job)},
                    {"runs", view.runs.size()},
                    {"passed", stats.passed},
                    {"failed", stats.failed},
                    {"no_verdict", stats.no_verdict},
                    {"wavering", stats.wavering},
                    {"median_seconds", seconds(stats.median_seconds)},
                    {"slow_seconds", seconds(stats.slow_seconds)},
                    {"latest", view.runs.empty() ? Json(nullptr) : run_json(view.runs.front(), view.now)}});
  }
  return {{"jobs", std::move(list)}};
}

Json decisions_json(int change, const std::vector<store::Decision>& decisions) {
  Json list = Json::array();
  for (const auto& decision : decisions)
    list.push_back({{"patchset", decision.patchset},
                    {"type", decision.type},
                    {"job", decision.job},
                    {"run", decision.run},
                    {"cause", decision.cause},
                    {"reason", decision.reason},
                    {"at", rfc3339(decision.at)}});
  return {{"change", change}, {"decisions", std::move(list)}};
}

Json event_json(const store::Event& event, const store::Run& run) {
  return {{"id", event.id},
          {"run", event.run},
          {"job", run.job},
          {"change", run.change},
          {"patchset", run.patchset},
          {"at", rfc3339(event.at)},
          {"from", event.from ? Json(sched::to_string(*event.from)) : Json(nullptr)},
          {"state", sched::to_string(event.to)},
          {"phase", event.phase}};
}

Json error_json(const Error& error) { return {{"error", error.text()}, {"kind", to_string(error.kind)}}; }

int http_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
    case ErrorKind::bad_config:
    case ErrorKind::bad_data: return 400;
    case ErrorKind::not_found: return 404;
    case ErrorKind::conflict: return 409;
    case ErrorKind::denied: return 403;
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::cancelled: return 503;
    case ErrorKind::os:
    case ErrorKind::bug: return 500;
  }
  return 500;
}

}  // namespace bowsprit::web
