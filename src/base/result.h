// SPDX-License-Identifier: Apache-2.0
/// The one error type of bowsprit, and `Result<T>`: a value or that error.
///
/// An Error tells three things: what was attempted on which object (`message`, then `context` from the inside out), of which
/// kind it is (from which retry, exit code and HTTP status derive), and who has to act (`blame`). Only the blame `change`
/// may ever cost a vote.
///
/// Does not: log, print or retry. Exceptions are for bugs only; a library's exceptions are turned into Error in the file
/// that calls the library.
/// Threads: values; any thread.
///
///   Result<int> port = parse_port(text);
///   if (!port) return std::unexpected(std::move(port).error().with("load config {}", path));
///   TRY_ASSIGN(auto fd, Fd::open(path));            // the same in one line, without context
#pragma once

#include <fmt/core.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bowsprit {

/// Who has to act. `configuration` is the operator's or the job file's; `infrastructure` is everything below them.
enum class Blame { change, configuration, infrastructure };
std::string_view to_string(Blame blame);

enum class ErrorKind {
  usage,       ///< wrong command line
  bad_config,  ///< a configuration file says something impossible
  bad_data,    ///< input from elsewhere (KTAP, Gerrit, a job's files) is malformed
  not_found,
  conflict,     ///< the object is in a state that does not allow this (HTTP 409, merge conflict)
  denied,       ///< no permission; trying again will not help
  unavailable,  ///< may work later: network, busy, 5xx
  timeout,
  cancelled,
  os,  ///< a system call failed
  bug,
};
std::string_view to_string(ErrorKind kind);

/// A place in a user's file; line and column count from 1, 0 means unknown.
struct SourceMark {
  std::string file;
  int line = 0;
  int column = 0;
};

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::bug;
  Blame blame = Blame::infrastructure;
  std::string message;               ///< lower case, no final period: "open '/x': permission denied"
  std::vector<std::string> context;  ///< innermost first
  std::optional<SourceMark> mark;

  /// Adds what the caller was doing.
  template <class... Args>
  Error with(fmt::format_string<Args...> format, Args&&... args) && {
    context.push_back(fmt::format(format, std::forward<Args>(args)...));
    return std::move(*this);
  }

  /// One line: "file:line:col: outermost: ...: message".
  [[nodiscard]] std::string text() const;

  /// True where trying the same again later can work.
  [[nodiscard]] bool retryable() const { return kind == ErrorKind::unavailable || kind == ErrorKind::timeout; }
};

template <class T = void>
using Result = std::expected<T, Error>;

/// The usual blame of a kind: usage and bad_config are the configuration's, everything else the infrastructure's.
/// Use `fail_by` where the change is at fault.
Blame default_blame(ErrorKind kind);

template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{kind, default_blame(kind), fmt::format(format, std::forward<Args>(args)...), {}, {}});
}
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail_by(Blame blame, ErrorKind kind, fmt::format_string<Args...> format,
                                             Args&&... args) {
  return std::unexpected(Error{kind, blame, fmt::format(format, std::forward<Args>(args)...), {}, {}});
}
/// An Error from errno; call it right after the failing system call.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string what);

}  // namespace bowsprit

#define BOWSPRIT_CAT2(a, b) a##b
#define BOWSPRIT_CAT(a, b) BOWSPRIT_CAT2(a, b)
#define BOWSPRIT_TRY_ASSIGN(tmp, decl, expr)                \
  auto tmp = (expr);                                        \
  if (!tmp) return std::unexpected(std::move(tmp).error()); \
  decl = *std::move(tmp)
/// Declares or assigns `decl` from a Result, or returns its error.
#define TRY_ASSIGN(decl, ...) BOWSPRIT_TRY_ASSIGN(BOWSPRIT_CAT(try_result_, __COUNTER__), decl, (__VA_ARGS__))
/// Returns the error of a Result<void>.
#define TRY(...)                                                                                             \
  do {                                                                                                       \
    if (auto try_result = (__VA_ARGS__); !try_result) return std::unexpected(std::move(try_result).error()); \
  } while (false)
