// SPDX-License-Identifier: Apache-2.0
/// What a kernel said about its tests: the tree of suites and cases that the KTAP reader builds
/// (Documentation/dev-tools/ktap.rst).
///
/// Does not: judge. Counting, missing suites and blame are verdict/'s work.
/// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bowsprit::ktap {

enum class TestStatus {
  passed,
  failed,
  skipped,
  expected_failure,  ///< "not ok ... # TODO": counts as passed, is shown
  crashed,           ///< started, and the kernel died or the result line never came
  timed_out,         ///< started, and the run's or the case's time limit ended it
  missing,           ///< announced by a plan or a manifest, never started
};
std::string_view to_string(TestStatus status);
std::optional<TestStatus> test_status_from_string(std::string_view text);
/// passed, skipped and expected_failure.
bool is_good(TestStatus status);

/// A failing expectation or assertion as lib/kunit prints it: "EXPECTATION FAILED at lib/x.c:12".
struct Expectation {
  std::string file;
  int line = 0;
  std::string message;  ///< the lines below it, without the "# case:" prefix
};

/// A suite, a case, or a parameter of a case; which one follows from depth and children.
struct TestNode {
  std::string name;  ///< empty where only a plan announced it; verdict/ names it
  TestStatus status = TestStatus::missing;
  std::string directive;         ///< text after "# SKIP", "# TODO"
  std::vector<std::string> log;  ///< this test's own console lines, prefix stripped; capped, see Limits
  std::vector<Expectation> expectations;
  std::vector<TestNode> children;
  std::optional<double> seconds;  ///< from console time stamps, where the kernel prints them
  std::string module;             ///< "# module: x"
};

/// Something wrong with the document itself: plan and count differ, a number out of order, an unknown version.
struct Anomaly {
  enum class Severity { warning, error } severity = Severity::warning;
  std::uint64_t line = 0;  ///< of the input, from 1
  std::string message;
};

struct Document {
  bool found_ktap = false;       ///< a "KTAP version" or "TAP version" line was there
  bool bailed_out = false;       ///< "Bail out!"
  bool ended_early = false;      ///< the input ended inside a test or before the plan was fulfilled
  std::vector<TestNode> suites;  ///< of all KTAP documents of the input, in order
  std::vector<Anomaly> anomalies;
  std::vector<std::string> executor_errors;  ///< "kunit executor: error ..."
};

/// A report of the kernel beside KTAP.
struct Splat {
  enum class Kind { panic, oops, bug, warning, soft_lockup, hung_task, kasan, ubsan, kcsan, kfence, lockdep, kmemleak };
  Kind kind = Kind::panic;
  std::string title;  ///< "kernel BUG at lib/x.c:12!"
  std::string file;   ///< repository path where the report names one
  int line = 0;
  std::string function;  ///< where the report names one
  std::string test;      ///< "suite.case" that ran, or empty
  std::string text;      ///< the whole report, capped
  std::string
      fingerprint;  ///< equal for the same fault in two runs: kind, function, file; no addresses, no line numbers
};
std::string_view to_string(Splat::Kind kind);

}  // namespace bowsprit::ktap
