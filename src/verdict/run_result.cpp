// SPDX-License-Identifier: Apache-2.0
#include "verdict/run_result.h"

namespace bowsprit {
namespace {

void count(ktap::TestStatus status, TestCounts& tests) {
  using ktap::TestStatus;
  ++tests.total;
  switch (status) {
    case TestStatus::passed:
    case TestStatus::expected_failure: ++tests.passed; break;
    case TestStatus::failed: ++tests.failed; break;
    case TestStatus::skipped: ++tests.skipped; break;
    case TestStatus::crashed: ++tests.crashed; break;
    case TestStatus::timed_out: ++tests.timed_out; break;
    case TestStatus::missing: ++tests.missing; break;
  }
}

/// True if something in or below one of `nodes` is not good.
bool count_below(const std::vector<ktap::TestNode>& nodes, TestCounts& tests) {
  bool any_bad = false;
  for (const auto& node : nodes) {
    const bool bad_below = count_below(node.children, tests);
    const bool bad = !is_good(node.status);
    if (node.children.empty() || (bad && !bad_below)) count(node.status, tests);
    any_bad = any_bad || bad || bad_below;
  }
  return any_bad;
}

}  // namespace

TestCounts count_tests(const std::vector<ktap::TestNode>& suites) {
  TestCounts tests;
  count_below(suites, tests);
  return tests;
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed: return "passed";
    case Verdict::no_new_failures: return "no_new_failures";
    case Verdict::failed: return "failed";
    case Verdict::crashed: return "crashed";
    case Verdict::timed_out: return "timed_out";
    case Verdict::missing_tests: return "missing_tests";
    case Verdict::no_tests: return "no_tests";
    case Verdict::config_error: return "config_error";
    case Verdict::build_error: return "build_error";
    case Verdict::boot_error: return "boot_error";
    case Verdict::merge_conflict: return "merge_conflict";
    case Verdict::infra_error: return "infra_error";
    case Verdict::aborted: return "aborted";
  }
  return "infra_error";
}

std::optional<Verdict> verdict_from_string(std::string_view text) {
  using enum Verdict;
  for (const Verdict verdict : {passed, no_new_failures, failed, crashed, timed_out, missing_tests, no_tests,
                                config_error, build_error, boot_error, merge_conflict, infra_error, aborted})
    if (to_string(verdict) == text) return verdict;
  return std::nullopt;
}

int exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
    case Verdict::no_new_failures: return 0;
    case Verdict::infra_error:
    case Verdict::aborted: return 3;
    case Verdict::failed:
    case Verdict::crashed:
    case Verdict::timed_out:
    case Verdict::missing_tests:
    case Verdict::no_tests:
    case Verdict::config_error:
    case Verdict::build_error:
    case Verdict::boot_error:
    case Verdict::merge_conflict: return 1;
  }
  return 3;
}

int vote(Verdict verdict) {
  const int code = exit_code(verdict);
  if (code == 3) return 0;
  return code == 0 ? 1 : -1;
}

std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::new_failure: return "new";
    case Origin::also_on_base: return "also_on_base";
    case Origin::flaky: return "flaky";
    case Origin::unknown: return "unknown";
  }
  return "unknown";
}

std::optional<Origin> origin_from_string(std::string_view text) {
  for (const Origin origin : {Origin::new_failure, Origin::also_on_base, Origin::flaky, Origin::unknown})
    if (to_string(origin) == text) return origin;
  return std::nullopt;
}

std::string_view to_string(Diagnostic::Kind kind) {
  switch (kind) {
    case Diagnostic::Kind::warning: return "warning";
    case Diagnostic::Kind::error: return "error";
    case Diagnostic::Kind::splat: return "splat";
    case Diagnostic::Kind::config: return "config";
  }
  return "error";
}

}  // namespace bowsprit
