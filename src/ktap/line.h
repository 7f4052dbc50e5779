// SPDX-License-Identifier: Apache-2.0
/// One console line: what printk and terminals put around it taken off, and which KTAP line it is, if any.
///
/// Does not: know about the lines before it, except what the caller passes in. Threads: pure functions; any thread.
/// Views point into the text that was given, or into `scratch`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ktap/result_tree.h"

namespace bowsprit::ktap {

struct PlainLine {
  std::string_view text;                     ///< without prefix, without trailing blanks
  std::optional<std::int64_t> microseconds;  ///< printk's time stamp
};

/// Takes off log level, time stamp ("[    0.06]", dmesg -T, syslog, ISO 8601), thread id ("[T1]", "[C0]"), CR and
/// blanks at the end.
PlainLine strip_prefix(std::string_view line);
/// Drops ANSI sequences; gives `line` itself where it has none.
std::string_view strip_ansi(std::string_view line, std::string& scratch);
/// Where a printk time stamp begins inside of `text`, after its first byte: a line glued behind another; npos: nowhere.
std::size_t find_inner_stamp(std::string_view text);

/// Width of the blanks in front; a tab counts as four, as kunit and TAP 14 use either.
struct Indent {
  int width = 0;
  std::size_t bytes = 0;
};
Indent indent_of(std::string_view text);

enum class LineKind { other, version, subtest, plan, result, bail_out, diagnostic, executor_error };

/// Which KTAP line it is. Fields not of that kind stay at their defaults.
struct KtapLine {
  LineKind kind = LineKind::other;
  int indent = 0;
  std::uint64_t number = 0;             ///< of the version, the plan or the result
  bool ok = false;                      ///< result
  std::string_view name;                ///< subtest, result; version: "KTAP" or "TAP"; diagnostic: the word before ": "
  std::string_view text;                ///< directive's text; diagnostic: what follows the name; executor error
  std::string_view rest;                ///< plan: what follows the number
  std::optional<TestStatus> directive;  ///< SKIP, TODO, XFAIL, TIMEOUT
};
KtapLine classify(std::string_view text);

/// "# case: pass:1 fail:0 skip:2 total:3": the total, from the text after the name.
std::optional<std::uint64_t> stated_total(std::string_view text);

/// "EXPECTATION FAILED at lib/x.c:12", "ASSERTION FAILED at ...", "try faulted: last line seen lib/x.c:12", and what
/// kunit_fail_current_test() prints ("lib/x.c:12: text"); from the text of a diagnostic.
std::optional<Expectation> expectation_from(std::string_view text);

/// The first "path.c:12" in `text`, with leading "./" and "../" dropped; file empty: there is none.
struct SourcePlace {
  std::string_view file;
  int line = 0;
};
SourcePlace find_source_place(std::string_view text);

}  // namespace bowsprit::ktap
