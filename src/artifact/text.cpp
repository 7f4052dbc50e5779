// SPDX-License-Identifier: Apache-2.0
#include "artifact/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

#include "base/strings.h"

namespace bowsprit::artifact {
namespace {

using ktap::TestNode;
using ktap::TestStatus;

constexpr std::size_t kReportLines = 25;  // of one kernel report

struct Look {
  std::string_view mark;
  std::string_view colour;
  std::string_view word;
};
Look look_of(TestStatus status) {
  switch (status) {
    case TestStatus::passed: return {"✓", "32", ""};
    case TestStatus::skipped: return {"-", "33", "skipped"};
    case TestStatus::expected_failure: return {"✓", "33", "expected to fail"};
    case TestStatus::failed: return {"✗", "31", ""};
    case TestStatus::crashed: return {"✗", "31", "crashed"};
    case TestStatus::timed_out: return {"✗", "31", "timed out"};
    case TestStatus::missing: return {"?", "31", "never ran"};
  }
  return {"?", "31", ""};
}

struct Tally {
  int good = 0;
  int bad = 0;
  int skipped = 0;
};
Tally tally(const TestNode& node) {
  if (node.children.empty())
    return {node.status != TestStatus::skipped && is_good(node.status), !is_good(node.status),
            node.status == TestStatus::skipped};
  Tally sum;
  for (const auto& child : node.children) {
    const Tally one = tally(child);
    sum.good += one.good;
    sum.bad += one.bad;
    sum.skipped += one.skipped;
  }
  if (sum.bad == 0 && !is_good(node.status)) ++sum.bad;
  return sum;
}

class Writer {
 public:
  Writer(const RunResult& result, const TextOptions& options) : result_(result), options_(options) {
    for (const auto& failure : result.failures) failures_.emplace(failure.test, &failure);
  }

  std::string write() && {
    for (const auto& suite : result_.suites) write_node(suite, suite.name, 0);
    if (!result_.suites.empty()) out_ += '\n';
    for (const auto& diagnostic : result_.diagnostics) write_diagnostic(diagnostic);
    const bool good = exit_code(result_.verdict) == 0;
    out_ +=
        paint(fmt::format("{}: {}", to_string(result_.verdict), printable(result_.summary)), good ? "1;32" : "1;31") +
        "\n";
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string paint(std::string_view text, std::string_view colour) const {
    return options_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : std::string(text);
  }

  void write_node(const TestNode& node, const std::string& path, int depth) {
    const Look look = look_of(node.status);
    std::string details;
    const auto detail = [&](std::string text) { details += (details.empty() ? "" : ", ") + std::move(text); };
    if (!look.word.empty() && node.children.empty())
      detail(std::string(look.word) + (node.directive.empty() ? "" : ": " + node.directive));
    if (!node.children.empty()) {
      const Tally counts = tally(node);
      if (counts.good > 0) detail(fmt::format("{} passed", counts.good));
      if (counts.bad > 0) detail(fmt::format("{} bad", counts.bad));
      if (counts.skipped > 0) detail(fmt::format("{} skipped", counts.skipped));
    }
    if (node.seconds && *node.seconds >= 0.01) detail(fmt::format("{:.2f} s", *node.seconds));
    const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
    out_ += fmt::format("{}{} {}{}\n", indent, paint(look.mark, look.colour), printable(node.name),
                        details.empty() ? "" : paint(fmt::format("  ({})", printable(details)), "2"));
    if (const auto found = failures_.find(path); found != failures_.end())
      write_reason(*found->second, indent + "    ");
    for (const auto& child : node.children)
      if (options_.all_tests || child.status != TestStatus::passed)
        write_node(child, path + "." + child.name, depth + 1);
  }

  void write_reason(const Failure& failure, const std::string& indent) {
    std::string place = failure.file.empty() ? "" : fmt::format("{}:{}", failure.file, failure.line);
    if (failure.origin != Origin::unknown)
      place += fmt::format("{}[{}]", place.empty() ? "" : " ", to_string(failure.origin));
    if (!place.empty()) out_ += indent + paint(printable(place), "1") + "\n";
    for (const auto& line : split_lines(failure.message)) out_ += indent + printable(line) + "\n";
  }

  void write_diagnostic(const Diagnostic& diagnostic) {
    std::string head = diagnostic.file.empty() ? "" : fmt::format("{}:{}: ", diagnostic.file, diagnostic.line);
    const bool splat = diagnostic.kind == Diagnostic::Kind::splat;
    head = fmt::format("{}{}: {}", head, splat ? "kernel report" : to_string(diagnostic.kind), diagnostic.message);
    if (!diagnostic.test.empty()) head += fmt::format(" (in {})", diagnostic.test);
    if (!diagnostic.counts && splat) head += " (does not count)";
    out_ += paint(printable(head), diagnostic.counts ? "31" : "33") + "\n";
    const auto lines = split_lines(diagnostic.text);
    for (std::size_t i = 1; i < std::min(lines.size(), kReportLines); ++i) out_ += "    " + printable(lines[i]) + "\n";
    if (lines.size() > kReportLines) out_ += fmt::format("    ... {} more lines\n", lines.size() - kReportLines);
  }

  const RunResult& result_;
  const TextOptions& options_;
  std::unordered_map<std::string_view, const Failure*> failures_;
  std::string out_;
};

}  // namespace

std::string result_text(const RunResult& result, const TextOptions& options) { return Writer(result, options).write(); }

}  // namespace bowsprit::artifact
