// SPDX-License-Identifier: Apache-2.0
#include "ktap/splat.h"

#include <fmt/core.h>

#include <array>
#include <cstring>

#include "base/strings.h"
#include "ktap/line.h"

namespace bowsprit::ktap {
namespace {

constexpr std::size_t kTitleBytes = 300;
constexpr std::size_t kMaxLines = 150;  // longer than the longest lockdep report worth reading

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// True if `line` has `word` so that its last byte is at `colon - 1`; `at` is where it begins.
bool ends_at(std::string_view line, std::size_t colon, std::string_view word, std::size_t& at) {
  if (colon < word.size() || line.substr(colon - word.size(), word.size()) != word) return false;
  at = colon - word.size();
  return true;
}
bool at_word_start(std::string_view line, std::size_t at) { return at == 0 || !word_char(line[at - 1]); }

bool is_lockdep_title(std::string_view rest) {
  return contains(rest, "locking dependency") || contains(rest, "recursive locking") ||
         contains(rest, "inconsistent lock state") || contains(rest, "suspicious RCU usage") ||
         contains(rest, "bad unlock balance") || contains(rest, "held lock freed") ||
         contains(rest, "lock held when returning") || contains(rest, "lock order inversion") ||
         contains(rest, "lock inversion") || contains(rest, "Nested lock was not taken") ||
         contains(rest, "still has locks held") || contains(rest, "possible deadlock") || contains(rest, "irq lock") ||
         contains(rest, "non-static key") || contains(rest, "lock order detected") ||
         contains(rest, "Invalid wait context") || contains(rest, "bad contention detected") ||
         contains(rest, "-safe -> ");
}

std::optional<Splat::Kind> bug_kind(std::string_view rest) {
  using enum Splat::Kind;
  if (rest.starts_with("KASAN:") || rest.starts_with("KMSAN:")) return kasan;
  if (rest.starts_with("KCSAN:")) return kcsan;
  if (rest.starts_with("KFENCE:")) return kfence;
  if (rest.starts_with("soft lockup") || rest.starts_with("workqueue lockup")) return soft_lockup;
  if (rest.starts_with("kernel NULL pointer") || rest.starts_with("unable to handle") ||
      contains(rest, "kernel paging request"))
    return oops;
  if (rest.starts_with("MAX_LOCK") || contains(rest, " lock held ") || contains(rest, "Invalid wait context"))
    return lockdep;
  return bug;
}

std::optional<Splat::Kind> warning_kind(std::string_view rest) {
  if (rest.starts_with("CPU: ") || rest.starts_with("at ")) return Splat::Kind::warning;
  if (is_lockdep_title(rest)) return Splat::Kind::lockdep;
  // Since 6.18: "WARNING: lib/x.c:12 at func+0x1/0x2, CPU#0: comm/1"
  const SourcePlace place = find_source_place(rest);
  if (!place.file.empty() && contains(rest, " at ") && rest.find(place.file) <= 6) return Splat::Kind::warning;
  return std::nullopt;
}

/// What the word in front of the colon at `colon` starts, if anything.
std::optional<SplatStart> at_colon(std::string_view line, std::size_t colon) {
  if (colon == 0) return std::nullopt;
  std::size_t at = 0;
  std::string_view rest = line.substr(colon + 1);
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  const auto found = [&](Splat::Kind kind) { return SplatStart{kind, at, false}; };
  switch (line[colon - 1]) {
    case 'G':
      if (ends_at(line, colon, "WARNING", at)) {
        if (const auto kind = warning_kind(rest)) return found(*kind);
      } else if (ends_at(line, colon, "BUG", at) && colon + 1 < line.size() && line[colon + 1] == ' ') {
        const auto kind = bug_kind(rest);
        // A sanitizer's words are sure enough to be cut out of the middle of one; a bare "BUG: " is not.
        if (kind && (*kind != Splat::Kind::bug || at_word_start(line, at))) return found(*kind);
      }
      break;
    case 'N':
      if (ends_at(line, colon, "UBSAN", at) && colon + 1 < line.size() && line[colon + 1] == ' ')
        return found(Splat::Kind::ubsan);
      break;
    case 's':
      if (ends_at(line, colon, "Oops", at)) return found(Splat::Kind::oops);
      break;
    case 'g':
      if (ends_at(line, colon, "Kernel panic - not syncing", at)) return found(Splat::Kind::panic);
      break;
    case 'O':
      if (ends_at(line, colon, "INFO", at)) {
        if (rest.starts_with("task ") && contains(rest, " blocked for more than "))
          return found(Splat::Kind::hung_task);
        if (contains(rest, "detected stall") || contains(rest, "self-detected stall"))
          return found(Splat::Kind::soft_lockup);
        if (is_lockdep_title(rest)) return found(Splat::Kind::lockdep);
      }
      break;
    case 'k':
      if (ends_at(line, colon, "kmemleak", at) && contains(rest, "new suspected memory leak"))
        return found(Splat::Kind::kmemleak);
      break;
    case 't':
      if (ends_at(line, colon, "general protection fault", at)) return found(Splat::Kind::oops);
      break;
    case 'e':
      if (ends_at(line, colon, "invalid opcode", at) && contains(rest, "[#")) return found(Splat::Kind::oops);
      break;
    case 'r':
      if ((ends_at(line, colon, "Internal error", at) || ends_at(line, colon, "divide error", at)) &&
          contains(rest, "[#"))
        return found(Splat::Kind::oops);
      break;
    default:
      if (line.substr(0, colon).ends_with(".c") || line.substr(0, colon).ends_with(".h")) {
        at = line.substr(0, colon).rfind("kernel BUG at ");
        if (at != std::string_view::npos) return found(Splat::Kind::bug);
      } else if (line.substr(0, colon).ends_with(")") && line.ends_with(':')) {
        at = line.find("unreferenced object 0x");
        if (at != std::string_view::npos) return found(Splat::Kind::kmemleak);
      }
  }
  return std::nullopt;
}

/// "func" of the first "func+0x1f/0x20" in `text`.
std::string_view function_in(std::string_view text) {
  for (std::size_t plus = text.find("+0x"); plus != std::string_view::npos; plus = text.find("+0x", plus + 1)) {
    std::size_t start = plus;
    while (start > 0 && (word_char(text[start - 1]) || text[start - 1] == '.')) --start;
    const std::string_view function = text.substr(start, plus - start);
    // The compiler's ".isra.0" and ".constprop.0" come and go between builds.
    if (!function.empty() && !(function[0] >= '0' && function[0] <= '9')) return function.substr(0, function.find('.'));
  }
  return {};
}

/// Functions that only report or lead to the report; the fault is in their caller.
bool is_machinery(std::string_view function) {
  static constexpr std::array<std::string_view, 39> kPrefixes{"dump_stack",
                                                              "show_stack",
                                                              "panic",
                                                              "_printk",
                                                              "printk",
                                                              "vprintk",
                                                              "__warn",
                                                              "warn_slowpath",
                                                              "__might_",
                                                              "kasan_",
                                                              "__kasan_",
                                                              "__asan_",
                                                              "print_",
                                                              "report_bug",
                                                              "handle_bug",
                                                              "exc_",
                                                              "asm_exc_",
                                                              "do_trap",
                                                              "die",
                                                              "oops_",
                                                              "__ubsan_",
                                                              "ubsan_",
                                                              "segv",
                                                              "sig_handler",
                                                              "hard_handler",
                                                              "get_signals",
                                                              "block_signals",
                                                              "unblock_signals",
                                                              "os_is_signal",
                                                              "kfence_",
                                                              "kcsan_",
                                                              "__tsan_",
                                                              "lock_acquire",
                                                              "__lock_acquire",
                                                              "lockdep_",
                                                              "bust_spinlocks",
                                                              "check_memory",
                                                              "end_report",
                                                              "kunit_try_catch_throw"};
  for (const auto prefix : kPrefixes)
    if (function.starts_with(prefix)) return true;
  return false;
}

/// Numbers out, so that two runs give the same words.
std::string without_numbers(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const bool starts_word = i == 0 || !word_char(text[i - 1]);
    std::size_t end = i;
    bool has_digit = false;
    while (end < text.size() && word_char(text[end])) {
      has_digit = has_digit || (text[end] >= '0' && text[end] <= '9');
      ++end;
    }
    if (starts_word && end > i) {
      if (has_digit)
        out += '#';
      else
        out += text.substr(i, end - i);
      i = end;
    } else {
      out += text[i++];
    }
  }
  return out;
}

}  // namespace

bool is_fatal(Splat::Kind kind) {
  return kind == Splat::Kind::panic || kind == Splat::Kind::oops || kind == Splat::Kind::bug;
}

std::optional<SplatStart> find_splat(std::string_view line) {
  const char* const begin = line.data();
  const char* const end = begin + line.size();
  for (const char* p = begin; p < end; ++p) {
    p = static_cast<const char*>(std::memchr(p, ':', static_cast<std::size_t>(end - p)));
    if (p == nullptr) break;
    if (auto start = at_colon(line, static_cast<std::size_t>(p - begin))) return start;
  }
  if (line.empty()) return std::nullopt;
  if (line.back() == '-') {
    const std::size_t at = line.find("------------[ cut here ]------------");
    if (at != std::string_view::npos) return SplatStart{Splat::Kind::warning, at, true};
  }
  // Without a colon: x86's "general protection fault, probably for ..." and SLUB's "BUG kmalloc-64 (Not tainted): ..."
  // have one that none of the words above stands before.
  if (line.starts_with("general protection fault,")) return SplatStart{Splat::Kind::oops, 0, false};
  if (line.starts_with("BUG ") && contains(line, "ainted")) return SplatStart{Splat::Kind::bug, 0, false};
  if (line.starts_with("Unable to handle kernel ")) return SplatStart{Splat::Kind::oops, 0, false};
  return std::nullopt;
}

SplatReport::SplatReport(SplatStart start, std::string_view line, std::size_t text_limit) : text_limit_(text_limit) {
  become(start, line);
}

void SplatReport::become(SplatStart start, std::string_view line) {
  line.remove_prefix(start.at);
  splat_.kind = start.kind;
  announced_only_ = start.announced;
  append(line);
  if (announced_only_) return;
  splat_.title = shorten(printable(line), kTitleBytes);
  const SourcePlace place = find_source_place(splat_.title);
  splat_.file = place.file;
  splat_.line = place.line;
  // "BUG: failure at lib/x.c:12/func()!" (asm-generic), "WARNING: ... at lib/x.c:12 func+0x1/0x2", "KASAN: ... in
  // func+0x1/0x2".
  splat_.function = function_in(splat_.title);
  if (const std::size_t call = splat_.title.find("()"); splat_.function.empty() && call != std::string::npos) {
    std::size_t begin = call;
    while (begin > 0 && word_char(splat_.title[begin - 1])) --begin;
    splat_.function = splat_.title.substr(begin, call - begin);
  }
}

void SplatReport::append(std::string_view line) {
  ++lines_;
  if (splat_.text.size() + line.size() + 1 > text_limit_) return;
  splat_.text += line;
  splat_.text += '\n';
}

SplatReport::Step SplatReport::add(std::string_view line) {
  append(line);
  if (splat_.function.empty()) {
    const std::string_view function = function_in(line);
    if (!function.empty() && !is_machinery(function)) {
      const bool doubtful = contains(line, "? ");
      if (!doubtful)
        splat_.function = function;
      else if (doubtful_function_.empty())
        doubtful_function_ = function;
    }
  }
  if (contains(line, "---[ end ")) return Step::ended;
  using enum Splat::Kind;
  const bool framed = splat_.kind == kasan || splat_.kind == kfence || splat_.kind == kcsan || splat_.kind == ubsan;
  if (framed && lines_ > 2 && line.starts_with("==========")) return Step::ended;
  return lines_ >= kMaxLines ? Step::ended : Step::more;
}

bool SplatReport::continues_with(const SplatStart& start) const {
  using enum Splat::Kind;
  if (announced_only_) return !start.announced;
  if (start.announced) return false;
  return start.kind == oops && (splat_.kind == oops || splat_.kind == bug);
}

Splat SplatReport::finish() && {
  if (splat_.function.empty()) splat_.function = doubtful_function_;
  splat_.fingerprint = fmt::format("{}|", to_string(splat_.kind));
  if (splat_.function.empty() && splat_.file.empty())
    splat_.fingerprint += without_numbers(splat_.title);
  else
    splat_.fingerprint += splat_.function + "|" + splat_.file;
  return std::move(splat_);
}

}  // namespace bowsprit::ktap
