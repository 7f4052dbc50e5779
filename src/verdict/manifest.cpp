// SPDX-License-Identifier: Apache-2.0
#include "verdict/manifest.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/strings.h"
#include "ktap/line.h"

namespace bowsprit {
namespace {

using ktap::TestNode;
using ktap::TestStatus;
using Names = std::vector<std::string_view>;

/// The names of one level, in their order, that no node of it has.
Names absent_from(const std::vector<TestNode>& nodes, const Names& expected) {
  std::unordered_set<std::string_view> present;
  for (const auto& node : nodes) present.insert(node.name);
  Names absent;
  std::ranges::copy_if(expected, std::back_inserter(absent), [&](auto name) { return !present.contains(name); });
  return absent;
}

/// "test_bsome printk text" is "test_b", if that one is due and nothing is called the longer name.
void mend_names(std::vector<TestNode>& nodes, const Names& expected) {
  const std::unordered_set<std::string_view> known(expected.begin(), expected.end());
  for (auto& node : nodes) {
    if (node.name.empty() || known.contains(node.name)) continue;
    for (const auto name : absent_from(nodes, expected)) {
      if (!node.name.starts_with(name)) continue;
      node.name = name;
      break;
    }
  }
}

/// Makes one level complete. `add_missing` makes the node of a test that never started.
template <class MakeMissing>
void complete_level(std::vector<TestNode>& nodes, const Names& expected, MakeMissing&& add_missing) {
  mend_names(nodes, expected);
  Names absent = absent_from(nodes, expected);
  // The one that was running when the kernel died is the first that has no result, as the kernel runs them in this
  // order.
  for (auto& node : nodes) {
    if (!node.name.empty() || node.status == TestStatus::missing || absent.empty()) continue;
    node.name = absent.front();
    absent.erase(absent.begin());
  }
  // Announced by a plan alone: the same tests as the absent ones. More of them than names stay, as "(test 3 of 5)".
  std::size_t replaced = absent.size();
  std::erase_if(nodes, [&](const TestNode& node) {
    const bool placeholder = node.name.empty() && node.status == TestStatus::missing && replaced > 0;
    if (placeholder) --replaced;
    return placeholder;
  });
  for (const auto name : absent) nodes.push_back(add_missing(name));
}

}  // namespace

Manifest parse_manifest(std::string_view console) {
  constexpr std::size_t kMaxTests = 200'000;
  Manifest manifest;
  std::string scratch;
  std::size_t count = 0;
  bool started = false;
  for (const auto& raw : split_lines(console)) {
    const auto text = ktap::strip_prefix(ktap::strip_ansi(raw, scratch)).text;
    if (ktap::classify(text).kind == ktap::LineKind::version) {
      started = true;
      continue;
    }
    if (!started || text.empty() || text.front() == ' ' || text.front() == '#' || ++count > kMaxTests) continue;
    if (text.starts_with("reboot: ")) break;
    // "suite" comes before its "suite.case" lines; a suite's name may have a dot, so the longest prefix that is one
    // decides.
    auto& suites = manifest.suites;
    if (!suites.empty() && text.starts_with(suites.back().name + "."))
      suites.back().cases.emplace_back(text.substr(suites.back().name.size() + 1));
    else if (text.find(' ') == std::string_view::npos)
      suites.push_back({std::string(text), {}});
  }
  return manifest;
}

void apply_manifest(std::vector<TestNode>& suites, const Manifest& manifest) {
  Names names;
  std::unordered_map<std::string_view, const Manifest::Suite*> by_name;
  for (const auto& suite : manifest.suites) {
    names.push_back(suite.name);
    by_name.emplace(suite.name, &suite);
  }
  complete_level(suites, names, [](std::string_view name) {
    TestNode node;
    node.name = name;
    return node;
  });
  for (auto& node : suites) {
    const auto found = by_name.find(node.name);
    if (found == by_name.end()) continue;
    // A suite that failed or was skipped as a whole has no cases to miss: its own status says it.
    if (node.children.empty() && node.status != TestStatus::missing && node.status != TestStatus::passed &&
        node.status != TestStatus::crashed && node.status != TestStatus::timed_out)
      continue;
    const Names cases(found->second->cases.begin(), found->second->cases.end());
    complete_level(node.children, cases, [](std::string_view name) {
      TestNode missing;
      missing.name = name;
      return missing;
    });
    if (node.status == TestStatus::passed &&
        std::ranges::any_of(node.children, [](const TestNode& child) { return child.status == TestStatus::missing; }))
      node.status = TestStatus::missing;
  }
}

void name_by_position(std::vector<TestNode>& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name.empty()) nodes[i].name = fmt::format("(test {} of {})", i + 1, nodes.size());
    name_by_position(nodes[i].children);
  }
}

std::vector<TestNode*> find_path(std::vector<TestNode>& nodes, std::string_view path) {
  for (auto& node : nodes) {
    if (node.name == path) return {&node};
    if (node.name.empty() || !path.starts_with(node.name) || path[node.name.size()] != '.') continue;
    auto below = find_path(node.children, path.substr(node.name.size() + 1));
    if (below.empty()) continue;
    below.insert(below.begin(), &node);
    return below;
  }
  return {};
}

void tie_to_running_case(ktap::Splat& splat, std::vector<TestNode>& suites) {
  const auto path = find_path(suites, splat.test);
  if (path.empty()) return;
  const auto crashed = std::ranges::find_if(path.back()->children, [](const TestNode& child) {
    return child.status == TestStatus::crashed || child.status == TestStatus::timed_out;
  });
  const bool waits = crashed != path.back()->children.end() && !is_good(path.back()->status);
  if (waits) splat.test += "." + crashed->name;
}

}  // namespace bowsprit
