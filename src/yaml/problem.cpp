// SPDX-License-Identifier: Apache-2.0
#include "yaml/problem.h"

#include <algorithm>

#include "base/strings.h"

namespace bowsprit::yaml {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
  }
  return "?";
}

std::string Problem::line() const {
  std::string out = mark.line > 0 ? fmt::format("{}:{}:{}: ", mark.file, mark.line, mark.column) : mark.file + ": ";
  if (severity == Severity::warning) out += "warning: ";
  if (!path.empty()) out += path + ": ";
  out += text;
  if (!check.empty()) out += " [" + check + "]";
  return out;
}

void append_path(std::string& path, std::string_view key) {
  const bool word = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (!word)
    path += fmt::format("[{}]", shorten(printable(key), 100));
  else if (path.empty())
    path += key;
  else
    path.append(".").append(key);
}

void append_path(std::string& path, std::size_t index) { path += fmt::format("[{}]", index); }

bool has_errors(const Problems& problems) {
  return std::any_of(problems.begin(), problems.end(), [](const Problem& p) { return p.severity == Severity::error; });
}

Error to_error(const Problems& problems) {
  Error error{ErrorKind::bad_config, Blame::configuration, {}, {}, {}};
  for (const auto& problem : problems) {
    if (problem.severity != Severity::error) continue;
    if (!error.message.empty()) error.message += '\n';
    error.message += problem.line();
  }
  return error;
}

}  // namespace bowsprit::yaml
