// SPDX-License-Identifier: Apache-2.0
#include "report/details.h"

#include <algorithm>

#include "base/strings.h"
#include "verdict/origin.h"

namespace bowsprit::report {
namespace {

constexpr std::size_t kMoreSize = 30;  // room for more_line
constexpr std::size_t kSentenceLimit = 300;
constexpr std::size_t kMessageLimit = 300;
constexpr std::size_t kPathLimit = 200;
constexpr std::size_t kCommandLimit = 2000;

/// For places outside a code span: no links either.
std::string sentence(std::string_view text) {
  std::string out = one_line(text, kSentenceLimit);
  std::ranges::replace(out, '[', '(');
  std::ranges::replace(out, ']', ')');
  return out;
}

/// A line that no reader of reports takes for a job's line, a header or a key.
std::string line_of(const std::string& text) {
  const bool taken = parse_job_line(text) || text.starts_with(kHeaderStart) || text.starts_with(kKeyStart);
  return text + (taken ? " .\n" : "\n");
}

std::string place(const std::string& file, int line) {
  if (file.empty()) return {};
  const std::string path = replace_all(sentence(file.substr(0, kPathLimit)), " ", "_");
  return line > 0 ? fmt::format("{}:{}", path, line) : path;
}

std::string_view words_of(ktap::TestStatus status) {
  if (status == ktap::TestStatus::timed_out) return "timed out";
  if (status == ktap::TestStatus::missing) return "did not run";
  return ktap::to_string(status);
}

/// " on um+kasan"; empty: the run had one kernel.
std::string on_variants(const std::vector<std::string>& variants) {
  return variants.empty() ? "" : " on " + sentence(join(variants, ", "));
}

std::string origin_of(Origin origin) {
  const auto words = words_of(origin);
  return words.empty() ? "" : fmt::format(" ({})", words);
}

bool is_known(Origin origin) { return origin == Origin::also_on_base || origin == Origin::flaky; }

std::string more_line(std::size_t count) { return fmt::format("- {} more left out\n", count); }

std::string command_lines(std::string_view command) {
  if (command.empty() || command.size() > kCommandLimit) return {};  // a cut command is worse than none
  const std::string clean(trim(printable(command)));
  if (clean.find_first_of("`\n") == std::string::npos) return line_of("Reproduce: `" + clean + "`");
  std::string block = "Reproduce:\n\n";
  for (const auto& line : split_lines(clean)) block += "    " + line + "\n";
  return block;
}

}  // namespace

std::string one_line(std::string_view text, std::size_t limit) {
  std::string out;
  for (const char c : printable(text.substr(0, 2 * limit))) {
    const bool space = c == '\n' || c == '\t' || c == ' ';
    if (space && (out.empty() || out.back() == ' ')) continue;
    out += space ? ' ' : c == '`' ? '\'' : c;
  }
  return shorten(trim(out), limit);
}

std::string code(std::string_view text, std::size_t limit) { return "`" + one_line(text, limit) + "`"; }

std::string item_of(const Failure& failure) {
  const std::string where = place(failure.file, failure.line);
  return line_of(fmt::format("- {} {}{}{}{}{}", code(failure.test, kPathLimit), words_of(failure.status),
                             on_variants(failure.variants), where.empty() ? "" : " at " + where,
                             origin_of(failure.origin),
                             failure.message.empty() ? "" : ": " + code(failure.message, kMessageLimit)));
}

std::string item_of(const Diagnostic& diagnostic) {
  const std::string where = place(diagnostic.file, diagnostic.line);
  const std::string during = diagnostic.test.empty() ? "" : " during " + code(diagnostic.test, kPathLimit);
  const std::string_view what = diagnostic.kind == Diagnostic::Kind::error     ? "build error"
                                : diagnostic.kind == Diagnostic::Kind::config  ? "configuration"
                                : diagnostic.kind == Diagnostic::Kind::warning ? "warning"
                                                                               : "kernel report";
  return line_of(fmt::format("- {}{}{}{}{}: {}", what, on_variants(diagnostic.variants),
                             where.empty() ? "" : " at " + where, during, origin_of(diagnostic.origin),
                             code(diagnostic.message, kMessageLimit)));
}

std::string upper_case(std::string_view ascii) {
  std::string out(ascii);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

JobDetails details_of(const JobLine& job, std::string_view name, bool infrastructure, std::size_t items) {
  JobDetails details;
  std::string text = sentence(job.result ? job.result->summary : job.description);
  if (text.empty()) text = sentence(job.description);
  if (text.empty())
    text = job.result ? fmt::format("verdict {}", to_string(job.result->verdict)) : "no result; its log tells more";
  details.head = line_of(fmt::format("{}{}: {}{}", name, job.optional ? " (optional)" : "",
                                     infrastructure ? "not judged, the infrastructure failed: " : "", text));
  if (!job.result) return details;
  const RunResult& result = *job.result;
  const auto add = [&details, items](const auto& what) {
    if (details.items.size() < items)
      details.items.push_back(item_of(what));
    else
      ++details.more;
  };
  for (const auto kind : {Diagnostic::Kind::config, Diagnostic::Kind::error, Diagnostic::Kind::splat})
    for (const auto& diagnostic : result.diagnostics)
      if (diagnostic.kind == kind && diagnostic.counts) add(diagnostic);
  for (const bool known : {false, true})
    for (const auto& failure : result.failures)
      if (is_known(failure.origin) == known) add(failure);
  if (exit_code(result.verdict) != 0) details.reproduce = command_lines(result.reproduce);
  return details;
}

std::size_t full_size(const std::vector<JobDetails>& details) {
  std::size_t size = 0;
  for (const auto& job : details) {
    size += 1 + job.head.size() + job.reproduce.size() + (job.items.empty() ? 0 : kMoreSize);
    for (const auto& item : job.items) size += item.size();
  }
  return size;
}

std::string write_details(const std::vector<JobDetails>& details, std::size_t budget) {
  struct Plan {
    bool head = false;
    bool reproduce = false;
    std::size_t items = 0;
  };
  const std::string longest_note = fmt::format("\n{} more jobs have failures\n", details.size());
  std::vector<Plan> plans(details.size());
  std::size_t left = budget;
  const auto take = [&left](std::size_t size, std::size_t keep) {
    if (size + keep > left) return false;
    left -= size;
    return true;
  };
  std::size_t heads = 0;
  for (std::size_t i = 0; i < details.size();
       ++i) {  // a blank line, the sentence, and room to say how much is left out
    const std::size_t more = details[i].items.empty() ? 0 : kMoreSize;
    const bool last = i + 1 == details.size();
    plans[i].head = take(1 + details[i].head.size() + more, last && heads == i ? 0 : longest_note.size());
    if (!plans[i].head) break;
    ++heads;
  }
  if (heads < details.size() && !take(longest_note.size(), 0)) return {};
  for (std::size_t i = 0; i < heads; ++i) plans[i].reproduce = take(details[i].reproduce.size(), 0);
  for (std::size_t round = 0, taken = 1; taken > 0; ++round) {
    taken = 0;
    for (std::size_t i = 0; i < heads; ++i)
      if (plans[i].items == round && round < details[i].items.size() && take(details[i].items[round].size(), 0)) {
        ++plans[i].items;
        ++taken;
      }
  }
  std::string out;
  for (std::size_t i = 0; i < heads; ++i) {
    out += "\n" + details[i].head;
    for (std::size_t item = 0; item < plans[i].items; ++item) out += details[i].items[item];
    if (const auto more = details[i].items.size() - plans[i].items + details[i].more; more > 0) out += more_line(more);
    if (plans[i].reproduce) out += details[i].reproduce;
  }
  if (heads < details.size()) out += fmt::format("\n{} more jobs have failures\n", details.size() - heads);
  return out;
}

}  // namespace bowsprit::report
