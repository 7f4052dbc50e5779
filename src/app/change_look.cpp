// SPDX-License-Identifier: Apache-2.0
#include "app/change_look.h"

#include <algorithm>
#include <limits>

#include "app/server_parts.h"
#include "base/log.h"
#include "base/strings.h"
#include "prow/job_json.h"
#include "trigger/postsubmit.h"

namespace bowsprit::app {
namespace {

using sched::JobState;
using store::Run;

constexpr const char* kMerged = "MERGED";

/// Messages of the current patch set that were not handled yet and are not our own.
std::vector<gerrit::Message> new_messages(const gerrit::Change& change, const store::ChangeMark* mark,
                                          const Polled& polled) {
  auto first = change.messages.begin();
  if (mark != nullptr && !mark->last_message.empty()) {
    const auto last = std::ranges::find(change.messages, mark->last_message, &gerrit::Message::id);
    // Deleted since? Then all are looked at again: the key of a run names its message, so none is started twice.
    if (last != change.messages.end()) first = std::next(last);
  }
  std::vector<gerrit::Message> out;
  for (; first != change.messages.end(); ++first) {
    const bool ours = polled.own_account != 0 && first->author == polled.own_account;
    if (!ours && first->patchset == change.patchset && first->date >= polled.start) out.push_back(*first);
  }
  return out;
}

trigger::KnownRuns known_runs(const std::vector<Run>& latest) {
  trigger::KnownRuns known;
  for (const auto& run : latest) {
    if (run.type != "presubmit") continue;
    if (!sched::is_final(run.state)) {
      known.running.insert(run.job);
    } else if (run.state == JobState::success) {
      known.passed.insert(run.job);
    } else {
      known.failed.insert(run.job);
    }
  }
  return known;
}

/// What one look has to do with.
struct Look {
  store::Store& store;
  const LookOptions& options;
  const gerrit::Change& change;
  std::vector<Run> latest;  ///< newest runs of the patch set's jobs

  Result<> keep(const trigger::Decision& decision, const std::string& type) const {
    log_debug("trigger", "change {} patch set {} {} {}: {} ({})", change.number, change.patchset, type, decision.job,
              decision.run ? "runs" : "does not run", decision.reason);
    if (decision.cause.empty()) return {};  // nothing asked for it: no decision was made
    store::Decision row;
    row.gerrit = options.gerrit;
    row.change = change.number;
    row.patchset = change.patchset;
    row.type = type;
    row.job = decision.job;
    row.cause = decision.cause;
    row.run = decision.run;
    row.reason = decision.reason;
    row.at = SystemClock::now();
    return store.add_decision(row);
  }

  /// A row for the run, unless it is there from an earlier look.
  Result<> add(const trigger::Decision& decision, const std::string& type, const prow::Presubmit& job) const {
    Run run = run_of(change, options.gerrit);
    run.type = type;
    run.prow_job_id = new_uuid();
    run.job = job.name;
    run.job_json = dump_json(prow::to_json(job));
    run.report_label = job.report_label().value_or(options.default_label);
    run.optional = job.optional;
    run.skip_report = job.skip_report;
    run.attempt = next_attempt(latest, type, job.name);
    run.trigger_key = decision.trigger_key;
    run.reason = decision.reason;
    run.created = SystemClock::now();
    TRY_ASSIGN(const auto id, store.add_run(run));
    if (id) log_info("engine", "run {} of {} for change {},{}: {}", *id, run.job, run.change, run.patchset, run.reason);
    return {};
  }

  Result<> add_comment(const trigger::Comment& comment) const {
    store::Report report;
    report.gerrit = options.gerrit;
    report.project = change.project;
    report.change = change.number;
    report.patchset = change.patchset;
    report.revision = change.revision;
    report.key = sha256_hex(fmt::format("comment {} {} {}", options.gerrit, change.number, comment.key)).substr(0, 16);
    // A label of its own, as a report takes the place of the one that waits for the same patch set and label.
    report.label = "comment " + report.key;
    report.message = fmt::format("{}\n\nbowsprit-report: {}", comment.text, report.key);
    report.with_vote = false;
    TRY(store.add_report(report));
    return {};
  }
};

/// Of the runs that are under way: those that this look makes pointless, and those that somebody wants to end.
/// Which of the change's unfinished runs.
std::vector<RunToEnd> runs_to_end(const std::vector<Run>& unfinished, const gerrit::Change& change,
                                  const std::vector<trigger::Abort>& aborts) {
  std::vector<RunToEnd> out;
  for (const auto& run : unfinished) {
    if (run.type != "presubmit") continue;
    const auto asked = std::ranges::find_if(
        aborts, [&run](const trigger::Abort& abort) { return abort.job.empty() || abort.job == run.job; });
    if (run.patchset < change.patchset)
      out.push_back({run.id, fmt::format("superseded by patch set {}", change.patchset)});
    else if (change.status == "ABANDONED")
      out.push_back({run.id, "the change was abandoned"});
    else if (asked != aborts.end())
      out.push_back({run.id, asked->why});
  }
  return out;
}

}  // namespace

Run run_of(const gerrit::Change& change, const std::string& gerrit) {
  Run run;
  run.gerrit = gerrit;
  run.project = change.project;
  run.branch = change.branch;
  run.change = change.number;
  run.patchset = change.patchset;
  run.revision = change.revision;
  run.ref = change.ref;
  run.subject = change.subject;
  run.author = change.owner.name;
  return run;
}

int next_attempt(const std::vector<Run>& latest, const std::string& type, const std::string& job) {
  const auto it = std::ranges::find_if(latest, [&](const Run& run) { return run.type == type && run.job == job; });
  return it == latest.end() ? 1 : it->attempt + 1;
}

Result<std::vector<RunToEnd>> look_at_change(store::Store& store, const JobTable& jobs, const LookOptions& options,
                                             const Polled& polled, const gerrit::Change& change) {
  TRY_ASSIGN(auto mark, store.change_mark(options.gerrit, change.number));
  if (mark && !change.meta_rev.empty() && mark->meta_rev == change.meta_rev) return std::vector<RunToEnd>{};

  const ProjectJobs configured = jobs.project_jobs(change.project);
  TRY_ASSIGN(const auto unfinished, store.runs({.change = change.number,
                                                .gerrit = options.gerrit,
                                                .unfinished = true,
                                                .limit = std::numeric_limits<int>::max()}));
  TRY_ASSIGN(auto latest, store.latest_runs(options.gerrit, change.number, change.patchset));
  const Look look{store, options, change, std::move(latest)};
  trigger::Input input;
  input.change = change;
  input.jobs = configured.presubmits;
  input.patchset_is_new = mark ? change.patchset > mark->patchset_triggered : change.patchset_created >= polled.start;
  input.new_messages = new_messages(change, mark ? &*mark : nullptr, polled);
  input.known = known_runs(look.latest);
  input.policy = {.who = options.who, .trusted = polled.trusted};
  input.approved = mark ? mark->approved : "";
  input.allowed_trigger = configured.allowed_trigger;
  const trigger::Output output = trigger::decide(input);
  const bool merged_now =
      change.status == kMerged && (mark && mark->status == kMerged ? false : change.submitted >= polled.start);

  store::Store::Transaction transaction(store);
  for (const auto& decision : output.decisions) {
    TRY(look.keep(decision, "presubmit"));
    // By index: a name may be there once per branch.
    if (decision.run) TRY(look.add(decision, "presubmit", input.jobs[decision.index]));
  }
  if (merged_now)
    for (const auto& decision : trigger::decide_postsubmits(change, configured.postsubmits)) {
      TRY(look.keep(decision, "postsubmit"));
      if (decision.run)
        TRY(look.add(decision, "postsubmit", prow::as_presubmit(configured.postsubmits[decision.index])));
    }
  for (const auto& comment : output.comments)
    if (configured.help || comment.key == "waits") TRY(look.add_comment(comment));
  store::ChangeMark next = mark.value_or(store::ChangeMark{.gerrit = options.gerrit, .change = change.number});
  next.project = change.project;
  next.meta_rev = change.meta_rev;
  next.status = change.status;
  next.patchset_seen = change.patchset;
  next.approved = output.approved;
  if (output.patchset_done || !input.patchset_is_new)
    next.patchset_triggered = std::max(next.patchset_triggered, change.patchset);
  if (!change.messages.empty()) next.last_message = change.messages.back().id;
  auto to_end = runs_to_end(unfinished, change, output.aborts);
  // Kept with the look: after a crash nobody would ask for it again.
  for (const auto& one : to_end) TRY(store.ask_abort(one.run, one.why));
  TRY(store.save_change_mark(next));
  TRY(transaction.commit());
  return to_end;
}

}  // namespace bowsprit::app
