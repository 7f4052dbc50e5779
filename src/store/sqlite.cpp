// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite.h"

#include <sqlite3.h>

#include <thread>

#include "base/log.h"

namespace bowsprit::store {
namespace {

constexpr milliseconds kBusyTimeout{10000};

ErrorKind kind_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorKind::unavailable;
    case SQLITE_CONSTRAINT: return ErrorKind::conflict;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorKind::bad_data;
    case SQLITE_PERM:
    case SQLITE_AUTH: return ErrorKind::denied;
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM: return ErrorKind::os;
    default: return ErrorKind::bug;
  }
}

/// The change to WAL needs the file alone for a moment, and SQLite does not call the busy handler for it: two processes
/// that open a new database at once have to take turns here.
Result<> enter_wal(Database& database) {
  const auto deadline = std::chrono::steady_clock::now() + kBusyTimeout;
  while (true) {
    auto done = database.script("PRAGMA journal_mode = WAL;");
    if (done || done.error().kind != ErrorKind::unavailable || std::chrono::steady_clock::now() > deadline) return done;
    std::this_thread::sleep_for(milliseconds(20));
  }
}

}  // namespace

void StatementCloser::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Query::~Query() {
  if (!statement_) return;
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  owner_->cache_.insert_or_assign(std::move(sql_), std::move(statement_));
}

Result<bool> Query::next() {
  column_ = 0;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return owner_->error(sql_, code);
}

Result<> Query::run() {
  TRY_ASSIGN(const bool row, next());
  if (row) return fail(ErrorKind::bug, "run '{}': it gives rows", sql_);
  return {};
}

std::int64_t Query::integer() { return sqlite3_column_int64(statement_.get(), column_++); }

std::string Query::text() {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column_));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column_++));
  return bytes == nullptr ? std::string() : std::string(bytes, size);
}

std::optional<SystemTime> Query::optional_time() {
  if (sqlite3_column_type(statement_.get(), column_) == SQLITE_NULL) {
    ++column_;
    return std::nullopt;
  }
  return time();
}

// A failing bind (out of range, out of memory) shows as an error of the next step; SQLite keeps the rest as NULL, which
// the NOT NULL columns refuse.
void Query::bind(int at, std::int64_t value) { sqlite3_bind_int64(statement_.get(), at, value); }
void Query::bind(int at, std::string_view value) {
  sqlite3_bind_text64(statement_.get(), at, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
}
void Query::bind(int at, Blob value) {
  sqlite3_bind_blob64(statement_.get(), at, value.bytes.data() == nullptr ? "" : value.bytes.data(), value.bytes.size(),
                      SQLITE_TRANSIENT);
}
void Query::bind(int at, std::optional<SystemTime> value) {
  if (value)
    bind(at, unix_millis(*value));
  else
    sqlite3_bind_null(statement_.get(), at);
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW,
      nullptr);
  std::unique_ptr<Database> database(new Database(handle, file));  // owns the handle also after a failed open
  if (code != SQLITE_OK) return database->error("open", code);
  sqlite3_busy_timeout(handle, static_cast<int>(kBusyTimeout.count()));
  TRY(enter_wal(*database));
  // FULL, not NORMAL: a commit that the program acted on (a job started, a report sent) is also there after a power
  // cut. It costs one fsync per commit, and a run makes about ten commits in all.
  TRY(database->script("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"));
  return database;
}

Database::~Database() {
  cache_.clear();
  sqlite3_close(handle_);
}

std::unexpected<Error> Database::error(std::string_view doing, int code) const {
  return fail(kind_of(code), "database '{}': {}: {}", file_.string(), doing,
              handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code));
}

Result<Query> Database::prepare(std::string_view sql) {
  if (const auto kept = cache_.find(sql); kept != cache_.end()) {
    Query query(*this, sql, std::move(kept->second));
    cache_.erase(kept);
    return query;
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code != SQLITE_OK) return error(sql, code);
  return Query(*this, sql, Statement(statement));
}

Result<> Database::script(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(sql, code);
  return {};
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }
int Database::changed_rows() const { return sqlite3_changes(handle_); }

Scope::Scope(Database& database) : database_(database), level_(database.depth_++) {
  if (level_ == 0) {
    auto begun = database_.script("BEGIN IMMEDIATE");
    if (begun)
      open_ = true;
    else
      database_.broken_ = begun.error();
    return;
  }
  // Inside a transaction that could not begin nothing may run: it would commit on its own.
  if (!database_.broken_) open_ = database_.script(fmt::format("SAVEPOINT s{}", level_).c_str()).has_value();
}

Scope::~Scope() {
  if (open_) {
    const auto undo = level_ == 0 ? std::string("ROLLBACK") : fmt::format("ROLLBACK TO s{0}; RELEASE s{0}", level_);
    // SQLite has rolled back by itself after a full disk; then there is nothing left to undo.
    if (sqlite3_get_autocommit(database_.handle_) == 0)
      if (auto undone = database_.script(undo.c_str()); !undone) log_warn("store", "{}", undone.error().text());
  }
  if (--database_.depth_ == 0) database_.broken_.reset();
}

Result<> Scope::began() const {
  if (open_) return {};
  if (database_.broken_) return std::unexpected(*database_.broken_);
  return fail(ErrorKind::bug, "transaction is not open");
}

Result<> Scope::commit() {
  TRY(began());
  TRY(database_.script(level_ == 0 ? "COMMIT" : fmt::format("RELEASE s{}", level_).c_str()));
  open_ = false;
  return {};
}

}  // namespace bowsprit::store
