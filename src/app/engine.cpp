// SPDX-License-Identifier: Apache-2.0
#include "app/engine.h"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "app/change_look.h"
#include "app/clean_up.h"
#include "app/job_table.h"
#include "app/outcome.h"
#include "app/periodics.h"
#include "app/run_files.h"
#include "app/run_limits.h"
#include "app/server_parts.h"
#include "app/test_results.h"
#include "artifact/result_json.h"
#include "base/log.h"
#include "base/strings.h"
#include "os/files.h"
#include "prow/job_json.h"
#include "report/inline_comments.h"

namespace bowsprit::app {
namespace {

using sched::JobState;
using store::Run;

/// How often the clock is looked at, for periodics and for runs that stay too long.
constexpr seconds kTick{1};
constexpr seconds kCleanUpPause{3600};

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
      TRY(tick());
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
  for (auto run : runs) {
    if (!run.abort_reason.empty()) {
      // It was told to end and the server died before it had.
      run.finished = SystemClock::now();
      run.verdict = to_string(Verdict::aborted);
      run.description = run.abort_reason;
      TRY(parts_.store.move_run(run, JobState::aborted));
      continue;
    }
    if (run.state != JobState::pending) continue;
    log_info("engine", "run {} of {} was cut off; it starts again", run.id, run.job);
    TRY(parts_.store.move_run(run, JobState::triggered));
  }
  TRY(make_dirs(options_.runs));
  for (const auto& entry : fs::directory_iterator(options_.runs)) TRY(remove_tree(entry.path()));
  // A run may have ended right before the crash, its report not yet written.
  std::set<std::tuple<std::string, int, int, std::string>> done;
  TRY_ASSIGN(const auto recent, parts_.store.runs({.gerrit = options_.gerrit, .limit = 200}));
  for (const auto& run : recent)
    if (sched::is_final(run.state) && done.emplace(run.type, run.change, run.patchset, run.report_label).second)
      TRY(report_if_complete(run));
  return {};
}

Result<> Engine::handle(Message& message, bool& stop) {
  if (auto* polled_message = std::get_if<Polled>(&message)) return polled(*polled_message);
  if (auto* phase = std::get_if<PhaseChanged>(&message)) return phase_changed(*phase);
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
  const LookOptions look{.gerrit = options_.gerrit, .default_label = options_.default_label, .who = options_.who};
  for (const auto& change : polled.changes) {
    TRY_ASSIGN(const auto to_end, look_at_change(parts_.store, parts_.jobs, look, polled, change));
    for (const auto& one : to_end) TRY(abort(one.run, one.why));
    // Start at once: the first change of a long poll must not wait for the last one.
    TRY(schedule());
  }
  return parts_.store.save_poll_position(options_.gerrit, polled.project, polled.position);
}

Result<> Engine::phase_changed(const PhaseChanged& phase) {
  {
    const std::lock_guard lock(active_mutex_);
    if (const auto it = active_.find(phase.run); it != active_.end()) {
      it->second->phase = phase.phase;
      it->second->phase_since = std::chrono::steady_clock::now();
    }
  }
  return parts_.store.set_phase(phase.run, phase.phase);
}

Result<> Engine::tick() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_tick_) return {};
  next_tick_ = now + kTick;
  const auto periodics = parts_.jobs.periodics();
  TRY(queue_due_periodics(parts_.store, *periodics, options_.gerrit, SystemClock::now()));
  TRY(end_overdue());
  if (now < next_clean_up_) return {};
  const auto sinker = parts_.jobs.settings()->sinker;
  next_clean_up_ = now + std::max(sinker.resync_period.value_or(kCleanUpPause), milliseconds(kTick));
  CleanUp what{.gerrit = options_.gerrit,
               .runs = options_.keep.runs ? options_.keep.runs : sinker.max_prowjob_age,
               .work = options_.runs};
  if (sinker.max_pod_age) what.folders = *sinker.max_pod_age;
  return clean_up(parts_.store, *periodics, what, SystemClock::now());
}

Result<> Engine::end_overdue() {
  const auto limits = deadlines(*parts_.jobs.settings(), options_.timeouts);
  // Without a limit on waiting only what runs can be late, and that is little.
  TRY_ASSIGN(const auto unfinished,
             limits.scheduling.count() > 0
                 ? parts_.store.unfinished_runs()
                 : parts_.store.runs({.state = JobState::pending, .limit = std::numeric_limits<int>::max()}));
  for (auto run : unfinished) {
    sched::Stay stay{.state = run.state, .phase = {}};
    if (run.state == JobState::triggered) {
      if (run.started) continue;  // it had its turn and waits for another one: that is no fault of the queue
      stay.for_time = std::chrono::floor<milliseconds>(SystemClock::now() - run.created);
    } else {
      const std::lock_guard lock(active_mutex_);
      const auto it = active_.find(run.id);
      if (it == active_.end()) continue;
      stay.phase = it->second->phase;
      stay.for_time = std::chrono::floor<milliseconds>(std::chrono::steady_clock::now() - it->second->phase_since);
    }
    const auto why = overdue(stay, limits);
    if (!why || overdue_.contains(run.id)) continue;
    log_warn("engine", "run {} of {}: {}", run.id, run.job, *why);
    if (run.state == JobState::pending) {
      overdue_[run.id] = *why;
      parts_.executor.abort(std::to_string(run.id));
      continue;
    }
    run.finished = SystemClock::now();
    run.verdict = to_string(Verdict::infra_error);
    run.description = *why;
    TRY(parts_.store.move_run(run, JobState::error));
    run.state = JobState::error;
    TRY(report_if_complete(run));
  }
  return {};
}

Result<> Engine::schedule() {
  const auto now = std::chrono::steady_clock::now();
  const auto limits = queue_limits(*parts_.jobs.settings(), parts_.executor.capacity());
  TRY_ASSIGN(const auto look, queue_.look(parts_.store, limits, [&](std::int64_t id) {
    const auto wait = not_before_.find(id);
    return wait == not_before_.end() || wait->second <= now;
  }));
  waiting_ = look.waiting;
  running_ = look.running;
  for (const auto id : look.start) {
    TRY_ASSIGN(auto run, parts_.store.run(id));
    if (run) TRY(start(*std::move(run)));
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
  request.type = type_of(run);
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
  Finished finished{number, judged.state, std::move(judged.result), judged.retries, std::move(outcome)};
  if (auto done = upload(*active, finished); !done) {
    log_error("engine", "artifacts of run {}: {}", id, done.error().text());
    finished.state = JobState::error;
    finished.retries = kAsOftenAsAllowed;
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
  if (!run.abort_reason.empty()) {
    finished.state = JobState::aborted;
    finished.retries = 0;
    run.verdict = to_string(Verdict::aborted);
    run.description = run.abort_reason;
  } else if (const auto late = overdue_.find(run.id);
             late != overdue_.end() && finished.outcome.state == exec::RunState::aborted) {
    finished.state = JobState::error;
    finished.retries = 0;
    run.verdict = to_string(Verdict::infra_error);
    run.description = late->second;
  }
  overdue_.erase(run.id);
  const int allowed = std::min(finished.retries, options_.infra_retries);
  if (run.infra_retries < allowed) {
    ++run.infra_retries;
    not_before_[run.id] = std::chrono::steady_clock::now() + options_.retry_delay * run.infra_retries;
    log_warn("engine", "run {}: {}; try {} of {} follows", run.id, run.description, run.infra_retries + 1, allowed + 1);
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
    keep_history(run, finished.result);
    TRY(report_if_complete(run));
  }
  if (auto removed = remove_tree(active->folder); !removed) log_warn("engine", "{}", removed.error().text());
  return {};
}

/// A fault here costs the history a run, and the run nothing.
void Engine::keep_history(const Run& run, const RunResult& result) {
  store::TestHistory history(parts_.store);
  // A run that was cut off says nothing about the tests that it did not reach.
  if (run.state == JobState::success || run.state == JobState::failure)
    if (auto saved = history.save(run.id, run.job, run.created, test_results(result)); !saved)
      log_warn("engine", "history of run {}: {}", run.id, saved.error().text());
  const auto now = std::chrono::steady_clock::now();
  if (pruned_ && now - *pruned_ < std::chrono::hours(1)) return;
  constexpr int kAtOnce = 200;
  const auto gone = history.prune(SystemClock::now() - options_.history_age, kAtOnce);
  if (!gone) log_warn("engine", "old results of tests: {}", gone.error().text());
  if (!gone || *gone < kAtOnce) pruned_ = now;
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
  const auto type = type_of(run);
  if (type == prow::JobType::periodic) return {};  // no change to report on
  TRY_ASSIGN(const auto mark, parts_.store.change_mark(options_.gerrit, run.change));
  const bool presubmit = type == prow::JobType::presubmit;
  if (presubmit && mark && std::max(mark->patchset_triggered, mark->patchset_seen) > run.patchset) return {};
  TRY_ASSIGN(auto latest, parts_.store.latest_runs(run.gerrit, run.change, run.patchset));
  std::erase_if(latest, [&](const Run& other) {
    return other.type != run.type || other.report_label != run.report_label || other.skip_report;
  });
  std::ranges::sort(latest, {}, &Run::id);
  const bool all_final = std::ranges::all_of(latest, [](const Run& other) { return sched::is_final(other.state); });
  const bool all_aborted =
      std::ranges::all_of(latest, [](const Run& other) { return other.state == JobState::aborted; });
  // Where all was ended, somebody asked for it: on an open change that is told. An abandoned one needs no news.
  if (!all_final || latest.empty() || (all_aborted && (!mark || mark->status == "ABANDONED"))) return {};
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
  // A merged change takes no vote; and what is said of its postsubmits does not replace what is said of its presubmits.
  report.label = presubmit ? run.report_label : fmt::format("postsubmit {}", run.report_label);
  report.key = sha256_hex(fmt::format("{} {} {} {} {}", run.gerrit, run.change, run.patchset, report.label, covered))
                   .substr(0, 16);
  const auto text = report::make_report(lines, {.key = report.key});
  report.message = text.message;
  report.vote = text.vote;
  report.with_vote = presubmit && !run.report_label.empty();
  if (presubmit) report.findings = report::findings_json(report::findings_of(lines));
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
    TRY_ASSIGN(report.comment_keys, parts_.store.comment_keys(report.gerrit, report.change));
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
  run.attempt = std::max(next_attempt(latest, run.type, run.job), old->attempt + 1);
  run.trigger_key = run.type == "presubmit" ? fmt::format("rerun:{}", run.attempt)
                                            : fmt::format("{} rerun:{}", run.type, run.attempt);
  run.reason = fmt::format("rerun of {}", id);
  run.state = JobState::triggered;
  run.verdict.clear();
  run.description.clear();
  run.base_sha.clear();
  run.merged_sha.clear();
  run.artifacts.clear();
  run.infra_retries = 0;
  run.abort_reason.clear();
  run.periodic_retry = 0;
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
  TRY(parts_.store.ask_abort(id, why));
  if (run->state == JobState::pending) {
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
