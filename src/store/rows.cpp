// SPDX-License-Identifier: Apache-2.0
#include "store/rows.h"

namespace bowsprit::store {

const std::string_view kRunColumns =
    "runs.id, runs.prow_job_id, runs.gerrit, runs.project, runs.branch, runs.change, runs.patchset, runs.revision, "
    "runs.ref, runs.subject, runs.author, runs.job, runs.job_json, runs.report_label, runs.optional, runs.skip_report, "
    "runs.attempt, runs.trigger_key, runs.reason, runs.state, runs.verdict, runs.description, runs.base_sha, "
    "runs.merged_sha, runs.artifacts, runs.phase, runs.infra_retries, runs.created, runs.started, runs.finished, "
    "runs.type, runs.abort_reason, runs.periodic_retry";
const std::string_view kReportColumns =
    "id, gerrit, project, change, patchset, revision, label, key, message, vote, with_vote, state, tries, not_before, "
    "error, findings";
const std::string_view kEventColumns = "id, run, at, from_state, to_state, phase";
const std::string_view kDecisionColumns = "id, gerrit, change, patchset, type, job, cause, run, reason, at";

Run read_run(Query& row) {
  Run run;
  run.id = row.integer();
  run.prow_job_id = row.text();
  run.gerrit = row.text();
  run.project = row.text();
  run.branch = row.text();
  run.change = row.small();
  run.patchset = row.small();
  run.revision = row.text();
  run.ref = row.text();
  run.subject = row.text();
  run.author = row.text();
  run.job = row.text();
  run.job_json = row.text();
  run.report_label = row.text();
  run.optional = row.flag();
  run.skip_report = row.flag();
  run.attempt = row.small();
  run.trigger_key = row.text();
  run.reason = row.text();
  run.state = sched::job_state_from_string(row.text()).value_or(sched::JobState::error);
  run.verdict = row.text();
  run.description = row.text();
  run.base_sha = row.text();
  run.merged_sha = row.text();
  run.artifacts = row.text();
  run.phase = row.text();
  run.infra_retries = row.small();
  run.created = row.time();
  run.started = row.optional_time();
  run.finished = row.optional_time();
  run.type = row.text();
  run.abort_reason = row.text();
  run.periodic_retry = row.small();
  return run;
}

Decision read_decision(Query& row) {
  Decision decision;
  decision.id = row.integer();
  decision.gerrit = row.text();
  decision.change = row.small();
  decision.patchset = row.small();
  decision.type = row.text();
  decision.job = row.text();
  decision.cause = row.text();
  decision.run = row.flag();
  decision.reason = row.text();
  decision.at = row.time();
  return decision;
}

Report read_report(Query& row) {
  Report report;
  report.id = row.integer();
  report.gerrit = row.text();
  report.project = row.text();
  report.change = row.small();
  report.patchset = row.small();
  report.revision = row.text();
  report.label = row.text();
  report.key = row.text();
  report.message = row.text();
  report.vote = row.small();
  report.with_vote = row.flag();
  const std::string state = row.text();
  for (const auto candidate :
       {Report::State::waiting, Report::State::sending, Report::State::sent, Report::State::dropped})
    if (to_string(candidate) == state) report.state = candidate;
  report.tries = row.small();
  report.not_before = row.time();
  report.error = row.text();
  report.findings = row.text();
  return report;
}

Event read_event(Query& row) {
  Event event;
  event.id = row.integer();
  event.run = row.integer();
  event.at = row.time();
  event.from = sched::job_state_from_string(row.text());
  event.to = sched::job_state_from_string(row.text()).value_or(sched::JobState::error);
  event.phase = row.text();
  return event;
}

std::string_view to_string(Report::State state) {
  switch (state) {
    case Report::State::waiting: return "waiting";
    case Report::State::sending: return "sending";
    case Report::State::sent: return "sent";
    case Report::State::dropped: return "dropped";
  }
  return "dropped";
}

}  // namespace bowsprit::store
