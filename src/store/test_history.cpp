// SPDX-License-Identifier: Apache-2.0
#include "store/test_history.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/strings.h"
#include "store/rows.h"
#include "store/sqlite.h"

namespace bowsprit::store {
namespace {

using ktap::TestStatus;

constexpr std::size_t kMaxName = 400;
constexpr std::size_t kMaxResults = 50'000;  ///< of one run; a hostile one may print names without end
constexpr std::size_t kMaxRows = 500;        ///< of one part of a grid
constexpr int kMaxScanned = 5000;
constexpr std::size_t kMaxWords = 8;

// Numbers on disk: append only.
constexpr std::array kStatuses{TestStatus::passed,           TestStatus::failed,  TestStatus::skipped,
                               TestStatus::expected_failure, TestStatus::crashed, TestStatus::timed_out,
                               TestStatus::missing};
constexpr std::array kOrigins{Origin::unknown, Origin::new_failure, Origin::also_on_base, Origin::flaky};

std::string stored_name(std::string_view test) { return shorten(printable(test), kMaxName); }
std::int64_t day_of(SystemTime time) { return unix_seconds(time) / 86400; }

/// How bad; of two results of one name the higher one stays.
int weight(const TestOutcome& outcome) {
  switch (outcome.status) {
    case TestStatus::passed: return 0;
    case TestStatus::expected_failure: return 1;
    case TestStatus::skipped: return 2;
    case TestStatus::missing: return 3;
    case TestStatus::failed: return 4;
    case TestStatus::timed_out: return 5;
    case TestStatus::crashed: return 6;
  }
  return 6;
}

void put_number(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>(0x80U | (value & 0x7FU));
  out += static_cast<char>(value);
}

/// Reads what put_number wrote; at the end or in a broken row `good` turns false.
std::uint64_t take_number(std::string_view& in, bool& good) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  good = false;
  return 0;
}

/// One result after the one of test `last`: the step to its id and whether anything but "passed" is to say; then, if so,
/// one byte (3 bits status, 2 bits origin, 1 bit "has a time") and the time in 0.1 ms.
void pack(std::string& out, std::int64_t last, std::int64_t test, const TestOutcome& outcome) {
  const bool plain =
      outcome.status == TestStatus::passed && outcome.origin == Origin::unknown && !outcome.seconds.has_value();
  put_number(out, static_cast<std::uint64_t>(test - last) * 2 + (plain ? 0 : 1));
  if (plain) return;
  const auto status = std::ranges::find(kStatuses, outcome.status) - kStatuses.begin();
  const auto origin = std::ranges::find(kOrigins, outcome.origin) - kOrigins.begin();
  out += static_cast<char>(status + origin * 8 + (outcome.seconds ? 32 : 0));
  if (outcome.seconds)
    put_number(out, static_cast<std::uint64_t>(std::llround(std::clamp(*outcome.seconds, 0.0, 1e9) * 1e4)));
}

/// Gives each result of a packed row to `visit(test, outcome)`, by rising ids, until that says false. A row that is
/// broken in the middle ends there.
template <class Visit>
void unpack(std::string_view row, Visit visit) {
  bool good = true;
  std::int64_t test = 0;
  while (!row.empty()) {
    const std::uint64_t step = take_number(row, good);
    test += static_cast<std::int64_t>(step / 2);
    TestOutcome outcome{.status = TestStatus::passed, .origin = Origin::unknown, .seconds = {}};
    if (step % 2 != 0) {
      if (row.empty()) return;
      const auto byte = static_cast<unsigned char>(row.front());
      row.remove_prefix(1);
      if (byte % 8 >= kStatuses.size()) return;
      outcome.status = kStatuses.at(byte % 8);
      outcome.origin = kOrigins.at(byte / 8 % 4);
      if (byte >= 32) outcome.seconds = static_cast<double>(take_number(row, good)) / 1e4;
    }
    if (!good || !visit(test, outcome)) return;
  }
}

Result<std::optional<std::int64_t>> id_of(Database& database, const std::string& name) {
  TRY_ASSIGN(Query row, database.query("SELECT id FROM tests WHERE name = ?", name));
  return read_one(row, [](Query& q) { return q.integer(); });
}

Result<std::int64_t> intern(Database& database, const std::string& name) {
  TRY_ASSIGN(const auto known, id_of(database, name));
  if (known) return *known;
  TRY(database.run("INSERT INTO tests (name) VALUES (?)", name));
  return database.last_insert_id();
}

std::int64_t from_here(std::int64_t before) { return before > 0 ? before : std::numeric_limits<std::int64_t>::max(); }

/// Whether a test is worth a row where only some are shown.
bool is_notable(const TestOutcome& outcome) { return !is_good(outcome.status) || outcome.origin != Origin::unknown; }

}  // namespace

Result<> TestHistory::save(std::int64_t run, const std::string& job, SystemTime when, std::vector<TestResult> results) {
  Database& database = store_.database();
  if (results.size() > kMaxResults) results.resize(kMaxResults);
  Scope scope(database);
  TRY(scope.began());
  std::map<std::int64_t, TestOutcome> by_test;
  for (const auto& result : results) {
    TRY_ASSIGN(const std::int64_t test, intern(database, stored_name(result.test)));
    const auto [entry, added] = by_test.emplace(test, result.outcome);
    if (!added && weight(result.outcome) > weight(entry->second)) entry->second = result.outcome;
  }
  std::string packed;
  std::int64_t last = 0;
  for (const auto& [test, outcome] : by_test) {
    pack(packed, last, test, outcome);
    last = test;
    TRY(
        database.run("INSERT INTO test_jobs (test, job, day) VALUES (?, ?, ?) "
                     "ON CONFLICT (test, job) DO UPDATE SET day = excluded.day WHERE day < excluded.day",
                     test, job, day_of(when)));
  }
  TRY(database.run("INSERT OR REPLACE INTO run_tests (run, results) VALUES (?, ?)", run, Blob{packed}));
  return scope.commit();
}

Result<int> TestHistory::prune(SystemTime cutoff, int limit) {
  Database& database = store_.database();
  Scope scope(database);
  TRY(scope.began());
  std::vector<std::int64_t> old;
  {
    TRY_ASSIGN(Query rows, database.query("SELECT run_tests.run, runs.created FROM run_tests JOIN runs ON runs.id = "
                                          "run_tests.run ORDER BY run_tests.run LIMIT ?",
                                          limit));
    while (true) {
      TRY_ASSIGN(const bool more, rows.next());
      if (!more) break;
      const std::int64_t run = rows.integer();
      if (rows.time() >= cutoff) break;
      old.push_back(run);
    }
  }
  for (const auto run : old) TRY(database.run("DELETE FROM run_tests WHERE run = ?", run));
  if (old.size() < static_cast<std::size_t>(limit)) {
    TRY(database.run("DELETE FROM test_jobs WHERE day < ?", day_of(cutoff)));
    TRY(database.run("DELETE FROM tests WHERE id NOT IN (SELECT test FROM test_jobs)"));
  }
  TRY(scope.commit());
  return static_cast<int>(old.size());
}

Result<std::vector<std::string>> TestHistory::search(const std::string& words, const std::string& after, int limit) {
  std::string sql = "SELECT name FROM tests WHERE name > ?";
  std::vector<std::string> patterns;
  for (const auto& word : split(replace_all(words, "\t", " "), ' ')) {
    if (word.empty() || patterns.size() == kMaxWords) continue;
    std::string pattern = replace_all(word, "\\", "\\\\");
    pattern = replace_all(replace_all(std::move(pattern), "%", "\\%"), "_", "\\_");
    patterns.push_back("%" + pattern + "%");
    sql += " AND name LIKE ? ESCAPE '\\'";
  }
  sql += " ORDER BY name LIMIT ?";
  TRY_ASSIGN(Query rows, store_.database().prepare(sql));
  int at = 0;
  rows.bind(++at, after);
  for (const auto& pattern : patterns) rows.bind(++at, pattern);
  rows.bind(++at, limit);
  return read_all(rows, [](Query& row) { return row.text(); });
}

Result<std::vector<std::string>> TestHistory::jobs_of(const std::string& test) {
  TRY_ASSIGN(Query rows, store_.database().query("SELECT job FROM test_jobs WHERE test = (SELECT id FROM tests WHERE "
                                                 "name = ?) ORDER BY job",
                                                 stored_name(test)));
  return read_all(rows, [](Query& row) { return row.text(); });
}

Result<TestRuns> TestHistory::of_test(const std::string& test, const std::string& job, std::int64_t before, int limit) {
  Database& database = store_.database();
  TestRuns part;
  TRY_ASSIGN(const auto id, id_of(database, stored_name(test)));
  if (!id) return part;
  std::vector<std::pair<std::int64_t, TestOutcome>> found;
  {
    TRY_ASSIGN(Query rows, database.query("SELECT run_tests.run, run_tests.results FROM runs JOIN run_tests ON "
                                          "run_tests.run = runs.id WHERE runs.job = ? AND runs.id < ? ORDER BY runs.id "
                                          "DESC LIMIT ?",
                                          job, from_here(before), kMaxScanned));
    int scanned = 0;
    std::int64_t last = 0;
    while (true) {
      TRY_ASSIGN(const bool more, rows.next());
      if (!more) break;
      if (found.size() == static_cast<std::size_t>(limit)) {
        part.next_before = last;
        break;
      }
      ++scanned;
      last = rows.integer();
      unpack(rows.bytes(), [&](std::int64_t other, const TestOutcome& outcome) {
        if (other == *id) found.emplace_back(last, outcome);
        return other < *id;
      });
    }
    if (scanned == kMaxScanned && part.next_before == 0) part.next_before = last;
  }
  for (auto& [run_id, outcome] : found) {
    TRY_ASSIGN(auto run, store_.run(run_id));
    if (run) part.entries.push_back({std::move(*run), outcome});
  }
  return part;
}

Result<JobGrid> TestHistory::of_job(const std::string& job, std::int64_t before, int limit, bool all,
                                    std::int64_t after_test) {
  Database& database = store_.database();
  JobGrid grid;
  TRY_ASSIGN(grid.runs, store_.runs({.job = job, .before_id = before, .limit = limit + 1}));
  if (grid.runs.size() > static_cast<std::size_t>(limit)) {
    grid.runs.pop_back();
    grid.next_before = grid.runs.back().id;
  }
  std::map<std::int64_t, std::vector<std::optional<TestOutcome>>> by_test;
  for (std::size_t i = 0; i < grid.runs.size(); ++i) {
    TRY_ASSIGN(Query row, database.query("SELECT results FROM run_tests WHERE run = ?", grid.runs[i].id));
    TRY_ASSIGN(const auto packed, read_one(row, [](Query& q) { return q.bytes(); }));
    if (!packed) continue;
    unpack(*packed, [&](std::int64_t test, const TestOutcome& outcome) {
      auto& outcomes = by_test[test];
      outcomes.resize(grid.runs.size());
      outcomes[i] = outcome;
      return true;
    });
  }
  std::int64_t last = 0;
  for (auto& [test, outcomes] : by_test) {
    const bool notable =
        std::ranges::any_of(outcomes, [](const auto& outcome) { return outcome && is_notable(*outcome); });
    if (!notable && !all) {
      ++grid.left_out;
      continue;
    }
    if (test <= after_test) continue;
    if (grid.rows.size() == kMaxRows) {
      grid.next_test = last;
      continue;  // the tests that are left out are still counted
    }
    last = test;
    TRY_ASSIGN(Query row, database.query("SELECT name FROM tests WHERE id = ?", test));
    TRY_ASSIGN(auto name, read_one(row, [](Query& q) { return q.text(); }));
    if (name) grid.rows.push_back({std::move(*name), std::move(outcomes)});
  }
  return grid;
}

}  // namespace bowsprit::store
