// SPDX-License-Identifier: Apache-2.0
#include "verdict/isolation.h"

#include <fnmatch.h>

#include <algorithm>

#include "verdict/manifest.h"

namespace bowsprit {
namespace {

using ktap::TestNode;
using ktap::TestStatus;

bool plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

std::size_t common_prefix(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

bool ended_badly(const TestNode& node) {
  return node.status == TestStatus::crashed || node.status == TestStatus::timed_out ||
         std::ranges::any_of(node.children, ended_badly);
}

bool has_run(const TestNode& node) {
  return node.status != TestStatus::missing || std::ranges::any_of(node.children, has_run);
}

/// The characters with which names of `avoid` go on behind this prefix; nullopt where a pattern can't say "none of them".
std::optional<std::string> next_characters(const std::vector<std::string>& avoid, std::string_view prefix) {
  std::set<char> next;
  for (const auto& name : avoid)
    if (name.size() > prefix.size() && name.starts_with(prefix)) next.insert(name[prefix.size()]);
  if (!std::ranges::all_of(next, plain)) return std::nullopt;
  return std::string(next.begin(), next.end());
}

bool matches(const std::string& glob, const std::string& name) {
  return ::fnmatch(glob.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

/// The tests of `manifest` that a kernel with this pattern runs.
Manifest filtered(const Manifest& manifest, const std::string& glob) {
  if (glob.empty()) return manifest;
  const auto dot = glob.find('.');
  const auto suite_glob = glob.substr(0, dot);
  const auto case_glob = dot == std::string::npos ? "*" : glob.substr(dot + 1);
  Manifest out;
  for (const auto& suite : manifest.suites) {
    if (!matches(suite_glob, suite.name)) continue;
    Manifest::Suite some{suite.name, {}};
    std::ranges::copy_if(suite.cases, std::back_inserter(some.cases),
                         [&](const auto& name) { return matches(case_glob, name); });
    if (!some.cases.empty()) out.suites.push_back(std::move(some));
  }
  return out;
}

}  // namespace

void name_tests(ktap::ConsoleReport& report, const Manifest& manifest, const std::string& glob) {
  apply_manifest(report.document.suites, filtered(manifest, glob));
  for (auto& splat : report.splats) tie_to_running_case(splat, report.document.suites);
}

std::vector<std::string> doubtful_culprits(const ktap::ConsoleReport& report) {
  std::vector<std::string> out;
  for (const auto& suite : report.document.suites) {
    if (std::ranges::count_if(suite.children, ended_badly) < 2) continue;
    for (const auto& child : suite.children) {
      const std::string path = suite.name + "." + child.name;
      const bool spoke = !child.log.empty() || !child.children.empty() ||
                         std::ranges::find(report.splats, path, &ktap::Splat::test) != report.splats.end();
      if (ended_badly(child) && !spoke) out.push_back(path);
    }
  }
  return out;
}

void forget_case(ktap::ConsoleReport& report, const std::string& path) {
  for (auto& suite : report.document.suites)
    std::erase_if(suite.children, [&](const TestNode& child) {
      return ended_badly(child) && child.log.empty() && suite.name + "." + child.name == path;
    });
}

std::string glob_of(std::string_view name) {
  std::string out(name);
  std::ranges::replace_if(out, [](char c) { return !plain(c) && c != '-'; }, '?');
  return out;
}

std::vector<std::string> globs_avoiding(const std::vector<std::string>& names, const std::vector<std::string>& avoid) {
  if (avoid.empty()) return names.empty() ? std::vector<std::string>{} : std::vector<std::string>{"*"};
  std::set<std::string> globs;
  for (const auto& name : names) {
    std::size_t shared = 0;
    for (const auto& other : avoid) shared = std::max(shared, common_prefix(name, other));
    const std::string_view prefix = std::string_view(name).substr(0, shared);
    const auto next = next_characters(avoid, prefix);
    if (shared == name.size() || !next)
      globs.insert(glob_of(name));
    else
      globs.insert(glob_of(prefix) + (next->empty() ? "?*" : "[!" + *next + "]*"));
  }
  return {globs.begin(), globs.end()};
}

NextBoots next_boots(const std::vector<TestNode>& suites, const Manifest& manifest,
                     const std::set<std::string>& given_up) {
  auto complete = suites;
  apply_manifest(complete, manifest);
  NextBoots next;
  std::vector<std::string> whole;
  std::vector<std::string> culprits;
  for (const auto& suite : manifest.suites) {
    const auto node = std::ranges::find(complete, suite.name, &TestNode::name);
    if (node == complete.end()) continue;
    if (ended_badly(*node)) culprits.push_back(suite.name);
    if (!has_run(*node)) {
      if (given_up.contains(suite.name)) continue;
      whole.push_back(suite.name);
      next.wanted.insert(suite.name);
      continue;
    }
    std::vector<std::string> cases;
    std::vector<std::string> bad;
    for (const auto& child : node->children) {
      if (ended_badly(child)) bad.push_back(child.name);
      const std::string path = suite.name + "." + child.name;
      if (has_run(child) || given_up.contains(path)) continue;
      cases.push_back(child.name);
      next.wanted.insert(path);
    }
    for (const auto& glob : globs_avoiding(cases, bad)) next.globs.push_back(glob_of(suite.name) + "." + glob);
  }
  if (whole.size() <= kSuitesAlone) {
    for (const auto& name : whole) next.globs.push_back(glob_of(name) + ".*");
  } else {
    for (const auto& glob : globs_avoiding(whole, culprits)) next.globs.push_back(glob + ".*");
  }
  return next;
}

}  // namespace bowsprit
