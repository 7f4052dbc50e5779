// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace bowsprit {

std::string_view to_string(Blame blame) {
  switch (blame) {
    case Blame::change: return "change";
    case Blame::configuration: return "configuration";
    case Blame::infrastructure: return "infrastructure";
  }
  return "infrastructure";
}

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::bad_config: return "bad_config";
    case ErrorKind::bad_data: return "bad_data";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::conflict: return "conflict";
    case ErrorKind::denied: return "denied";
    case ErrorKind::unavailable: return "unavailable";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::os: return "os";
    case ErrorKind::bug: return "bug";
  }
  return "bug";
}

Blame default_blame(ErrorKind kind) {
  return kind == ErrorKind::usage || kind == ErrorKind::bad_config ? Blame::configuration : Blame::infrastructure;
}

std::string Error::text() const {
  std::string out;
  if (mark) {
    out = mark->file;
    if (mark->line > 0) out += fmt::format(":{}:{}", mark->line, mark->column);
    out += ": ";
  }
  for (auto it = context.rbegin(); it != context.rend(); ++it) out += *it + ": ";
  return out + message;
}

std::unexpected<Error> fail_errno(std::string what) {
  const int code = errno;
  ErrorKind kind = ErrorKind::os;
  if (code == ENOENT) kind = ErrorKind::not_found;
  if (code == EACCES || code == EPERM) kind = ErrorKind::denied;
  return std::unexpected(Error{kind, Blame::infrastructure, fmt::format("{}: {}", what, std::strerror(code)), {}, {}});
}

}  // namespace bowsprit
