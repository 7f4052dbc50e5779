// SPDX-License-Identifier: Apache-2.0
/// From what a kernel said to one verdict.
///
/// The verdict is the first row that applies; a run is never `passed` by default, only when no row above it applies:
///
///   | verdict         | when |
///   |-----------------|-----------------------------------------------------------------------------------------------|
///   | boot_error      | no KTAP header at all, and the kernel panicked, was ended or never came up | | crashed | a
///   test crashed; a panic, oops or BUG anywhere in the console; "Bail out!"; the kernel died of a signal | | timed_out
///   | a test or the run ran out of time; a soft lockup or a hung task                               | | failed | a
///   test failed; a sanitizer report, lockdep, kmemleak or (by policy) WARN; a suite that contradicts its cases or its
///   plan | | missing_tests   | a plan or the manifest names a test that never started | | no_tests        | not one
///   test ran                                                                              | | passed          | at
///   least one test, all of them passed, skipped or expected to fail                            |
///
/// A test in which the kernel reported a fault is not counted as passed: it becomes failed, crashed or timed_out after
/// the fault's kind. The counts are of leaves of the tree; a suite or case that failed by itself, with all its children
/// good, counts as one more, so that total is always the sum of the others. Failures before the tests have constructors
/// of their own below.
///
/// Pure: values in, values out. Does not: read files, know the change, run anything.
/// Threads: any.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ktap/console.h"
#include "verdict/run_result.h"

namespace bowsprit {

/// The tests a kernel says it has (kunit.action=list), in the order in which it runs them.
struct Manifest {
  struct Suite {
    std::string name;
    std::vector<std::string> cases;
  };
  std::vector<Suite> suites;
};
/// Reads the console of a boot with kunit.action=list: "suite" and "suite.case" lines after the KTAP header; prefixes
/// are stripped.
Manifest parse_manifest(std::string_view console);

enum class KernelEnd {
  exited,        ///< halted, rebooted, or ended after a panic
  timed_out,     ///< we ended it, for time
  killed,        ///< a signal that was not ours; where the job's memory limit did it, use infra_failed instead
  never_booted,  ///< the program could not be started
};

struct JudgePolicy {
  bool warnings_fail = true;  ///< WARN() reports
  bool lockdep_fails = true;
  bool kmemleak_fails = true;
  /// By fingerprint. The one of the default is how ARCH=um's own default configuration boots: arch/um/drivers/virt-pci.c warns
  /// where no device id is configured, and goes on.
  std::set<std::string, std::less<>> harmless_reports{"warning|um_pci_init|arch/um/drivers/virt-pci.c"};
  /// Suites that provoke reports on purpose and check by themselves that they came (mm/kasan/kasan_test_c.c and the
  /// like): a report inside of one is shown and does not count. A panic counts everywhere.
  std::set<std::string, std::less<>> provoking_suites{"kasan", "kcsan", "kfence", "kmsan", "kunit_fault"};
};

struct JudgeInput {
  ktap::ConsoleReport console;
  KernelEnd end = KernelEnd::exited;
  seconds time_limit{0};             ///< for the message; 0: not told
  std::optional<Manifest> manifest;  ///< what must have run
  JudgePolicy policy;
};
RunResult judge(JudgeInput input);

/// Several kernels booted for one run (a suite each, or what was left after a crash) as one input: suites of one name
/// are joined, and a test that was left out of one boot and ran in another has run.
ktap::ConsoleReport join_reports(std::vector<ktap::ConsoleReport> reports);
/// Puts the tests of another kernel to these: of two of one name the worse result counts, and any result more than none.
void merge_tests(std::vector<ktap::TestNode>& into, std::vector<ktap::TestNode> from);

/// Results of a run that ended before its tests.
RunResult config_failed(std::string summary, std::vector<Diagnostic> diagnostics = {});
RunResult build_failed(std::vector<Diagnostic> errors, std::string_view log_tail = {});
RunResult boot_failed(std::string summary, std::string_view console_tail = {});
RunResult merge_conflict(const std::vector<std::string>& files);
RunResult infra_failed(std::string summary);
RunResult aborted(std::string summary);

}  // namespace bowsprit
