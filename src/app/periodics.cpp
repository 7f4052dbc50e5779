// SPDX-License-Identifier: Apache-2.0
#include "app/periodics.h"

#include "app/server_parts.h"
#include "base/log.h"
#include "base/strings.h"
#include "prow/job_json.h"

namespace bowsprit::app {
namespace {

trigger::PeriodicState state_of(SystemTime since, const std::optional<store::Run>& last) {
  trigger::PeriodicState state{.since = since, .last = std::nullopt};
  if (last)
    state.last = {.queued = last->created,
                  .started = last->started,
                  .finished = last->finished,
                  .succeeded = last->state == sched::JobState::success,
                  .retry = last->periodic_retry};
  return state;
}

}  // namespace

Result<> queue_due_periodics(store::Store& store, const std::vector<PeriodicHere>& periodics, const std::string& gerrit,
                             SystemTime now) {
  for (const auto& periodic : periodics) {
    const prow::Periodic& job = periodic.job;
    TRY_ASSIGN(const SystemTime since, store.periodic_since(gerrit, job.name, trigger::schedule_text(job), now));
    TRY_ASSIGN(const auto last, store.latest_periodic(gerrit, job.name));
    const auto decision = trigger::decide_periodic(job, state_of(since, last), now);
    if (!decision.run) continue;
    store::Run run;
    run.type = "periodic";
    run.prow_job_id = new_uuid();
    run.gerrit = gerrit;
    run.project = periodic.project;
    run.branch = periodic.branch;
    run.subject = fmt::format("{} {}", periodic.project, periodic.branch);
    run.job = job.name;
    run.job_json = dump_json(prow::to_json(prow::as_presubmit(job)));
    run.skip_report = true;
    run.attempt = last ? last->attempt + 1 : 1;
    run.trigger_key = decision.trigger_key;
    run.periodic_retry = decision.retry;
    run.reason = decision.reason;
    run.created = now;
    TRY_ASSIGN(const auto id, store.add_run(run));
    if (id) log_info("engine", "run {} of periodic {}: {}", *id, run.job, run.reason);
  }
  return {};
}

}  // namespace bowsprit::app
