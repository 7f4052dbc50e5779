// SPDX-License-Identifier: Apache-2.0
#include "app/engine.h"

#include <unistd.h>

#include <algorithm>

#include "app/outcome.h"
#include "app/run_files.h"
#include "app/server_parts.h"
#include "artifact/result_json.h"
#include "base/log.h"
#include "base/strings.h"
#include "os/files.h"
#include "prow/job_json.h"
#include "sched/queue.h"
#include "trigger/trigger.h"

namespace bowsprit::app {
namespace {

using sched::JobState;
using store::Run;

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

int next_attempt(const std::vector<Run>& latest, const std::string& job) {
  const auto it = std::ranges::find(latest, job, &Run::job);
  return it == latest.end() ? 1 : it->attempt + 1;
}

}  // namespace

Engine::Engine(EngineOptions options, Parts parts) : options_(std::move(options)), parts_(std::move(parts)) {}
Engine::~Engine() = default;

std::string Engine::page_url(std::int64_t run) const {
  return options_.public_url.empty() ? std::string() : fmt::format("{}/run/{}", options_.public_url, run);
}

std::filesystem::path Engine::live_log(std::int64_t run) const {
  return options_.runs / std::to_string(run) / "build-log.txt";
}

Result<> Engine::run() {
  TRY(recover());
  bool stop = false;
  while (!stop) {
    // The timeout is for retries that wait for their time: runs here, reports in the store.
    auto message = channel_.pop_until(std::chrono::steady_clock::now() + milliseconds(1000));
    if (message) {
      // The store is all we have: where it fails, nothing more may happen, or things would happen twice or never.
      TRY(handle(*message, stop));
    }
    if (!stop) {
      TRY(schedule());
      TRY(send_reports());
    }
  }
  // The executor is told to end what runs; the store still says pending, so the next start runs it again.
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(active_mutex_);
    for (auto& [id, active] : active_) {
      active->stopping = true;
      ids.push_back(std::to_string(id));
    }
  }
  for (const auto& id : ids) parts_.executor.abort(id);
  return {};
}

Result<> Engine::recover() {
  TRY(parts_.executor.recover());
  TRY_ASSIGN(const auto runs, parts_.store.unfinished_runs());
  for (const auto& run : runs) {
    if (run.state != JobState::pending) continue;
    log_info("engine", "run {} of {} was cut off; it starts again", run.id, run.job);
    TRY(parts_.store.move_run(run, JobState::triggered));
  }
  TRY(make_dirs(options_.runs));
  for (const auto& entry : fs::directory_iterator(options_.runs)) TRY(remove_tree(entry.path()));
  // A run may have ended right before the crash, its report not yet written.
  std::set<std::tuple<int, int, std::string>> done;
  TRY_ASSIGN(const auto recent, parts_.store.runs({.gerrit = options_.gerrit, .limit = 200}));
  for (const auto& run : recent)
    if (sched::is_final(run.state) && done.emplace(run.change, run.patchset, run.report_label).second)
      TRY(report_if_complete(run));
  return {};
}

Result<> Engine::handle(Message& message, bool& stop) {
  if (auto* polled_message = std::get_if<Polled>(&message)) return polled(*polled_message);
  if (auto* phase = std::get_if<PhaseChanged>(&message)) return parts_.store.set_phase(phase->run, phase->phase);
  if (auto* end = std::get_if<Finished>(&message)) return finished(*end);
  if (auto* report = std::get_if<Posted>(&message)) return posted(report->report);
  // What a person asked for and can't have is their answer, not our end.
  if (auto* again = std::get_if<RerunAsked>(&message)) {
    again->answer->set_value(rerun(again->run));
    return {};
  }
  if (auto* ended = std::get_if<AbortAsked>(&message)) {
    ended->answer->set_value(abort(ended->run, ended->why));
    return {};
  }
  stop = true;
  return {};
}

Result<> Engine::polled(const Polled& polled) {
  // Written before anything is handled: after a crash in between, this is still the time from which changes are ours.
  TRY_ASSIGN(const auto start, parts_.store.poll_start(options_.gerrit, polled.project));
  if (!start) TRY(parts_.store.save_poll_position(options_.gerrit, polled.project, polled.start));
  for (const auto& change : polled.changes) {
    std::vector<std::int64_t> to_abort;
    TRY(change_seen(polled, change, to_abort));
    for (const auto id : to_abort) TRY(abort(id, fmt::format("superseded by patch set {}", change.patchset)));
    // Start at once: the first change of a long poll must not wait for the last one.
    TRY(schedule());
  }
  return parts_.store.save_poll_position(options_.gerrit, polled.project, polled.position);
}

Result<> Engine::change_seen(const Polled& polled, const gerrit::Change& change, std::vector<std::int64_t>& to_abort) {
  TRY_ASSIGN(auto mark, parts_.store.change_mark(options_.gerrit, change.number));
  if (mark && !change.meta_rev.empty() && mark->meta_rev == change.meta_rev) return {};

  TRY_ASSIGN(const auto unfinished, parts_.store.unfinished_runs());
  for (const auto& run : unfinished)
    if (run.gerrit == options_.gerrit && run.change == change.number &&
        (run.patchset < change.patchset || change.status == "ABANDONED"))
      to_abort.push_back(run.id);

  TRY_ASSIGN(const auto latest, parts_.store.latest_runs(options_.gerrit, change.number, change.patchset));
  trigger::Input input;
  input.change = change;
  input.jobs = parts_.jobs_for(change.project);
  input.patchset_is_new = mark ? change.patchset > mark->patchset_triggered : change.patchset_created >= polled.start;
  input.new_messages = new_messages(change, mark ? &*mark : nullptr, polled);
  input.known = known_runs(latest);
  const trigger::Output output = trigger::decide(input);

  store::Store::Transaction transaction(parts_.store);
  for (const auto& decision : output.decisions) {
    log_debug("trigger", "change {} patch set {} job {}: {} ({})", change.number, change.patchset, decision.job,
              decision.run ? "runs" : "does not run", decision.reason);
    if (!decision.run) continue;
    const prow::Presubmit* job = &input.jobs[decision.index];  // by index: a name may be there once per branch
    Run run;
    run.prow_job_id = new_uuid();
    run.gerrit = options_.gerrit;
    run.project = change.project;
    run.branch = change.branch;
    run.change = change.number;
    run.patchset = change.patchset;
    run.revision = change.revision;
    run.ref = change.ref;
    run.subject = change.subject;
    run.author = change.owner.name;
    run.job = job->name;
    run.job_json = dump_json(prow::to_json(*job));
    run.report_label = job->report_label().value_or(options_.default_label);
    run.optional = job->optional;
    run.skip_report = job->skip_report;
    run.attempt = next_attempt(latest, job->name);
    run.trigger_key = decision.trigger_key;
    run.reason = decision.reason;
    run.created = SystemClock::now();
    TRY_ASSIGN(const auto id, parts_.store.add_run(run));
    if (id) log_info("engine", "run {} of {} for change {},{}: {}", *id, run.job, run.change, run.patchset, run.reason);
  }
  for (std::size_t i = 0; i < output.comments.size(); ++i) {
    store::Report report;
    report.gerrit = options_.gerrit;
    report.project = change.project;
    report.change = change.number;
    report.patchset = change.patchset;
    report.revision = change.revision;
    report.key =
        sha256_hex(fmt::format("help {} {} {} {}", change.number,
                               input.new_messages.empty() ? "" : input.new_messages.back().id, i, output.comments[i]))
            .substr(0, 16);
    report.message = fmt::format("{}\n\nbowsprit-report: {}", output.comments[i], report.key);
    report.with_vote = false;
    TRY(parts_.store.add_report(report));
  }
  store::ChangeMark next = mark.value_or(store::ChangeMark{.gerrit = options_.gerrit, .change = change.number});
  next.project = change.project;
  next.meta_rev = change.meta_rev;
  if (output.patchset_done || !input.patchset_is_new)
    next.patchset_triggered = std::max(next.patchset_triggered, change.patchset);
  if (!change.messages.empty()) next.last_message = change.messages.back().id;
  TRY(parts_.store.save_change_mark(next));
  return transaction.commit();
}

Result<> Engine::schedule() {
  TRY_ASSIGN(const auto unfinished, parts_.store.unfinished_runs());
  std::vector<sched::QueueEntry> entries;
  const auto now = std::chrono::steady_clock::now();
  waiting_ = static_cast<int>(std::ranges::count(unfinished, JobState::triggered, &Run::state));
  running_ = static_cast<int>(unfinished.size()) - waiting_;
  for (const auto& run : unfinished) {
    const auto wait = not_before_.find(run.id);
    if (wait != not_before_.end() && wait->second > now) continue;
    const auto job = parse_json(run.job_json);
    entries.push_back({run.id, run.job, job ? static_cast<int>(json_int(*job, "max_concurrency")) : 0, run.state});
  }
  for (const auto id : sched::startable(entries, parts_.executor.capacity())) {
    const auto run = std::ranges::find(unfinished, id, &Run::id);
    TRY(start(*run));
  }
  return {};
}

Result<> Engine::start(Run run) {
  auto job = prow::presubmit_from_json(run.job_json);
  run.started = SystemClock::now();
  auto active = std::make_shared<Active>();
  active->folder = options_.runs / std::to_string(run.id);
  const auto prepared = [&]() -> Result<> {
    if (!job) return std::unexpected(Error(job.error()));
    TRY(remove_tree(active->folder));
    TRY(make_dirs(active->folder / "artifacts"));
    TRY_ASSIGN(active->log, Fd::open(live_log(run.id), O_WRONLY | O_CREAT | O_TRUNC));
    return {};
  }();
  if (!prepared) {
    run.finished = run.started;
    run.verdict = to_string(Verdict::infra_error);
    run.description = Error(prepared.error()).with("prepare run {}", run.id).text();
    TRY(parts_.store.move_run(run, JobState::error));
    run.state = JobState::error;
    return report_if_complete(run);
  }
  run.artifacts = run_folder(run);
  run.phase = "source";
  TRY(parts_.store.move_run(run, JobState::pending));
  run.state = JobState::pending;
  active->run = run;
  active->job = std::move(*job);
  {
    const std::lock_guard lock(active_mutex_);
    active_[run.id] = active;
  }
  parts_.metrics.observe("bowsprit_queue_seconds", std::chrono::duration<double>(*run.started - run.created).count());
  log_info("engine", "run {} of {} for change {},{} starts", run.id, run.job, run.change, run.patchset);
  if (auto put = put_started(parts_.artifacts, run, active->job); !put)
    log_warn("engine", "run {}: {}", run.id, put.error().text());
  exec::RunRequest request;
  request.id = std::to_string(run.id);
  request.prow_job_id = run.prow_job_id;
  request.job = active->job;
  request.refs = refs_of(run, active->job);
  request.artifacts = active->folder / "artifacts";
  parts_.executor.start(std::move(request), *this);
  return {};
}

void Engine::on_phase(const std::string& id, std::string_view phase) {
  post(PhaseChanged{parse_int(id).value_or(0), std::string(phase)});
}

void Engine::on_output(const std::string& id, std::string_view bytes) {
  std::shared_ptr<Active> active;
  {
    const std::lock_guard lock(active_mutex_);
    const auto it = active_.find(parse_int(id).value_or(0));
    if (it == active_.end()) return;
    active = it->second;
  }
  // One run's output comes from one thread, so the log needs no lock of its own.
  if (active->logged >= options_.log_limit) return;
  const auto room = options_.log_limit - active->logged;
  const std::string_view kept = bytes.substr(0, room);
  active->logged += kept.size();
  if (auto done = active->log.write_all(kept); !done) log_warn("engine", "log of run {}: {}", id, done.error().text());
  if (active->logged >= options_.log_limit) [[maybe_unused]]
    const auto noted = active->log.write_all(
        fmt::format("\n[bowsprit: more than {} MiB of output; the rest is not kept]\n", options_.log_limit >> 20U));
}

void Engine::on_finished(const std::string& id, exec::RunOutcome outcome) {
  const auto number = parse_int(id).value_or(0);
  std::shared_ptr<Active> active;
  {
    const std::lock_guard lock(active_mutex_);
    const auto it = active_.find(number);
    if (it == active_.end()) return;
    active = it->second;
  }
  if (active->stopping) return;
  // Judging and uploading happen here, on the run's own thread, so that a slow store never holds up other runs.
  std::optional<RunResult> from_job;
  if (auto text = read_file(active->folder / "artifacts" / "result.json", std::size_t{256} << 20U)) {
    if (auto result = artifact::read_result_json(*text)) {
      from_job = std::move(*result);
    } else {
      log_warn("engine", "run {}: {}", id, result.error().text());
    }
  }
  Judged judged = judge_outcome(outcome, from_job);
  Finished finished{number, judged.state, std::move(judged.result), judged.retry, std::move(outcome)};
  if (auto done = upload(*active, finished); !done) {
    log_error("engine", "artifacts of run {}: {}", id, done.error().text());
    finished.state = JobState::error;
    finished.retry = true;
    finished.result.verdict = Verdict::infra_error;
    finished.result.summary = done.error().text();
  }
  post(std::move(finished));
}

Result<> Engine::upload(const Active& active, const Finished& finished) {
  Run run = active.run;
  run.state = finished.state;
  run.verdict = to_string(finished.result.verdict);
  run.base_sha = finished.outcome.base_sha;
  run.merged_sha = finished.outcome.merged_sha;
  return put_finished(parts_.artifacts, options_.artifacts_url, run, active.job, finished.result, active.folder);
}

Result<> Engine::finished(Finished& finished) {
  std::shared_ptr<Active> active;
  {
    const std::lock_guard lock(active_mutex_);
    const auto it = active_.find(finished.run);
    if (it == active_.end()) return {};
    active = it->second;
    active_.erase(it);
  }
  TRY_ASSIGN(auto stored, parts_.store.run(finished.run));
  if (!stored) return {};
  Run run = std::move(*stored);
  run.base_sha = finished.outcome.base_sha;
  run.merged_sha = finished.outcome.merged_sha;
  run.verdict = to_string(finished.result.verdict);
  run.description = shorten(printable(finished.result.summary), 1000);
  run.phase.clear();
  const auto reason = abort_reasons_.find(run.id);
  if (reason != abort_reasons_.end()) {
    finished.state = JobState::aborted;
    finished.retry = false;
    run.verdict = to_string(Verdict::aborted);
    run.description = reason->second;
    abort_reasons_.erase(reason);
  }
  if (finished.retry && run.infra_retries < options_.infra_retries) {
    ++run.infra_retries;
    not_before_[run.id] = std::chrono::steady_clock::now() + options_.retry_delay * run.infra_retries;
    log_warn("engine", "run {}: {}; try {} of {} follows", run.id, run.description, run.infra_retries + 1,
             options_.infra_retries + 1);
    parts_.metrics.add("bowsprit_infra_retries_total");
    TRY(parts_.store.move_run(run, JobState::triggered));
  } else {
    not_before_.erase(run.id);
    run.finished = SystemClock::now();
    parts_.metrics.add("bowsprit_runs_total", {{"job", run.job}, {"verdict", run.verdict}});
    parts_.metrics.observe("bowsprit_run_seconds",
                           std::chrono::duration<double>(*run.finished - run.started.value_or(run.created)).count());
    log_info("engine", "run {} of {} for change {},{}: {}: {}", run.id, run.job, run.change, run.patchset, run.verdict,
             run.description);
    TRY(parts_.store.move_run(run, finished.state));
    run.state = finished.state;
    TRY(report_if_complete(run));
  }
  if (auto removed = remove_tree(active->folder); !removed) log_warn("engine", "{}", removed.error().text());
  return {};
}

std::optional<RunResult> Engine::stored_result(const Run& run) {
  if (run.artifacts.empty()) return std::nullopt;
  auto text = parts_.results.get(run.artifacts + "/artifacts/result.json");
  if (!text) return std::nullopt;
  auto result = artifact::read_result_json(*text);
  if (!result) return std::nullopt;
  return std::move(*result);
}

Result<> Engine::report_if_complete(const Run& run) {
  TRY_ASSIGN(const auto mark, parts_.store.change_mark(options_.gerrit, run.change));
  if (mark && mark->patchset_triggered > run.patchset) return {};
  TRY_ASSIGN(auto latest, parts_.store.latest_runs(run.gerrit, run.change, run.patchset));
  std::erase_if(latest, [&](const Run& other) { return other.report_label != run.report_label || other.skip_report; });
  std::ranges::sort(latest, {}, &Run::id);
  const bool all_final = std::ranges::all_of(latest, [](const Run& other) { return sched::is_final(other.state); });
  const bool any_verdict =
      std::ranges::any_of(latest, [](const Run& other) { return other.state != JobState::aborted; });
  if (!all_final || !any_verdict) return {};
  std::string covered;
  std::vector<report::JobLine> lines;
  for (const auto& other : latest) {
    covered += fmt::format("{} ", other.id);
    lines.push_back(
        {other.job, other.state, page_url(other.id), other.optional, other.description, stored_result(other)});
  }
  store::Report report;
  report.gerrit = run.gerrit;
  report.project = run.project;
  report.change = run.change;
  report.patchset = run.patchset;
  report.revision = run.revision;
  report.label = run.report_label;
  report.key =
      sha256_hex(fmt::format("{} {} {} {} {}", run.gerrit, run.change, run.patchset, run.report_label, covered))
          .substr(0, 16);
  const auto text = report::make_report(lines, {.key = report.key});
  report.message = text.message;
  report.vote = text.vote;
  report.with_vote = !run.report_label.empty();
  TRY(parts_.store.add_report(report));
  return {};
}

Result<> Engine::send_reports() {
  TRY_ASSIGN(const auto open, parts_.store.open_reports());
  const auto now = SystemClock::now();
  for (auto report : open) {
    if (sending_.contains(report.id) || report.not_before > now) continue;
    // Whatever was `sending` or was tried before may have arrived; the reporter looks for its key before it posts again.
    ++report.tries;
    const bool maybe_posted = report.state == store::Report::State::sending;
    report.state = store::Report::State::sending;
    TRY(parts_.store.save_report(report));
    sending_.insert(report.id);
    if (!maybe_posted && report.tries == 1)
      log_debug("engine", "report {} goes to change {}", report.key, report.change);
    parts_.post_report(report);
  }
  return {};
}

Result<> Engine::posted(const store::Report& report) {
  sending_.erase(report.id);
  parts_.metrics.add("bowsprit_reports_total",
                     {{"outcome", report.state == store::Report::State::sent      ? "sent"
                                  : report.state == store::Report::State::dropped ? "dropped"
                                                                                  : "waiting"}});
  if (report.state == store::Report::State::sent)
    log_info("engine", "change {},{}: reported{}", report.change, report.patchset,
             report.error.empty() ? "" : " (" + report.error + ")");
  else if (!report.error.empty())
    log_warn("engine", "change {},{}: report {}: {}", report.change, report.patchset,
             report.state == store::Report::State::dropped ? "dropped" : "waits", report.error);
  return parts_.store.save_report(report);
}

Result<std::int64_t> Engine::rerun(std::int64_t id) {
  TRY_ASSIGN(const auto old, parts_.store.run(id));
  if (!old) return fail(ErrorKind::not_found, "rerun: no run {}", id);
  if (!sched::is_final(old->state)) return fail(ErrorKind::conflict, "rerun: run {} has not ended", id);
  TRY_ASSIGN(const auto latest, parts_.store.latest_runs(old->gerrit, old->change, old->patchset));
  Run run = *old;
  run.id = 0;
  run.prow_job_id = new_uuid();
  run.attempt = next_attempt(latest, run.job);
  run.trigger_key = fmt::format("rerun:{}", run.attempt);
  run.reason = fmt::format("rerun of {}", id);
  run.state = JobState::triggered;
  run.verdict.clear();
  run.description.clear();
  run.base_sha.clear();
  run.merged_sha.clear();
  run.artifacts.clear();
  run.infra_retries = 0;
  run.created = SystemClock::now();
  run.started.reset();
  run.finished.reset();
  TRY_ASSIGN(const auto added, parts_.store.add_run(run));
  if (!added) return fail(ErrorKind::conflict, "rerun: attempt {} of run {} is there already", run.attempt, id);
  return *added;
}

Result<> Engine::abort(std::int64_t id, const std::string& why) {
  TRY_ASSIGN(auto run, parts_.store.run(id));
  if (!run) return fail(ErrorKind::not_found, "abort: no run {}", id);
  if (sched::is_final(run->state)) return fail(ErrorKind::conflict, "abort: run {} has ended", id);
  log_info("engine", "run {} of {} is aborted: {}", id, run->job, why);
  if (run->state == JobState::pending) {
    abort_reasons_[id] = why;
    parts_.executor.abort(std::to_string(id));
    return {};
  }
  run->finished = SystemClock::now();
  run->verdict = to_string(Verdict::aborted);
  run->description = why;
  TRY(parts_.store.move_run(*run, JobState::aborted));
  return report_if_complete(*run);
}

}  // namespace bowsprit::app
