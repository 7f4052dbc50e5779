// SPDX-License-Identifier: Apache-2.0
#include "verdict/summary.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "base/strings.h"

namespace bowsprit {
namespace {

using ktap::TestStatus;
constexpr std::size_t kNamed = 3;  // tests named in the line; the rest is a number

std::string tests_word(int count) { return fmt::format("{} test{}", count, count == 1 ? "" : "s"); }

std::string place(const std::string& file, int line) {
  if (file.empty()) return {};
  return line > 0 ? fmt::format("{}:{}", file, line) : file;
}

std::string first_line(std::string_view text) { return shorten(text.substr(0, text.find('\n')), 160); }

/// "a.b (lib/x.c:12), c.d and 4 more"
std::string named(const std::vector<const Failure*>& failures) {
  std::string out;
  for (std::size_t i = 0; i < std::min(failures.size(), kNamed); ++i) {
    const Failure& failure = *failures[i];
    const std::string where = place(failure.file, failure.line);
    const std::string detail = !where.empty() ? where : failures.size() == 1 ? first_line(failure.message) : "";
    out +=
        fmt::format("{}{}{}", i > 0 ? ", " : "", shorten(failure.test, 120), detail.empty() ? "" : " (" + detail + ")");
  }
  if (failures.size() > kNamed) out += fmt::format(" and {} more", failures.size() - kNamed);
  return out;
}

std::vector<const Failure*> pick(const RunResult& result, const std::function<bool(const Failure&)>& wanted) {
  std::vector<const Failure*> out;
  for (const auto& failure : result.failures)
    if (wanted(failure)) out.push_back(&failure);
  return out;
}

bool counts_now(Origin origin) { return origin == Origin::new_failure || origin == Origin::unknown; }

/// The first thing beside the tests that speaks against passing.
const Diagnostic* first_fault(const RunResult& result) {
  for (const auto kind : {Diagnostic::Kind::splat, Diagnostic::Kind::error})
    for (const auto& diagnostic : result.diagnostics)
      if (diagnostic.kind == kind && diagnostic.counts && counts_now(diagnostic.origin)) return &diagnostic;
  return nullptr;
}

std::string fault_words(const Diagnostic& fault) {
  std::string out = first_line(fault.message);
  if (const auto where = place(fault.file, fault.line); !where.empty() && out.find(where) == std::string::npos)
    out += fmt::format(" ({})", where);
  return out;
}

std::string good_tests(const TestCounts& tests) {
  std::string out = tests.skipped == tests.total ? "all " + tests_word(tests.total) + " were skipped"
                                                 : tests_word(tests.passed) + " passed";
  if (tests.skipped > 0 && tests.skipped < tests.total) out += fmt::format(", {} skipped", tests.skipped);
  return out;
}

std::string never_ran(const RunResult& result) {
  return result.tests.missing > 0 ? fmt::format("; {} never ran", tests_word(result.tests.missing)) : "";
}

std::string failed_line(const RunResult& result, TestStatus status, std::string_view verb) {
  const auto all = pick(result, [&](const Failure& f) { return f.status == status; });
  const auto mine = pick(result, [&](const Failure& f) { return f.status == status && counts_now(f.origin); });
  const auto& shown = mine.empty() ? all : mine;
  std::string out = fmt::format("{} of {} {}: {}", shown.size(), tests_word(result.tests.total), verb, named(shown));
  if (!mine.empty() && mine.size() < all.size())
    out += fmt::format(" ({} more also on the base or flaky)", all.size() - mine.size());
  return out;
}

std::string crash_line(const RunResult& result) {
  const auto crashed =
      pick(result, [](const Failure& f) { return f.status == TestStatus::crashed && counts_now(f.origin); });
  const Diagnostic* fault = first_fault(result);
  if (crashed.empty()) {
    const std::string what = fault != nullptr ? ": " + fault_words(*fault) : " without a word";
    const std::string where = fault != nullptr && !fault->test.empty() ? " in " + fault->test : " outside of a test";
    return fmt::format("the kernel crashed{}{}{}", where, what, never_ran(result));
  }
  const Failure& first = *crashed.front();
  std::string out = fmt::format("crashed in {}", shorten(first.test, 120));
  if (crashed.size() > 1) out += fmt::format(" and {} more", crashed.size() - 1);
  const std::string where = place(first.file, first.line);
  const std::string message = first_line(first.message);
  if (!where.empty() && message.find(where) == std::string::npos) out += fmt::format(" ({})", where);
  return fmt::format("{}: {}{}", out, message, never_ran(result));
}

std::string timeout_line(const RunResult& result) {
  const auto hung =
      pick(result, [](const Failure& f) { return f.status == TestStatus::timed_out && counts_now(f.origin); });
  if (hung.empty()) return "the kernel did not end in time, outside of a test" + never_ran(result);
  std::string out = fmt::format("{} {}", shorten(hung.front()->test, 120), first_line(hung.front()->message));
  if (hung.size() > 1) out += fmt::format(", and {} more", hung.size() - 1);
  return out + never_ran(result);
}

std::string fault_line(const RunResult& result, std::string_view otherwise) {
  const Diagnostic* fault = first_fault(result);
  return fault == nullptr ? std::string(otherwise) : fault_words(*fault);
}

}  // namespace

std::string summary_of(const RunResult& result) {
  switch (result.verdict) {
    case Verdict::passed: return good_tests(result.tests);
    case Verdict::no_new_failures: {
      const int bad = result.tests.total - result.tests.passed - result.tests.skipped;
      return fmt::format("no new failures: {} of {} did not pass, on the base too or flaky", bad,
                         tests_word(result.tests.total));
    }
    case Verdict::failed:
      if (std::ranges::any_of(result.failures, [](const Failure& f) { return f.status == TestStatus::failed; }))
        return failed_line(result, TestStatus::failed, "failed");
      return fmt::format("{}, but: {}", good_tests(result.tests), fault_line(result, "the output is damaged"));
    case Verdict::crashed: return crash_line(result);
    case Verdict::timed_out: return timeout_line(result);
    case Verdict::missing_tests: return failed_line(result, TestStatus::missing, "never ran");
    case Verdict::no_tests:
      if (result.tests.missing > 0)
        return fmt::format("none of the {} announced ran", tests_word(result.tests.missing));
      return "no test ran: " + fault_line(result, "the kernel printed no KTAP results");
    case Verdict::boot_error:
      return "the kernel did not reach its tests: " + fault_line(result, "no KTAP header in its output");
    case Verdict::config_error:
    case Verdict::build_error:
    case Verdict::merge_conflict:
    case Verdict::infra_error:
    case Verdict::aborted: break;
  }
  return fault_line(result, to_string(result.verdict));
}

}  // namespace bowsprit
