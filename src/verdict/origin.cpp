// SPDX-License-Identifier: Apache-2.0
#include "verdict/origin.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

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
  MissingTests(RunResult& result, const Evidence& evidence) : result_(result), evidence_(evidence) {}

  void add(std::vector<TestNode>& nodes, const std::vector<TestNode>& base, const std::string& prefix, int depth) {
    for (const auto& expected : base) {
      const std::string path = prefix + expected.name;
      if (expected.status == TestStatus::missing || evidence_.removed_by_change.contains(path)) continue;
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
        if (child.status != TestStatus::missing && !evidence_.removed_by_change.contains(below))
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
  const Evidence& evidence_;
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

bool speaks_against(const Diagnostic& diagnostic) {
  return diagnostic.counts &&
         (diagnostic.kind == Diagnostic::Kind::splat || diagnostic.kind == Diagnostic::Kind::error);
}

/// One test is the other or in it.
bool related(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return !a.empty() && b.starts_with(a) && (b.size() == a.size() || b[a.size()] == '.');
}

bool reported_in(const RunResult& result, const std::string& test) {
  return std::ranges::any_of(result.diagnostics, [&](const Diagnostic& diagnostic) {
    return diagnostic.kind == Diagnostic::Kind::splat && diagnostic.counts && related(diagnostic.test, test);
  });
}

/// The base's tests, as far as they may excuse something.
class Base {
 public:
  explicit Base(const Evidence& evidence)
      : known_(evidence.base != nullptr && evidence.same_configuration && ran_tests(evidence.base->verdict)) {
    if (known_) collect(evidence.base->suites, "", statuses_);
  }
  [[nodiscard]] bool known() const { return known_; }
  [[nodiscard]] bool has(const std::string& test) const { return statuses_.contains(test); }
  [[nodiscard]] bool as_bad(const Failure& failure) const {
    const auto there = statuses_.find(failure.test);
    return there != statuses_.end() && as_bad_on_base(failure.status, there->second);
  }

 private:
  bool known_;
  Statuses statuses_;
};

bool may_be_flaky(const RunResult& result, const Failure& failure) {
  return failure.status == TestStatus::failed && !reported_in(result, failure.test);
}

Origin origin_of(const RunResult& result, const Failure& failure, const Evidence& evidence, const Base& base) {
  if (base.as_bad(failure)) return Origin::also_on_base;
  const auto tried = evidence.tried.find(failure.test);
  if (tried != evidence.tried.end() && may_be_flaky(result, failure)) {
    const auto& [alone, same_way, on_base, cut] = tried->second;
    if (same_way.passed > 0) return base.known() && !base.has(failure.test) ? Origin::new_failure : Origin::flaky;
    if (base.known() && on_base.passed > 0 && on_base.failed > 0) return Origin::also_on_base;
    if (cut) return Origin::unknown;
  }
  return base.known() ? Origin::new_failure : Origin::unknown;
}

void settle_diagnostics(RunResult& result, const RunResult& base) {
  std::unordered_set<std::string> on_base;
  for (const auto& diagnostic : base.diagnostics) on_base.insert(diagnostic.fingerprint);
  for (auto& diagnostic : result.diagnostics)
    if (!diagnostic.fingerprint.empty())
      diagnostic.origin = on_base.contains(diagnostic.fingerprint) ? Origin::also_on_base : Origin::new_failure;
}

}  // namespace

std::string_view words_of(Origin origin) {
  switch (origin) {
    case Origin::new_failure: return "new";
    case Origin::also_on_base: return "also on the base";
    case Origin::flaky: return "flaky: passed when tried again";
    case Origin::unknown: return "";
  }
  return "";
}

void settle_origins(RunResult& result, const Evidence& evidence) {
  if (!ran_tests(result.verdict)) return;
  // What somebody wrote before the summary stays there.
  const auto old_summary = summary_of(result);
  const auto before = result.summary.ends_with(old_summary)
                          ? result.summary.substr(0, result.summary.size() - old_summary.size())
                          : std::string();
  if (evidence.base != nullptr && ran_tests(evidence.base->verdict))
    MissingTests(result, evidence).add(result.suites, evidence.base->suites, "", 0);

  const Base base(evidence);
  for (auto& failure : result.failures)
    if (failure.status != TestStatus::missing || failure.origin != Origin::new_failure)
      failure.origin = origin_of(result, failure, evidence, base);
  if (base.known()) settle_diagnostics(result, *evidence.base);

  const auto is_missing = [](const Failure& failure) { return failure.status == TestStatus::missing; };
  const bool new_missing = std::ranges::any_of(
      result.failures, [&](const Failure& failure) { return is_missing(failure) && !forgiven(failure.origin); });
  if (result.verdict == Verdict::passed && new_missing) {
    result.verdict = Verdict::missing_tests;
  } else if (result.verdict != Verdict::passed && result.verdict != Verdict::no_tests && !evidence.strict) {
    const bool forgiven_or_missing =
        std::ranges::all_of(result.failures,
                            [&](const Failure& failure) { return forgiven(failure.origin) || is_missing(failure); }) &&
        std::ranges::all_of(result.diagnostics,
                            [](const Diagnostic& d) { return !speaks_against(d) || forgiven(d.origin); });
    const bool explained = !result.failures.empty() || !result.diagnostics.empty();
    if (forgiven_or_missing && explained)
      result.verdict = new_missing ? Verdict::missing_tests : Verdict::no_new_failures;
  }
  result.summary = before + summary_of(result);
}

std::vector<std::string> worth_trying_again(const RunResult& result, const Evidence& evidence) {
  std::vector<std::string> out;
  if (!ran_tests(result.verdict)) return out;
  const Base base(evidence);
  for (const auto& failure : result.failures)
    if (may_be_flaky(result, failure) && !base.as_bad(failure)) out.push_back(failure.test);
  return out;
}

bool passed_cleanly(const RunResult& result, const std::string& test, const RunResult& known) {
  Statuses statuses;
  collect(result.suites, "", statuses);
  const auto found = statuses.find(test);
  if (found == statuses.end() || (found->second != TestStatus::passed && found->second != TestStatus::expected_failure))
    return false;
  return std::ranges::all_of(result.diagnostics, [&](const Diagnostic& diagnostic) {
    return !speaks_against(diagnostic) || std::ranges::find(known.diagnostics, diagnostic.fingerprint,
                                                            &Diagnostic::fingerprint) != known.diagnostics.end();
  });
}

bool has_test(const RunResult& base, const std::string& test) {
  Statuses statuses;
  collect(base.suites, "", statuses);
  return statuses.contains(test);
}

}  // namespace bowsprit
