// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "verdict/judge.h"

namespace bowsprit {
namespace {

using ktap::TestNode;
using ktap::TestStatus;

/// How much a status says when two boots differ: a bad result outweighs a good one, any result outweighs none.
int weight(TestStatus status) {
  switch (status) {
    case TestStatus::missing: return 0;
    case TestStatus::skipped: return 1;
    case TestStatus::passed: return 2;
    case TestStatus::expected_failure: return 3;
    case TestStatus::failed: return 4;
    case TestStatus::timed_out: return 5;
    case TestStatus::crashed: return 6;
  }
  return 0;
}

void drop_placeholders(std::vector<TestNode>& nodes) {
  std::erase_if(nodes, [](const TestNode& node) { return node.name.empty() && node.status == TestStatus::missing; });
  for (auto& node : nodes) drop_placeholders(node.children);
}

}  // namespace

void merge_tests(std::vector<TestNode>& into, std::vector<TestNode> from) {
  for (auto& node : from) {
    const auto same = node.name.empty() ? into.end() : std::ranges::find(into, node.name, &TestNode::name);
    if (same == into.end()) {
      into.push_back(std::move(node));
      continue;
    }
    const bool keeps = weight(same->status) >= weight(node.status);
    std::vector<TestNode> children = std::exchange(same->children, {});
    merge_tests(children, std::exchange(node.children, {}));
    if (!keeps) *same = std::move(node);
    same->children = std::move(children);
  }
}

ktap::ConsoleReport join_reports(std::vector<ktap::ConsoleReport> reports) {
  if (reports.size() == 1) return std::move(reports.front());
  ktap::ConsoleReport joined;
  for (auto& [document, splats] : reports) {
    drop_placeholders(document.suites);
    merge_tests(joined.document.suites, std::move(document.suites));
    joined.document.found_ktap = joined.document.found_ktap || document.found_ktap;
    joined.document.bailed_out = joined.document.bailed_out || document.bailed_out;
    joined.document.ended_early = joined.document.ended_early || document.ended_early;
    std::ranges::move(document.anomalies, std::back_inserter(joined.document.anomalies));
    std::ranges::move(document.executor_errors, std::back_inserter(joined.document.executor_errors));
    std::ranges::move(splats, std::back_inserter(joined.splats));
  }
  return joined;
}

}  // namespace bowsprit
