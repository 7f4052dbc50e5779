// SPDX-License-Identifier: Apache-2.0
#include "store/migrations.h"

#include <algorithm>
#include <array>

namespace bowsprit::store {
namespace {

// Times are milliseconds since 1970, UTC. AUTOINCREMENT: an id is a folder's name and part of links, so it is never
// used a second time.
constexpr std::array kSteps{
    Step{1, R"sql(
CREATE TABLE runs (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  prow_job_id    TEXT NOT NULL,
  gerrit         TEXT NOT NULL,
  project        TEXT NOT NULL,
  branch         TEXT NOT NULL,
  change         INTEGER NOT NULL,
  patchset       INTEGER NOT NULL,
  revision       TEXT NOT NULL,
  ref            TEXT NOT NULL,
  subject        TEXT NOT NULL,
  author         TEXT NOT NULL,
  job            TEXT NOT NULL,
  job_json       TEXT NOT NULL,
  report_label   TEXT NOT NULL,
  optional       INTEGER NOT NULL,
  skip_report    INTEGER NOT NULL,
  attempt        INTEGER NOT NULL,
  trigger_key    TEXT NOT NULL,
  reason         TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('triggered', 'pending', 'success', 'failure', 'aborted', 'error')),
  verdict        TEXT NOT NULL,
  description    TEXT NOT NULL,
  base_sha       TEXT NOT NULL,
  merged_sha     TEXT NOT NULL,
  artifacts      TEXT NOT NULL,
  phase          TEXT NOT NULL,
  infra_retries  INTEGER NOT NULL,
  created        INTEGER NOT NULL,
  started        INTEGER,
  finished       INTEGER,
  UNIQUE (gerrit, change, patchset, job, trigger_key)
);
CREATE INDEX runs_by_change ON runs (change, id);
CREATE INDEX runs_by_job ON runs (job, id);
CREATE INDEX runs_by_state ON runs (state, id);
CREATE INDEX runs_unfinished ON runs (id) WHERE state IN ('triggered', 'pending');

CREATE TABLE events (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  run         INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  at          INTEGER NOT NULL,
  from_state  TEXT NOT NULL,
  to_state    TEXT NOT NULL,
  phase       TEXT NOT NULL
);
CREATE INDEX events_by_run ON events (run, id);

CREATE TABLE change_marks (
  gerrit              TEXT NOT NULL,
  change              INTEGER NOT NULL,
  project             TEXT NOT NULL,
  meta_rev            TEXT NOT NULL,
  patchset_triggered  INTEGER NOT NULL,
  last_message        TEXT NOT NULL,
  PRIMARY KEY (gerrit, change)
) WITHOUT ROWID;

CREATE TABLE poll_positions (
  gerrit   TEXT NOT NULL,
  project  TEXT NOT NULL,
  start    INTEGER NOT NULL,
  updated  INTEGER NOT NULL,
  PRIMARY KEY (gerrit, project)
) WITHOUT ROWID;

CREATE TABLE reports (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  gerrit      TEXT NOT NULL,
  project     TEXT NOT NULL,
  change      INTEGER NOT NULL,
  patchset    INTEGER NOT NULL,
  revision    TEXT NOT NULL,
  label       TEXT NOT NULL,
  key         TEXT NOT NULL UNIQUE,
  message     TEXT NOT NULL,
  vote        INTEGER NOT NULL,
  with_vote   INTEGER NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'dropped')),
  tries       INTEGER NOT NULL,
  not_before  INTEGER NOT NULL,
  error       TEXT NOT NULL
);
CREATE INDEX reports_by_change ON reports (gerrit, change, patchset);
CREATE INDEX reports_open ON reports (id) WHERE state IN ('waiting', 'sending');
)sql"},
    // What the pages filter by, and words of runs for the search box. An external-content index: it holds no copy of the texts, and the triggers keep
    // it in step within the transaction of each change.
    Step{2, R"sql(
CREATE INDEX runs_by_author ON runs (author, id);
CREATE INDEX runs_by_verdict ON runs (verdict, id);
CREATE VIRTUAL TABLE runs_text USING fts5 (
  subject, author, job, description, content = 'runs', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2',
  prefix = '2 3'
);
INSERT INTO runs_text (runs_text) VALUES ('rebuild');
CREATE TRIGGER runs_text_insert AFTER INSERT ON runs BEGIN
  INSERT INTO runs_text (rowid, subject, author, job, description)
  VALUES (new.id, new.subject, new.author, new.job, new.description);
END;
CREATE TRIGGER runs_text_delete AFTER DELETE ON runs BEGIN
  INSERT INTO runs_text (runs_text, rowid, subject, author, job, description)
  VALUES ('delete', old.id, old.subject, old.author, old.job, old.description);
END;
CREATE TRIGGER runs_text_update AFTER UPDATE OF subject, author, job, description ON runs
WHEN old.subject IS NOT new.subject OR old.author IS NOT new.author OR old.job IS NOT new.job
  OR old.description IS NOT new.description
BEGIN
  INSERT INTO runs_text (runs_text, rowid, subject, author, job, description)
  VALUES ('delete', old.id, old.subject, old.author, old.job, old.description);
  INSERT INTO runs_text (rowid, subject, author, job, description)
  VALUES (new.id, new.subject, new.author, new.job, new.description);
END;
)sql"},
    // Postsubmits and periodics beside presubmits; what was decided about a change and why; how far periodics came. `decisions` only grows: a
    // later look at a change adds rows and changes none.
    Step{5, R"sql(
ALTER TABLE runs ADD COLUMN type TEXT NOT NULL DEFAULT 'presubmit';
ALTER TABLE runs ADD COLUMN abort_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN periodic_retry INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_by_end ON runs (finished) WHERE finished IS NOT NULL;
ALTER TABLE change_marks ADD COLUMN patchset_seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE change_marks ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE change_marks ADD COLUMN approved TEXT NOT NULL DEFAULT '';
CREATE TABLE decisions (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  gerrit    TEXT NOT NULL,
  change    INTEGER NOT NULL,
  patchset  INTEGER NOT NULL,
  type      TEXT NOT NULL,
  job       TEXT NOT NULL,
  cause     TEXT NOT NULL,
  run       INTEGER NOT NULL,
  reason    TEXT NOT NULL,
  at        INTEGER NOT NULL
);
CREATE INDEX decisions_by_change ON decisions (change, patchset, type, job, id);
CREATE TABLE periodics (
  gerrit    TEXT NOT NULL,
  job       TEXT NOT NULL,
  schedule  TEXT NOT NULL,
  since     INTEGER NOT NULL,
  PRIMARY KEY (gerrit, job)
) WITHOUT ROWID;
)sql"},
    // Results of tests, a row for each run and not for each test: neighbours in a run are alike, so they pack to a few
    // bytes each (test_history.cpp), and the history of a test is read along runs_by_job. test_jobs says where a name is
    // worth looking for, and since when it is not. A name's id stands in packed rows, so it too is never used again.
    Step{6, R"sql(
CREATE INDEX runs_by_prow_job ON runs (prow_job_id);
CREATE TABLE tests (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  name  TEXT NOT NULL UNIQUE
);
CREATE TABLE test_jobs (
  test  INTEGER NOT NULL REFERENCES tests (id) ON DELETE CASCADE,
  job   TEXT NOT NULL,
  day   INTEGER NOT NULL,
  PRIMARY KEY (test, job)
) WITHOUT ROWID;
CREATE TABLE run_tests (
  run      INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  results  BLOB NOT NULL
);
)sql"},
    // What may be said on lines of the patch set, and what was said on lines of a change, on any of its patch sets.
    Step{7, R"sql(
ALTER TABLE reports ADD COLUMN findings TEXT NOT NULL DEFAULT '';
CREATE TABLE line_comments (
  gerrit  TEXT NOT NULL,
  change  INTEGER NOT NULL,
  key     TEXT NOT NULL,
  PRIMARY KEY (gerrit, change, key)
) WITHOUT ROWID;
)sql"},
};

/// The newest step that the file has and this program does not know, or 0.
Result<int> foreign_step(Database& database) {
  TRY_ASSIGN(Query rows, database.query("SELECT version FROM schema_version ORDER BY version DESC"));
  while (true) {
    TRY_ASSIGN(const bool more, rows.next());
    if (!more) return 0;
    const int version = rows.small();
    if (std::ranges::find(kSteps, version, &Step::version) == kSteps.end()) return version;
  }
}

Result<> take_step(Database& database, const Step& step) {
  Scope scope(database);  // what is there is read under the write lock: two programs do not both take one step
  TRY(scope.began());
  TRY_ASSIGN(Query there, database.query("SELECT 1 FROM schema_version WHERE version = ?", step.version));
  TRY_ASSIGN(const bool taken, there.next());
  if (taken) return {};
  if (auto done = database.script(step.sql); !done)
    return std::unexpected(std::move(done).error().with("schema step {}", step.version));
  TRY(database.run("INSERT INTO schema_version (version) VALUES (?)", step.version));
  return scope.commit();
}

}  // namespace

std::span<const Step> migrations() { return kSteps; }

Result<> migrate(Database& database, int target) {
  TRY(database.script("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"));
  TRY_ASSIGN(const int foreign, foreign_step(database));
  if (foreign != 0)
    return fail(ErrorKind::bad_data,
                "the database has schema version {}, this program knows only up to {}: use the newer bowsprit that "
                "wrote it",
                foreign, kSteps.back().version);
  for (const Step& step : kSteps)
    if (step.version <= target) TRY(take_step(database, step));
  return {};
}

}  // namespace bowsprit::store
