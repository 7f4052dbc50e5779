// SPDX-License-Identifier: Apache-2.0
#include "ktap/line.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace bowsprit::ktap {
namespace {

constexpr std::uint64_t kNumberCap = 1'000'000'000'000;  // far above every limit, far below overflow

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Reads digits at `at` and moves it behind them; false where there is none.
bool read_number(std::string_view text, std::size_t& at, std::uint64_t& value) {
  const std::size_t start = at;
  value = 0;
  for (; at < text.size() && is_digit(text[at]); ++at)
    if (value < kNumberCap) value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
  return at > start;
}

/// "[    0.060000]" at the start of `text`: its length, else 0.
std::size_t stamp_length(std::string_view text, std::int64_t& microseconds) {
  std::size_t at = 1;
  while (at < text.size() && text[at] == ' ') ++at;
  std::uint64_t whole = 0;
  if (!read_number(text, at, whole) || at >= text.size() || text[at] != '.') return 0;
  ++at;
  std::int64_t fraction = 0;
  int digits = 0;
  for (; at < text.size() && is_digit(text[at]); ++at, ++digits)
    if (digits < 6) fraction = fraction * 10 + (text[at] - '0');
  if (digits == 0 || at >= text.size() || text[at] != ']') return 0;
  for (; digits < 6; ++digits) fraction *= 10;
  microseconds = static_cast<std::int64_t>(whole) * 1'000'000 + fraction;
  return at + 1;
}

/// "[    T1]" (CONFIG_PRINTK_CALLER) or dmesg -T's "[Tue Nov 24 10:58:42 2026]": its length, else 0.
std::size_t other_bracket_length(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && text[at] == ' ') ++at;
  if (at + 1 < text.size() && (text[at] == 'T' || text[at] == 'C') && is_digit(text[at + 1])) {
    ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at < text.size() && text[at] == ']' ? at + 1 : 0;
  }
  const std::size_t end = text.find(']');
  constexpr std::size_t kDateLength = sizeof("[Tue Nov 24 10:58:42 2026]") - 1;
  if (end == kDateLength - 1 && text[4] == ' ' && text[14] == ':' && text[17] == ':') return end + 1;
  return 0;
}

/// "Nov 24 10:58:42 host kernel: " or "2026-11-24T10:58:42.1Z ": its length, else 0.
std::size_t log_prefix_length(std::string_view text) {
  if (text.size() < 20) return 0;
  if (is_digit(text[0]) && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':') {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || space > 40) return 0;
    const std::size_t tag = text.substr(0, 120).find(" kernel: ", space);
    return tag == std::string_view::npos ? space + 1 : tag + 9;
  }
  if (text[3] == ' ' && text[6] == ' ' && text[9] == ':' && text[12] == ':') {
    const std::size_t tag = text.substr(0, 120).find(" kernel: ");
    return tag == std::string_view::npos ? 0 : tag + 9;
  }
  return 0;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

std::string_view left_trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}
std::string_view right_trimmed(std::string_view text) {
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

/// Splits "name # SKIP why" at the directive. '#' may be part of a name, so only " # " and a known word, or the first "
/// # " where no word is known, end it.
void split_directive(std::string_view text, KtapLine& line) {
  struct Word {
    std::string_view word;
    std::optional<TestStatus> status;
  };
  static constexpr std::array kWords{
      Word{"SKIP", TestStatus::skipped},          Word{"SKIPPED", TestStatus::skipped},
      Word{"TODO", TestStatus::expected_failure}, Word{"XFAIL", TestStatus::expected_failure},
      Word{"TIMEOUT", TestStatus::timed_out},     Word{"ERROR", std::nullopt}};
  std::size_t first = std::string_view::npos;
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    const bool opens = at == 0 || is_blank(text[at - 1]);
    if (!opens) continue;
    const auto behind = left_trimmed(text.substr(at + 1));
    const auto word = behind.substr(0, std::min(behind.find_first_of(" \t:"), behind.size()));
    for (const auto& known : kWords) {
      if (!equals_ignoring_case(word, known.word)) continue;
      line.directive = known.status;
      line.name = right_trimmed(text.substr(0, at));
      line.text = left_trimmed(behind.substr(word.size()));
      return;
    }
    if (first == std::string_view::npos && is_blank(text.size() > at + 1 ? text[at + 1] : 'x')) first = at;
  }
  line.name = right_trimmed(text.substr(0, first));
  if (first != std::string_view::npos) line.text = left_trimmed(text.substr(first + 1));
}

bool classify_result(std::string_view text, std::size_t at, bool ok, KtapLine& line) {
  std::uint64_t number = 0;
  if (!read_number(text, at, number) || (at < text.size() && !is_blank(text[at]))) return false;
  line.kind = LineKind::result;
  line.ok = ok;
  line.number = number;
  auto rest = left_trimmed(text.substr(at));
  if (rest.starts_with("- ")) rest = left_trimmed(rest.substr(2));
  if (rest == "-") rest = {};
  if (rest.find('#') == std::string_view::npos)
    line.name = rest;
  else
    split_directive(rest, line);
  return true;
}

void classify_diagnostic(std::string_view text, KtapLine& line) {
  constexpr std::string_view kSubtest = "# Subtest: ";
  if (text.starts_with(kSubtest)) {
    line.kind = LineKind::subtest;
    line.name = text.substr(kSubtest.size());
    return;
  }
  line.kind = LineKind::diagnostic;
  line.text = text.size() > 2 ? text.substr(2) : std::string_view{};
  const std::size_t colon = line.text.find(": ");
  if (colon != std::string_view::npos) {
    line.name = line.text.substr(0, colon);
    line.text = line.text.substr(colon + 2);
  }
}

}  // namespace

PlainLine strip_prefix(std::string_view line) {
  PlainLine out;
  while (!line.empty() && line.front() == '\r') line.remove_prefix(1);
  while (!line.empty()) {
    std::size_t length = 0;
    const char first = line.front();
    if (first == '<' && line.size() > 2 && is_digit(line[1])) {
      const std::size_t end = line.find('>');
      if (end != std::string_view::npos && end <= 4) length = end + 1;
    } else if (first == '[') {
      std::int64_t stamp = 0;
      length = stamp_length(line, stamp);
      if (length > 0)
        out.microseconds = stamp;
      else
        length = other_bracket_length(line);
      // printk writes one blank behind the last bracket; the rest is the message's own indentation.
      if (length > 0 && length < line.size() && line[length] == ' ') ++length;
    } else if (is_digit(first) || (first >= 'A' && first <= 'Z')) {
      length = log_prefix_length(line);
    }
    if (length == 0) break;
    line.remove_prefix(length);
  }
  out.text = right_trimmed(line);
  return out;
}

std::string_view strip_ansi(std::string_view line, std::string& scratch) {
  if (std::memchr(line.data(), '\x1b', line.size()) == nullptr) return line;
  scratch.clear();
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] != '\x1b') {
      scratch += line[i++];
      continue;
    }
    ++i;
    if (i >= line.size()) break;
    if (line[i] != '[') {
      ++i;
      continue;
    }
    ++i;
    while (i < line.size() && line[i] >= 0x20 && line[i] <= 0x3F) ++i;
    if (i < line.size()) ++i;
  }
  return scratch;
}

std::size_t find_inner_stamp(std::string_view text) {
  std::int64_t ignored = 0;
  for (std::size_t at = text.find('[', 1); at != std::string_view::npos; at = text.find('[', at + 1))
    if (stamp_length(text.substr(at), ignored) > 0) return at;
  return std::string_view::npos;
}

Indent indent_of(std::string_view text) {
  Indent indent;
  for (; indent.bytes < text.size() && is_blank(text[indent.bytes]); ++indent.bytes)
    indent.width += text[indent.bytes] == '\t' ? 4 : 1;
  return indent;
}

KtapLine classify(std::string_view text) {
  KtapLine line;
  const Indent indent = indent_of(text);
  line.indent = indent.width;
  text.remove_prefix(indent.bytes);
  if (text.empty()) return line;
  std::size_t at = 0;
  switch (text.front()) {
    case 'o':
      if (text.starts_with("ok ")) classify_result(text, 3, true, line);
      break;
    case 'n':
      if (text.starts_with("not ok ")) classify_result(text, 7, false, line);
      break;
    case '#': classify_diagnostic(text, line); break;
    case 'K':
    case 'T': {
      at = text.starts_with("KTAP version ") ? 13 : text.starts_with("TAP version ") ? 12 : 0;
      line.name = text.substr(0, text.front() == 'K' ? 4 : 3);
      if (at > 0 && read_number(text, at, line.number) && at == text.size()) line.kind = LineKind::version;
      break;
    }
    case '1':
      at = 3;
      if (text.starts_with("1..") && read_number(text, at, line.number)) {
        line.rest = text.substr(at);
        const auto comment = left_trimmed(line.rest);
        // "1..5 values tried" is a sentence; "1..5random: crng init done" is a plan with printk text glued on.
        if (comment.empty() || comment.front() == '#' || !is_blank(line.rest.front())) line.kind = LineKind::plan;
        if (comment.starts_with('#')) {
          KtapLine directive;
          split_directive(comment, directive);
          line.directive = directive.directive;
          line.text = directive.text;
        }
      }
      break;
    case 'B':
      if (text.starts_with("Bail out!")) {
        line.kind = LineKind::bail_out;
        line.text = left_trimmed(text.substr(9));
      }
      break;
    case 'k':
      if (text.starts_with("kunit executor: ")) {
        line.kind = LineKind::executor_error;
        line.text = text.substr(16);
      }
      break;
    default: break;
  }
  return line;
}

std::optional<std::uint64_t> stated_total(std::string_view text) {
  if (!text.starts_with("pass:")) return std::nullopt;
  const std::size_t total = text.rfind(" total:");
  if (total == std::string_view::npos) return std::nullopt;
  std::size_t at = total + 7;
  std::uint64_t value = 0;
  if (!read_number(text, at, value) || at != text.size()) return std::nullopt;
  return value;
}

SourcePlace find_source_place(std::string_view text) {
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    if (colon + 1 >= text.size() || !is_digit(text[colon + 1]) || colon < 3) continue;
    const std::string_view before = text.substr(0, colon);
    const bool source =
        before.ends_with(".c") || before.ends_with(".h") || before.ends_with(".S") || before.ends_with(".rs");
    if (!source) continue;
    std::size_t start = colon;
    while (start > 0 && !is_blank(text[start - 1]) &&
           std::string_view("(),;'\"<>=[]").find(text[start - 1]) == std::string_view::npos)
      --start;
    SourcePlace place;
    place.file = text.substr(start, colon - start);
    while (place.file.starts_with("./") || place.file.starts_with("../"))
      place.file.remove_prefix(place.file.starts_with("./") ? 2 : 3);
    std::size_t at = colon + 1;
    std::uint64_t number = 0;
    read_number(text, at, number);
    place.line = static_cast<int>(std::min<std::uint64_t>(number, 10'000'000));
    return place;
  }
  return {};
}

std::optional<Expectation> expectation_from(std::string_view text) {
  constexpr std::string_view kExpectation = "EXPECTATION FAILED at ";
  constexpr std::string_view kAssertion = "ASSERTION FAILED at ";
  constexpr std::string_view kFaulted = "try faulted";
  SourcePlace place;
  std::string_view message;
  if (text.starts_with(kExpectation) || text.starts_with(kAssertion)) {
    place = find_source_place(text);
  } else if (text.starts_with(kFaulted)) {
    place = find_source_place(text);
    message = text;
  } else {
    place = find_source_place(text);
    const std::size_t end = place.file.empty() ? 0 : text.find(": ");
    if (end == 0 || end == std::string_view::npos || !text.starts_with(place.file)) return std::nullopt;
    message = text.substr(end + 2);
  }
  return Expectation{std::string(place.file), place.line, std::string(message)};
}

}  // namespace bowsprit::ktap
