// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include "base/strings.h"
#include "os/fd.h"
#include "store/migrations.h"
#include "store/rows.h"
#include "store/sqlite.h"

namespace bowsprit::store {

using sched::JobState;

struct Store::Impl {
  std::unique_ptr<Database> database;

  Result<> add_event(std::int64_t run, std::string_view from, JobState to, std::string_view phase, SystemTime at) {
    return database->run("INSERT INTO events (run, at, from_state, to_state, phase) VALUES (?, ?, ?, ?, ?)", run, at,
                         from, sched::to_string(to), phase);
  }
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;
Database& Store::database() const { return *impl_->database; }

Result<Store> Store::open(const std::filesystem::path& file) {
  // Created here and not by SQLite, so that other accounts of the machine can't read it even for a moment. SQLite gives
  // its -wal and -shm files the same mode.
  TRY(Fd::open(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  auto impl = std::make_unique<Impl>();
  TRY_ASSIGN(impl->database, Database::open(file));
  TRY(migrate(*impl->database));
  return Store(std::move(impl));
}

Result<std::optional<std::int64_t>> Store::add_run(const Run& run) {
  Database& database = *impl_->database;
  Scope scope(database);
  TRY(scope.began());
  TRY(
      database.run("INSERT INTO runs (prow_job_id, gerrit, project, branch, change, patchset, revision, ref, subject, "
                   "author, job, job_json, report_label, optional, skip_report, attempt, trigger_key, reason, state, "
                   "verdict, description, base_sha, merged_sha, artifacts, phase, infra_retries, created, started, "
                   "finished, type, abort_reason, periodic_retry) "
                   "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
                   "ON CONFLICT (gerrit, change, patchset, job, trigger_key) DO NOTHING",
                   run.prow_job_id, run.gerrit, run.project, run.branch, run.change, run.patchset, run.revision,
                   run.ref, run.subject, run.author, run.job, run.job_json, run.report_label, run.optional,
                   run.skip_report, run.attempt, run.trigger_key, run.reason, sched::to_string(run.state), run.verdict,
                   run.description, run.base_sha, run.merged_sha, run.artifacts, run.phase, run.infra_retries,
                   run.created, run.started, run.finished, run.type, run.abort_reason, run.periodic_retry));
  if (database.changed_rows() == 0) return std::nullopt;
  const std::int64_t id = database.last_insert_id();
  TRY(impl_->add_event(id, "", run.state, run.phase, run.created));
  TRY(scope.commit());
  return id;
}

Result<std::optional<Run>> Store::run(std::int64_t id) {
  TRY_ASSIGN(Query row, impl_->database->query(fmt::format("SELECT {} FROM runs WHERE id = ?", kRunColumns), id));
  return read_one(row, read_run);
}

Result<std::optional<Run>> Store::run_of_prow_job(const std::string& prow_job_id) {
  TRY_ASSIGN(Query row,
             impl_->database->query(fmt::format("SELECT {} FROM runs WHERE prow_job_id = ? LIMIT 1", kRunColumns),
                                    prow_job_id));
  return read_one(row, read_run);
}

namespace {

/// What a person typed as an FTS5 query: every word quoted, so that none is taken for an operator, and a prefix, except
/// a single letter, which would match half of all there is.
std::string match_all(std::string_view words) {
  std::string query;
  for (const auto& word : split(replace_all(std::string(words), "\t", " "), ' '))
    if (!word.empty())
      query += fmt::format("{}\"{}\"{}", query.empty() ? "" : " ", replace_all(word, "\"", "\"\""),
                           word.size() > 1 ? "*" : "");
  return query;
}

}  // namespace

Result<std::vector<Run>> Store::runs(const RunFilter& filter) {
  const std::string match = match_all(filter.words);
  // With words the index of words leads, newest row first; else the index of the column that is asked for.
  std::string sql = fmt::format("SELECT {} FROM {} WHERE {} < ?", kRunColumns,
                                match.empty() ? "runs" : "runs_text JOIN runs ON runs.id = runs_text.rowid",
                                match.empty() ? "id" : "runs_text.rowid");
  const auto add = [&sql](bool wanted, std::string_view condition) {
    if (wanted) sql.append(" AND ").append(condition);
  };
  add(filter.change.has_value(), "runs.change = ?");
  add(filter.patchset.has_value(), "runs.patchset = ?");
  add(!filter.gerrit.empty(), "runs.gerrit = ?");
  add(!filter.job.empty(), "runs.job = ?");
  add(!filter.author.empty(), "runs.author = ?");
  add(!filter.verdict.empty(), "runs.verdict = ?");
  add(filter.state.has_value(), "runs.state = ?");
  add(filter.unfinished, "runs.state IN ('triggered', 'pending')");
  add(!match.empty(), "runs_text MATCH ?");
  sql += match.empty() ? " ORDER BY id DESC LIMIT ?" : " ORDER BY runs_text.rowid DESC LIMIT ?";

  TRY_ASSIGN(Query rows, impl_->database->prepare(sql));
  int at = 0;
  rows.bind(++at, filter.before_id > 0 ? filter.before_id : std::numeric_limits<std::int64_t>::max());
  if (filter.change) rows.bind(++at, *filter.change);
  if (filter.patchset) rows.bind(++at, *filter.patchset);
  for (const auto* text : {&filter.gerrit, &filter.job, &filter.author, &filter.verdict})
    if (!text->empty()) rows.bind(++at, *text);
  if (filter.state) rows.bind(++at, sched::to_string(*filter.state));
  if (!match.empty()) rows.bind(++at, match);
  rows.bind(++at, filter.limit);
  return read_all(rows, read_run);
}

Result<std::vector<std::string>> Store::jobs() {
  // From one name to the next by the index; DISTINCT would read every row.
  TRY_ASSIGN(Query rows,
             impl_->database->query(
                 "WITH RECURSIVE names (job) AS (SELECT min(job) FROM runs UNION ALL SELECT (SELECT min(job) "
                 "FROM runs WHERE job > names.job) FROM names WHERE names.job IS NOT NULL) "
                 "SELECT job FROM names WHERE job IS NOT NULL"));
  return read_all(rows, [](Query& row) { return row.text(); });
}

Result<std::vector<Run>> Store::latest_runs(const std::string& gerrit, int change, int patchset) {
  TRY_ASSIGN(Query rows,
             impl_->database->query(
                 fmt::format("SELECT {} FROM runs WHERE id IN (SELECT max(id) FROM runs WHERE gerrit = ? AND "
                             "change = ? AND patchset = ? GROUP BY type, job) ORDER BY job, type",
                             kRunColumns),
                 gerrit, change, patchset));
  return read_all(rows, read_run);
}

Result<std::vector<Run>> Store::unfinished_runs() {
  TRY_ASSIGN(Query rows, impl_->database->query(fmt::format(
                             "SELECT {} FROM runs WHERE state IN ('triggered', 'pending') ORDER BY id", kRunColumns)));
  return read_all(rows, read_run);
}

Result<std::vector<UnfinishedRun>> Store::unfinished() {
  // One after the other: each is read along runs_by_state alone, without the rows themselves.
  std::vector<UnfinishedRun> out;
  for (const auto state : {sched::JobState::triggered, sched::JobState::pending}) {
    TRY_ASSIGN(Query rows,
               impl_->database->query("SELECT id FROM runs WHERE state = ?", std::string(sched::to_string(state))));
    while (true) {
      TRY_ASSIGN(const bool more, rows.next());
      if (!more) break;
      out.push_back({rows.integer(), state});
    }
  }
  std::ranges::sort(out, {}, &UnfinishedRun::id);
  return out;
}

Result<> Store::ask_abort(std::int64_t id, const std::string& why) {
  Scope scope(*impl_->database);
  TRY(scope.began());
  TRY_ASSIGN(const auto stored, this->run(id));
  if (!stored || sched::is_final(stored->state))
    return fail(ErrorKind::not_found, "abort run {}: it is not under way", id);
  if (!stored->abort_reason.empty()) return {};
  TRY(impl_->database->run("UPDATE runs SET abort_reason = ? WHERE id = ?", why, id));
  return scope.commit();
}

Result<std::optional<Run>> Store::latest_periodic(const std::string& gerrit, const std::string& job) {
  TRY_ASSIGN(Query row,
             impl_->database->query(fmt::format("SELECT {} FROM runs WHERE job = ? AND gerrit = ? AND type = "
                                                "'periodic' ORDER BY id DESC LIMIT 1",
                                                kRunColumns),
                                    job, gerrit));
  return read_one(row, read_run);
}

Result<SystemTime> Store::periodic_since(const std::string& gerrit, const std::string& job, const std::string& schedule,
                                         SystemTime now) {
  TRY_ASSIGN(Query row,
             impl_->database->query("SELECT since FROM periodics WHERE gerrit = ? AND job = ? AND schedule = ?", gerrit,
                                    job, schedule));
  TRY_ASSIGN(const auto known, read_one(row, [](Query& q) { return q.time(); }));
  if (known) return *known;
  Scope scope(*impl_->database);
  TRY(scope.began());
  TRY(impl_->database->run("INSERT OR REPLACE INTO periodics (gerrit, job, schedule, since) VALUES (?, ?, ?, ?)",
                           gerrit, job, schedule, now));
  TRY(scope.commit());
  return now;
}

Result<std::vector<Run>> Store::remove_runs(SystemTime time, const std::vector<std::int64_t>& keep, int limit) {
  Scope scope(*impl_->database);
  TRY(scope.began());
  std::vector<Run> removed;
  {
    TRY_ASSIGN(Query rows, impl_->database->query(fmt::format("SELECT {} FROM runs WHERE finished < ? AND state NOT IN "
                                                              "('triggered', 'pending') ORDER BY finished LIMIT ?",
                                                              kRunColumns),
                                                  time, limit + static_cast<int>(keep.size())));
    TRY_ASSIGN(removed, read_all(rows, read_run));
  }
  std::erase_if(removed, [&keep](const Run& run) { return std::ranges::find(keep, run.id) != keep.end(); });
  for (const Run& run : removed) TRY(impl_->database->run("DELETE FROM runs WHERE id = ?", run.id));
  TRY(scope.commit());
  return removed;
}

Result<> Store::add_decision(const Decision& decision) {
  Scope scope(*impl_->database);
  TRY(scope.began());
  TRY_ASSIGN(Query row, impl_->database->query(
                            fmt::format("SELECT {} FROM decisions WHERE gerrit = ? AND change = ? AND patchset = "
                                        "? AND type = ? AND job = ? ORDER BY id DESC LIMIT 1",
                                        kDecisionColumns),
                            decision.gerrit, decision.change, decision.patchset, decision.type, decision.job));
  TRY_ASSIGN(const auto newest, read_one(row, read_decision));
  if (newest && newest->cause == decision.cause && newest->run == decision.run && newest->reason == decision.reason)
    return {};
  TRY(impl_->database->run(
      "INSERT INTO decisions (gerrit, change, patchset, type, job, cause, run, reason, at) VALUES (?,?,?,?,?,?,?,?,?)",
      decision.gerrit, decision.change, decision.patchset, decision.type, decision.job, decision.cause, decision.run,
      decision.reason, decision.at));
  return scope.commit();
}

Result<std::vector<Decision>> Store::decisions(int change) {
  TRY_ASSIGN(Query rows,
             impl_->database->query(
                 fmt::format("SELECT {} FROM decisions WHERE change = ? ORDER BY id", kDecisionColumns), change));
  return read_all(rows, read_decision);
}

Result<> Store::move_run(const Run& run, JobState to) {
  Database& database = *impl_->database;
  Scope scope(database);
  TRY(scope.began());
  TRY_ASSIGN(const auto stored, this->run(run.id));
  if (!stored)
    return fail(ErrorKind::not_found, "move run {} to {}: there is no such run", run.id, sched::to_string(to));
  if (!sched::can_move(stored->state, to))
    return fail(ErrorKind::conflict, "move run {} to {}: it is {}", run.id, sched::to_string(to),
                sched::to_string(stored->state));
  TRY(
      database.run("UPDATE runs SET state = ?, verdict = ?, description = ?, base_sha = ?, merged_sha = ?, "
                   "artifacts = ?, phase = ?, infra_retries = ?, started = ?, finished = ? WHERE id = ?",
                   sched::to_string(to), run.verdict, run.description, run.base_sha, run.merged_sha, run.artifacts,
                   run.phase, run.infra_retries, run.started, run.finished, run.id));
  TRY(impl_->add_event(run.id, sched::to_string(stored->state), to, run.phase, SystemClock::now()));
  return scope.commit();
}

Result<> Store::set_phase(std::int64_t id, const std::string& phase) {
  Scope scope(*impl_->database);
  TRY(scope.began());
  TRY_ASSIGN(const auto stored, this->run(id));
  if (!stored) return fail(ErrorKind::not_found, "set phase '{}' of run {}: there is no such run", phase, id);
  if (sched::is_final(stored->state) || stored->phase == phase) return {};
  TRY(impl_->database->run("UPDATE runs SET phase = ? WHERE id = ?", phase, id));
  TRY(impl_->add_event(id, sched::to_string(stored->state), stored->state, phase, SystemClock::now()));
  return scope.commit();
}

Result<std::vector<Event>> Store::run_events(std::int64_t run) {
  TRY_ASSIGN(Query rows, impl_->database->query(
                             fmt::format("SELECT {} FROM events WHERE run = ? ORDER BY id", kEventColumns), run));
  return read_all(rows, read_event);
}

Result<std::vector<Event>> Store::events_after(std::int64_t id, int limit) {
  TRY_ASSIGN(Query rows,
             impl_->database->query(
                 fmt::format("SELECT {} FROM events WHERE id > ? ORDER BY id LIMIT ?", kEventColumns), id, limit));
  return read_all(rows, read_event);
}

Result<std::int64_t> Store::last_event() {
  TRY_ASSIGN(Query row, impl_->database->query("SELECT coalesce(max(id), 0) FROM events"));
  TRY_ASSIGN(const auto id, read_one(row, [](Query& q) { return q.integer(); }));
  return id.value_or(0);
}

Result<std::optional<ChangeMark>> Store::change_mark(const std::string& gerrit, int change) {
  TRY_ASSIGN(Query row,
             impl_->database->query(
                 "SELECT gerrit, change, project, meta_rev, patchset_triggered, "
                 "last_message, patchset_seen, status, approved FROM change_marks WHERE gerrit = ? AND change = ?",
                 gerrit, change));
  return read_one(row, [](Query& q) {
    ChangeMark mark;
    mark.gerrit = q.text();
    mark.change = q.small();
    mark.project = q.text();
    mark.meta_rev = q.text();
    mark.patchset_triggered = q.small();
    mark.last_message = q.text();
    mark.patchset_seen = q.small();
    mark.status = q.text();
    mark.approved = q.text();
    return mark;
  });
}

Result<> Store::save_change_mark(const ChangeMark& mark) {
  Scope scope(*impl_->database);
  TRY(scope.began());
  TRY(impl_->database->run(
      "INSERT OR REPLACE INTO change_marks (gerrit, change, project, meta_rev, "
      "patchset_triggered, last_message, patchset_seen, status, approved) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      mark.gerrit, mark.change, mark.project, mark.meta_rev, mark.patchset_triggered, mark.last_message,
      mark.patchset_seen, mark.status, mark.approved));
  return scope.commit();
}

Result<std::optional<SystemTime>> Store::poll_position(const std::string& gerrit, const std::string& project) {
  TRY_ASSIGN(Query row, impl_->database->query("SELECT updated FROM poll_positions WHERE gerrit = ? AND project = ?",
                                               gerrit, project));
  return read_one(row, [](Query& q) { return q.time(); });
}

Result<std::optional<SystemTime>> Store::poll_start(const std::string& gerrit, const std::string& project) {
  TRY_ASSIGN(Query row, impl_->database->query("SELECT start FROM poll_positions WHERE gerrit = ? AND project = ?",
                                               gerrit, project));
  return read_one(row, [](Query& q) { return q.time(); });
}

Result<> Store::save_poll_position(const std::string& gerrit, const std::string& project, SystemTime updated) {
  Scope scope(*impl_->database);
  TRY(scope.began());
  TRY(
      impl_->database->run("INSERT INTO poll_positions (gerrit, project, start, updated) VALUES (?, ?, ?, ?) "
                           "ON CONFLICT (gerrit, project) DO UPDATE SET updated = excluded.updated",
                           gerrit, project, updated, updated));
  return scope.commit();
}

Result<bool> Store::add_report(const Report& report) {
  Database& database = *impl_->database;
  Scope scope(database);
  TRY(scope.began());
  TRY(
      database.run("INSERT INTO reports (gerrit, project, change, patchset, revision, label, key, message, vote, "
                   "with_vote, state, tries, not_before, error, findings) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
                   "ON CONFLICT (key) DO NOTHING",
                   report.gerrit, report.project, report.change, report.patchset, report.revision, report.label,
                   report.key, report.message, report.vote, report.with_vote, to_string(report.state), report.tries,
                   report.not_before, report.error, report.findings));
  if (database.changed_rows() == 0) return false;
  TRY(database.run(
      "UPDATE reports SET state = 'dropped' WHERE state = 'waiting' AND gerrit = ? AND change = ? AND "
      "id <> ? AND (patchset < ? OR (patchset = ? AND label = ?))",
      report.gerrit, report.change, database.last_insert_id(), report.patchset, report.patchset, report.label));
  TRY(scope.commit());
  return true;
}

Result<std::vector<Report>> Store::open_reports() {
  TRY_ASSIGN(Query rows,
             impl_->database->query(fmt::format(
                 "SELECT {} FROM reports WHERE state IN ('waiting', 'sending') ORDER BY id", kReportColumns)));
  return read_all(rows, read_report);
}

Result<> Store::save_report(const Report& report) {
  Scope scope(*impl_->database);
  TRY(scope.began());
  TRY(
      impl_->database->run("UPDATE reports SET message = ?, vote = ?, with_vote = ?, state = ?, tries = ?, "
                           "not_before = ?, error = ? WHERE id = ?",
                           report.message, report.vote, report.with_vote, to_string(report.state), report.tries,
                           report.not_before, report.error, report.id));
  if (impl_->database->changed_rows() == 0)
    return fail(ErrorKind::not_found, "save report {}: there is no such report", report.id);
  if (report.state == Report::State::sent)
    for (const auto& key : report.comment_keys)
      TRY(impl_->database->run(
          "INSERT INTO line_comments (gerrit, change, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", report.gerrit,
          report.change, key));
  return scope.commit();
}

Result<std::vector<std::string>> Store::comment_keys(const std::string& gerrit, int change) {
  TRY_ASSIGN(Query rows,
             impl_->database->query("SELECT key FROM line_comments WHERE gerrit = ? AND change = ? ORDER BY key",
                                    gerrit, change));
  return read_all(rows, [](Query& row) { return row.text(); });
}

struct Store::Transaction::Impl {
  Scope scope;
};

Store::Transaction::Transaction(Store& store) : impl_(new Impl{Scope(*store.impl_->database)}) {}
Store::Transaction::~Transaction() = default;
Result<> Store::Transaction::commit() { return impl_->scope.commit(); }

}  // namespace bowsprit::store
