// SPDX-License-Identifier: Apache-2.0
#include "artifact/leaves.h"

#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace bowsprit::artifact {
namespace {

using ktap::TestNode;
using FailuresByTest = std::unordered_map<std::string_view, const Failure*>;

/// `name` is the path below the suite; empty for the suite itself. True if something in or below `node` is not good.
bool collect(const TestNode& node, const std::string& suite, const std::string& name, const FailuresByTest& failures,
             std::vector<Leaf>& out) {
  bool bad_below = false;
  for (const auto& child : node.children)
    bad_below = collect(child, suite, name.empty() ? child.name : name + "." + child.name, failures, out) || bad_below;
  const bool bad = !is_good(node.status);
  if (node.children.empty() || (bad && !bad_below)) {
    Leaf leaf{suite, name.empty() ? suite : name, name.empty() ? suite : suite + "." + name, &node, nullptr};
    if (const auto found = failures.find(leaf.path); found != failures.end()) leaf.failure = found->second;
    out.push_back(std::move(leaf));
  }
  return bad || bad_below;
}

}  // namespace

std::vector<Leaf> leaves_of(const RunResult& result) {
  FailuresByTest failures;
  for (const auto& failure : result.failures) failures.emplace(failure.test, &failure);
  std::vector<Leaf> leaves;
  for (const auto& suite : result.suites) collect(suite, suite.name, "", failures, leaves);
  return leaves;
}

Faults faults_without_test(const RunResult& result) {
  std::unordered_set<std::string_view> failed_tests;
  for (const auto& failure : result.failures) failed_tests.insert(failure.test);
  Faults faults;
  for (const auto& diagnostic : result.diagnostics) {
    const bool speaks = diagnostic.counts && diagnostic.kind != Diagnostic::Kind::warning;
    if (speaks && !failed_tests.contains(diagnostic.test)) faults.diagnostics.push_back(&diagnostic);
  }
  faults.summary_tells = exit_code(result.verdict) != 0 && result.failures.empty() && faults.diagnostics.empty();
  return faults;
}

}  // namespace bowsprit::artifact
