// SPDX-License-Identifier: Apache-2.0
#include "report/inline_comments.h"

#include <algorithm>

#include "base/json.h"
#include "base/strings.h"
#include "report/details.h"

namespace bowsprit::report {
namespace {

constexpr std::size_t kLineLimit = 300;
constexpr std::size_t kSaidLimit = 1000;
constexpr std::size_t kAddressDigits =
    8;                                 // that many hexadecimal digits in a row are an address, and differ in each run
constexpr std::size_t kMoreSize = 40;  // room for the count of what does not fit

/// Whether the job's own result may be repeated to the author: it was judged, and the infrastructure is not in it.
bool was_judged(const JobLine& job) {
  using sched::JobState;
  return job.result && (job.state == JobState::success || job.state == JobState::failure) &&
         vote(job.result->verdict) != 0;
}

bool is_blamed(Origin origin) { return origin == Origin::new_failure || origin == Origin::unknown; }

/// Without addresses.
std::string steady(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  std::string out;
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of(kHex), text.size());
    if (digits >= kAddressDigits) {
      out += '#';
    } else {
      out += text.substr(0, digits);
    }
    text.remove_prefix(digits);
    const auto others = std::min(text.find_first_of(kHex), text.size());
    out += text.substr(0, others);
    text.remove_prefix(others);
  }
  return out;
}

std::string key_of(const Finding& finding) {
  return sha256_hex(join({finding.file, finding.source, steady(finding.text)}, "\n")).substr(0, 16);
}

/// The number of the line of `texts` that the finding means; 0: none, or not certain.
int find_line(const std::vector<std::string>& texts, const Finding& finding) {
  const auto number = static_cast<std::size_t>(finding.line);
  if (number <= texts.size() && texts[number - 1] == finding.source) return finding.line;
  const auto first = std::ranges::find(texts, finding.source);
  if (first == texts.end() || std::find(std::next(first), texts.end(), finding.source) != texts.end()) return 0;
  return static_cast<int>(first - texts.begin()) + 1;
}

}  // namespace

std::string line_text(std::string_view line) { return printable(shorten(trim(line), kLineLimit)); }

std::vector<Finding> findings_of(const std::vector<JobLine>& jobs) {
  std::vector<Finding> findings;
  std::set<std::string> seen;
  const auto add = [&](const auto& what, bool warning, std::string text) {
    if (what.file.empty() || what.line <= 0 || what.source.empty() || findings.size() >= kMostFindings) return;
    Finding finding{warning, what.file, what.line, line_text(what.source), std::move(text), item_of(what)};
    if (seen.insert(fmt::format("{} {}", finding.line, key_of(finding))).second) findings.push_back(std::move(finding));
  };
  const auto each = [&](auto take) {
    for (const auto& job : jobs)
      if (was_judged(job)) take(*job.result);
  };
  const auto add_diagnostics = [&](Diagnostic::Kind kind, std::string_view words) {
    each([&](const RunResult& result) {
      for (const auto& diagnostic : result.diagnostics)
        if (diagnostic.kind == kind && is_blamed(diagnostic.origin))
          add(diagnostic, kind == Diagnostic::Kind::warning,
              fmt::format("{}: {}", words, code(diagnostic.message, kSaidLimit)));
    });
  };
  add_diagnostics(Diagnostic::Kind::error, "Build error");
  each([&](const RunResult& result) {
    for (const auto& failure : result.failures) {
      if (failure.status != ktap::TestStatus::failed || !is_blamed(failure.origin)) continue;
      // "and 2 more: FILE:LINE" follows: places, which differ from patch set to patch set
      const auto message = std::string_view(failure.message).substr(0, failure.message.find("\nand "));
      add(failure, false,
          fmt::format("{} fails here{}", code(failure.test, kLineLimit),
                      message.empty() ? "" : ": " + code(message, kSaidLimit)));
    }
  });
  add_diagnostics(Diagnostic::Kind::warning, "New compiler warning");
  return findings;
}

std::string findings_json(const std::vector<Finding>& findings) {
  if (findings.empty()) return {};
  Json list = Json::array();
  for (const auto& finding : findings)
    list.push_back({{"warning", finding.warning},
                    {"file", finding.file},
                    {"line", finding.line},
                    {"source", finding.source},
                    {"text", finding.text},
                    {"item", finding.item}});
  return dump_json(list);
}

std::vector<Finding> read_findings(std::string_view json) {
  std::vector<Finding> findings;
  const auto list = parse_json(json.empty() ? "[]" : json);
  if (!list || !list->is_array()) return findings;
  for (const auto& entry : *list)
    findings.push_back({json_bool(entry, "warning"), json_string(entry, "file"),
                        static_cast<int>(json_int(entry, "line")), json_string(entry, "source"),
                        json_string(entry, "text"), json_string(entry, "item")});
  std::erase_if(findings, [](const Finding& finding) { return finding.line <= 0 || finding.source.empty(); });
  return findings;
}

Placement place_comments(const std::vector<Finding>& findings, const std::map<std::string, PatchSetFile>& files,
                         const std::set<std::string>& said, std::size_t most) {
  Placement placement;
  std::map<std::string, std::vector<std::string>> texts;
  std::set<std::string> keys = said;
  for (const auto& finding : findings) {
    const auto file = files.find(finding.file);
    if (file == files.end()) continue;
    auto& lines = texts[finding.file];
    if (lines.empty()) std::ranges::transform(file->second.lines, std::back_inserter(lines), line_text);
    const int line = find_line(lines, finding);
    if (line == 0) continue;
    if (finding.warning && !file->second.changed.at(static_cast<std::size_t>(line) - 1)) continue;
    std::string key = key_of(finding);
    if (!keys.insert(key).second) continue;
    if (placement.comments.size() < most)
      placement.comments.push_back({finding.file, line, finding.text, std::move(key)});
    else
      placement.rest.push_back(finding);
  }
  return placement;
}

std::string with_rest(const std::string& message, const std::vector<Finding>& rest, std::size_t limit) {
  const auto key = message.rfind(fmt::format("\n{}", kKeyStart));
  std::string head = message.substr(0, key);
  const std::string tail = key == std::string::npos ? std::string() : message.substr(key);
  std::size_t more = 0;
  std::string lines;
  for (const auto& finding : rest) {
    if (message.find(finding.item) != std::string::npos) continue;
    if (message.size() + lines.size() + finding.item.size() + kMoreSize > limit) {
      ++more;
    } else {
      lines += finding.item;
    }
  }
  if (more > 0) lines += fmt::format("- {} more on lines of this change\n", more);
  if (lines.empty() || message.size() + lines.size() + 1 > limit) return message;
  return head + "\n" + lines + tail;
}

}  // namespace bowsprit::report
