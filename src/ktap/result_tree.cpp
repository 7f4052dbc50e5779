// SPDX-License-Identifier: Apache-2.0
#include "ktap/result_tree.h"

namespace bowsprit::ktap {

std::string_view to_string(TestStatus status) {
  switch (status) {
    case TestStatus::passed: return "passed";
    case TestStatus::failed: return "failed";
    case TestStatus::skipped: return "skipped";
    case TestStatus::expected_failure: return "expected_failure";
    case TestStatus::crashed: return "crashed";
    case TestStatus::timed_out: return "timed_out";
    case TestStatus::missing: return "missing";
  }
  return "missing";
}

std::optional<TestStatus> test_status_from_string(std::string_view text) {
  using enum TestStatus;
  for (const TestStatus status : {passed, failed, skipped, expected_failure, crashed, timed_out, missing})
    if (to_string(status) == text) return status;
  return std::nullopt;
}

bool is_good(TestStatus status) {
  return status == TestStatus::passed || status == TestStatus::skipped || status == TestStatus::expected_failure;
}

std::string_view to_string(Splat::Kind kind) {
  switch (kind) {
    case Splat::Kind::panic: return "panic";
    case Splat::Kind::oops: return "oops";
    case Splat::Kind::bug: return "bug";
    case Splat::Kind::warning: return "warning";
    case Splat::Kind::soft_lockup: return "soft_lockup";
    case Splat::Kind::hung_task: return "hung_task";
    case Splat::Kind::kasan: return "kasan";
    case Splat::Kind::ubsan: return "ubsan";
    case Splat::Kind::kcsan: return "kcsan";
    case Splat::Kind::kfence: return "kfence";
    case Splat::Kind::lockdep: return "lockdep";
    case Splat::Kind::kmemleak: return "kmemleak";
  }
  return "bug";
}

}  // namespace bowsprit::ktap
