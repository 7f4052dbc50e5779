// SPDX-License-Identifier: Apache-2.0
/// SQLite's handles as owned values: a connection, a bound statement, a transaction. Internal to store/.
///
/// Statements are prepared once per connection and kept; a Query takes one out of the cache and puts it back when it
/// goes. Does not: know any table. Threads: a Database and all that comes from it belong to one thread.
/// Errors: unavailable (locked for longer than the busy time-out), conflict (a constraint), bad_data (no or a broken
/// database), os (disk), bug (wrong SQL).
///
///   TRY_ASSIGN(Query row, db.query("SELECT id, job FROM runs WHERE change = ?", change));
///   while (true) {
///     TRY_ASSIGN(const bool more, row.next());
///     if (!more) break;
///     use(row.integer(), row.text());                  // columns in their order
///   }
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace bowsprit::store {

struct StatementCloser {
  void operator()(sqlite3_stmt* statement) const;
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementCloser>;

class Database;

/// Bytes that are no text.
struct Blob {
  std::string_view bytes;
};

/// One execution of a statement. Reading a column moves on to the next one.
class Query {
 public:
  Query(Query&& other) noexcept = default;
  Query& operator=(Query&&) = delete;
  ~Query();

  /// Goes to the next row; false at the end.
  Result<bool> next();
  /// Runs a statement that gives no rows.
  Result<> run();

  std::int64_t integer();
  int small() { return static_cast<int>(integer()); }
  bool flag() { return integer() != 0; }
  std::string text();
  std::string bytes() { return text(); }  ///< of a Blob
  SystemTime time() { return from_unix_millis(integer()); }
  std::optional<SystemTime> optional_time();

  void bind(int at, std::int64_t value);
  void bind(int at, int value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, bool value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, std::string_view value);
  void bind(int at, const std::string& value) { bind(at, std::string_view(value)); }
  void bind(int at, const char* value) { bind(at, std::string_view(value)); }
  void bind(int at, Blob value);
  void bind(int at, SystemTime value) { bind(at, unix_millis(value)); }
  void bind(int at, std::optional<SystemTime> value);

 private:
  friend class Database;
  Query(Database& owner, std::string_view sql, Statement statement)
      : owner_(&owner), sql_(sql), statement_(std::move(statement)) {}

  Database* owner_;
  std::string sql_;
  Statement statement_;
  int column_ = 0;
};

class Database {
 public:
  /// Opens or creates the file and sets this connection up: WAL, full synchronisation, foreign keys, busy time-out.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// A statement with its parameters bound, ready for next() or run().
  template <class... Values>
  Result<Query> query(std::string_view sql, const Values&... values) {
    auto query = prepare(sql);
    int at = 0;
    if (query) (query->bind(++at, values), ...);
    return query;
  }
  /// One statement that gives no rows, at once.
  template <class... Values>
  Result<> run(std::string_view sql, const Values&... values) {
    TRY_ASSIGN(Query statement, query(sql, values...));
    return statement.run();
  }
  /// Several statements, as a migration has them.
  Result<> script(const char* sql);

  Result<Query> prepare(std::string_view sql);
  [[nodiscard]] std::int64_t last_insert_id() const;
  [[nodiscard]] int changed_rows() const;
  [[nodiscard]] std::unexpected<Error> error(std::string_view doing, int code) const;

 private:
  friend class Query;
  friend class Scope;
  explicit Database(sqlite3* handle, std::filesystem::path file) : handle_(handle), file_(std::move(file)) {}

  sqlite3* handle_;
  std::filesystem::path file_;
  std::map<std::string, Statement, std::less<>> cache_;
  int depth_ = 0;                ///< of nested scopes
  std::optional<Error> broken_;  ///< why the outermost scope could not begin
};

/// A transaction, or a savepoint where one is open already: rolled back unless committed. The outermost one takes the
/// write lock at its start, so that what it reads still holds when it writes.
class Scope {
 public:
  explicit Scope(Database& database);
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope();

  /// Whether it began; nothing may be written where it did not.
  [[nodiscard]] Result<> began() const;
  Result<> commit();

 private:
  Database& database_;
  int level_;
  bool open_ = false;
};

}  // namespace bowsprit::store
