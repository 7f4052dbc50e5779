// SPDX-License-Identifier: Apache-2.0
#include "artifact/kunit_json.h"

#include "artifact/leaves.h"
#include "base/json.h"

namespace bowsprit::artifact {
namespace {

using ktap::TestNode;
using ktap::TestStatus;

std::string_view kunit_status(TestStatus status) {
  switch (status) {
    case TestStatus::passed:
    case TestStatus::expected_failure: return "PASS";
    case TestStatus::skipped: return "SKIP";
    case TestStatus::crashed:
    case TestStatus::timed_out:
    case TestStatus::missing: return "ERROR";
    case TestStatus::failed: return "FAIL";
  }
  return "ERROR";
}

Json group_json(const std::string& name, const std::vector<TestNode>& nodes, const Json& common) {
  Json groups = Json::array();
  Json cases = Json::array();
  const auto add_case = [&](Json& list, const TestNode& node) {
    list.push_back({{"name", node.name}, {"status", kunit_status(node.status)}});
  };
  for (const auto& node : nodes) {
    if (node.children.empty()) {
      add_case(cases, node);
      continue;
    }
    Json group = group_json(node.name, node.children, common);
    bool bad_below = false;
    for (const auto& child : node.children) bad_below = bad_below || !is_good(child.status);
    if (!is_good(node.status) && !bad_below) add_case(group["test_cases"], node);
    groups.push_back(std::move(group));
  }
  Json out{{"name", name}, {"sub_groups", std::move(groups)}, {"test_cases", std::move(cases)}};
  out.update(common);
  return out;
}

}  // namespace

std::string kunit_json(const RunResult& result, const KunitJsonInfo& info) {
  const Json common{{"arch", info.arch},
                    {"defconfig", "kunit_defconfig"},
                    {"build_environment", info.build_dir},
                    {"lab_name", nullptr},
                    {"kernel", nullptr},
                    {"job", nullptr},
                    {"git_branch", "kselftest"}};
  Json out = group_json("KUnit Test Group", result.suites, common);
  const Faults faults = faults_without_test(result);
  for (const auto* fault : faults.diagnostics)
    out["test_cases"].push_back({{"name", fault->message}, {"status", "ERROR"}});
  if (faults.summary_tells) out["test_cases"].push_back({{"name", result.summary}, {"status", "ERROR"}});
  return dump_json(out, 4) + "\n";
}

}  // namespace bowsprit::artifact
