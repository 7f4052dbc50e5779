// SPDX-License-Identifier: Apache-2.0
/// Runs and results for the tests of this folder. Threads: plain values.
#pragma once

#include "web/view.h"

namespace bowsprit::web {

/// Goes into every text that a change or a job controls: none of it may come out as markup.
inline constexpr const char* kHostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x1b[31m\x01";

inline store::Run sample_run() {
  store::Run run;
  run.prow_job_id = "5b1f0c1e-3d9c-4b60-9d52-0a4c9b8e7f10";
  run.gerrit = "https://gerrit.example";
  run.project = "kernel/linux";
  run.branch = "master";
  run.change = 4711;
  run.patchset = 3;
  run.revision = "9fceb02d0ae598e95dc970b74767f19372d61af8";
  run.ref = "refs/changes/11/4711/3";
  run.subject = "lib/list: keep the order of equal entries in list_sort()";
  run.author = "Ada Lovelace";
  run.job = "kunit-um";
  run.job_json = "{}";
  run.report_label = "Verified";
  run.trigger_key = "patchset";
  run.reason = "always_run";
  run.created = SystemClock::now() - std::chrono::minutes(4);
  return run;
}

inline ktap::TestNode test(std::string name, ktap::TestStatus status, std::vector<ktap::TestNode> children = {}) {
  ktap::TestNode node;
  node.name = std::move(name);
  node.status = status;
  node.children = std::move(children);
  return node;
}

inline RunResult sample_result() {
  using enum ktap::TestStatus;
  RunResult result;
  result.verdict = Verdict::failed;
  result.summary = "2 of 5 tests failed: list_sort.list_sort_test, hash.test_int_hash";
  result.tests = {.total = 5, .passed = 2, .failed = 2, .skipped = 1};
  result.failures = {{.test = "list_sort.list_sort_test",
                      .status = failed,
                      .origin = Origin::new_failure,
                      .file = "lib/test_list_sort.c",
                      .line = 93,
                      .message = "Expected el1->value <= el2->value, but\n    el1->value == 7\n    el2->value == 3",
                      .log = "# list_sort_test: sorting 513 entries\n# list_sort_test: EXPECTATION FAILED at "
                             "lib/test_list_sort.c:93\nnot ok 1 list_sort_test"},
                     {.test = "hash.test_int_hash",
                      .status = failed,
                      .origin = Origin::also_on_base,
                      .file = "lib/test_hash.c",
                      .line = 12,
                      .message = "Expected 1 == 2, but it is not"}};
  result.diagnostics = {{.kind = Diagnostic::Kind::warning,
                         .file = "lib/list_sort.c",
                         .line = 41,
                         .message = "unused variable 'tail' [-Wunused-variable]"}};
  result.suites = {test("list_sort", failed, {test("list_sort_test", failed)}),
                   test("hash", failed, {test("test_int_hash", failed), test("test_string_hash", passed)}),
                   test("time", passed, {test("range", passed), test("slow", skipped)})};
  result.suites[2].children[1].directive = "needs CONFIG_RTC";
  result.suites[2].children[0].seconds = 0.42;
  result.phases = {{"source", 1.2}, {"configure", 2.1}, {"build", 14.8}, {"boot", 0.9}};
  result.reproduce =
      "git fetch https://gerrit.example/kernel/linux refs/changes/11/4711/3 && git checkout FETCH_HEAD && "
      "./tools/testing/kunit/kunit.py run --kunitconfig lib/kunit";
  return result;
}

}  // namespace bowsprit::web
