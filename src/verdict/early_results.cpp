// SPDX-License-Identifier: Apache-2.0
/// Results of runs that ended before their tests.
#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "verdict/judge.h"

namespace bowsprit {
namespace {

constexpr std::size_t kFilesNamed = 5;

RunResult ended(Verdict verdict, std::string summary, std::vector<Diagnostic> diagnostics = {}) {
  RunResult result;
  result.verdict = verdict;
  result.summary = std::move(summary);
  result.diagnostics = std::move(diagnostics);
  return result;
}

/// A tool's own words as a diagnostic, where there is no better one.
std::vector<Diagnostic> with_tail(std::vector<Diagnostic> diagnostics, std::string_view message,
                                  std::string_view tail) {
  if (tail.empty()) return diagnostics;
  Diagnostic diagnostic{Diagnostic::Kind::error, {}, 0, 0, std::string(message)};
  diagnostic.text = printable(tail);
  diagnostics.push_back(std::move(diagnostic));
  return diagnostics;
}

}  // namespace

RunResult config_failed(std::string summary, std::vector<Diagnostic> diagnostics) {
  return ended(Verdict::config_error, std::move(summary), std::move(diagnostics));
}

RunResult build_failed(std::vector<Diagnostic> errors, std::string_view log_tail) {
  const auto first = std::ranges::find(errors, Diagnostic::Kind::error, &Diagnostic::kind);
  const auto count = std::ranges::count(errors, Diagnostic::Kind::error, &Diagnostic::kind);
  std::string summary = "the build failed";
  if (first != errors.end()) {
    const std::string where = first->file.empty() ? "" : fmt::format("{}:{}: ", first->file, first->line);
    summary = fmt::format("the build failed: {}{}", where, shorten(first->message, 200));
    if (count > 1) summary += fmt::format(" ({} more error{})", count - 1, count == 2 ? "" : "s");
    return ended(Verdict::build_error, std::move(summary), std::move(errors));
  }
  return ended(Verdict::build_error, std::move(summary),
               with_tail(std::move(errors), "the build's last lines", log_tail));
}

RunResult boot_failed(std::string summary, std::string_view console_tail) {
  return ended(Verdict::boot_error, std::move(summary), with_tail({}, "the console's last lines", console_tail));
}

RunResult merge_conflict(const std::vector<std::string>& files) {
  std::vector<Diagnostic> diagnostics;
  std::string names;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (i < kFilesNamed) names += (i > 0 ? ", " : ": ") + files[i];
    diagnostics.push_back({Diagnostic::Kind::error, files[i], 0, 0, "merge conflict"});
  }
  if (files.size() > kFilesNamed) names += fmt::format(" and {} more", files.size() - kFilesNamed);
  return ended(Verdict::merge_conflict, "the change does not merge into its branch" + names, std::move(diagnostics));
}

RunResult infra_failed(std::string summary) { return ended(Verdict::infra_error, std::move(summary)); }
RunResult aborted(std::string summary) { return ended(Verdict::aborted, std::move(summary)); }

}  // namespace bowsprit
