// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "verdict/judge.h"
#include "verdict/summary.h"

namespace bowsprit {
namespace {

using ktap::TestNode;
using ktap::TestStatus;
using Statuses = std::unordered_map<std::string, TestStatus>;

/// Every test of the tree by its path, suites too.
void collect(const std::vector<TestNode>& nodes, const std::string& prefix, Statuses& out) {
  for (const auto& node : nodes) {
    const std::string path = prefix + node.name;
    out.insert_or_assign(path, node.status);
    collect(node.children, path + ".", out);
  }
}

bool ran_tests(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
    case Verdict::no_new_failures:
    case Verdict::failed:
    case Verdict::crashed:
    case Verdict::timed_out:
    case Verdict::missing_tests:
    case Verdict::no_tests: return true;
    case Verdict::config_error:
    case Verdict::build_error:
    case Verdict::boot_error:
    case Verdict::merge_conflict:
    case Verdict::infra_error:
    case Verdict::aborted: return false;
  }
  return false;
}

/// Adds to `nodes` what ran on the base and is not there, down to cases. Parameters of a case may come and go with its
/// data, so a case is complete by its own result.
class MissingTests {
 public:
  MissingTests(RunResult& result, const BaseComparison& how) : result_(result), how_(how) {}

  void add(std::vector<TestNode>& nodes, const std::vector<TestNode>& base, const std::string& prefix, int depth) {
    for (const auto& expected : base) {
      const std::string path = prefix + expected.name;
      if (expected.status == TestStatus::missing || how_.removed_by_change.contains(path)) continue;
      const auto found = std::ranges::find(nodes, expected.name, &TestNode::name);
      if (found == nodes.end()) {
        if (TestNode node = absent(expected, path, depth);
            depth == 1 || expected.children.empty() || !node.children.empty())
          nodes.push_back(std::move(node));
      } else if (depth == 0 && !found->children.empty()) {
        const int before = result_.tests.missing;
        add(found->children, expected.children, path + ".", depth + 1);
        if (result_.tests.missing > before && is_good(found->status)) found->status = TestStatus::missing;
      }
    }
  }

 private:
  TestNode absent(const TestNode& expected, const std::string& path, int depth) {
    TestNode node;
    node.name = expected.name;
    if (depth == 0 && !expected.children.empty()) {
      for (const auto& child : expected.children) {
        const std::string below = path + "." + child.name;
        if (child.status != TestStatus::missing && !how_.removed_by_change.contains(below))
          node.children.push_back(absent(child, below, depth + 1));
      }
      return node;
    }
    ++result_.tests.total;
    ++result_.tests.missing;
    result_.failures.push_back({path, TestStatus::missing, Origin::new_failure, {}, 0, "ran on the base, and is gone"});
    return node;
  }

  RunResult& result_;
  const BaseComparison& how_;
};

/// Fails on the base as badly as here. A test that failed there and crashes or is gone here got worse by the change; one that
/// never ran there proves nothing.
bool as_bad_on_base(TestStatus here, TestStatus base) {
  const auto badness = [](TestStatus status) {
    return status == TestStatus::failed      ? 1
           : status == TestStatus::timed_out ? 2
           : status == TestStatus::crashed   ? 3
                                             : 0;
  };
  if (here == TestStatus::missing || base == TestStatus::missing) return here == base;
  return badness(here) <= badness(base);
}

bool forgiven(Origin origin) { return origin == Origin::also_on_base || origin == Origin::flaky; }

}  // namespace

void compare_with_base(RunResult& result, const RunResult& base, const BaseComparison& how) {
  if (!ran_tests(result.verdict) || !ran_tests(base.verdict)) return;
  MissingTests(result, how).add(result.suites, base.suites, "", 0);

  Statuses on_base;
  collect(base.suites, "", on_base);
  for (auto& failure : result.failures) {
    const auto before = on_base.find(failure.test);
    if (before != on_base.end() && as_bad_on_base(failure.status, before->second))
      failure.origin = Origin::also_on_base;
    else if (failure.status != TestStatus::missing && how.flaky.contains(failure.test))
      failure.origin = Origin::flaky;
    else
      failure.origin = Origin::new_failure;
  }
  std::unordered_set<std::string> faults_on_base;
  for (const auto& diagnostic : base.diagnostics) faults_on_base.insert(diagnostic.fingerprint);
  for (auto& diagnostic : result.diagnostics) {
    if (diagnostic.fingerprint.empty()) continue;
    const bool known = faults_on_base.contains(diagnostic.fingerprint);
    const bool flaky = !diagnostic.test.empty() && how.flaky.contains(diagnostic.test);
    diagnostic.origin = known ? Origin::also_on_base : flaky ? Origin::flaky : Origin::new_failure;
  }

  const bool new_missing = std::ranges::any_of(result.failures, [](const Failure& failure) {
    return failure.status == TestStatus::missing && !forgiven(failure.origin);
  });
  if (result.verdict == Verdict::passed && new_missing) {
    result.verdict = Verdict::missing_tests;
  } else if (result.verdict != Verdict::passed && result.verdict != Verdict::no_tests && !how.strict) {
    const bool all_forgiven =
        std::ranges::all_of(result.failures, [](const Failure& f) { return forgiven(f.origin); }) &&
        std::ranges::all_of(result.diagnostics, [](const Diagnostic& d) {
          const bool speaks = d.counts && (d.kind == Diagnostic::Kind::splat || d.kind == Diagnostic::Kind::error);
          return !speaks || forgiven(d.origin);
        });
    const bool explained = !result.failures.empty() || !result.diagnostics.empty();
    if (all_forgiven && explained) result.verdict = Verdict::no_new_failures;
  }
  result.summary = summary_of(result);
}

}  // namespace bowsprit
