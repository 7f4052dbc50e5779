// SPDX-License-Identifier: Apache-2.0
#include "app/reproduce.h"

#include <set>

#include "base/json.h"
#include "base/strings.h"

namespace bowsprit::app {
namespace {

/// "git fetch URL REF && git checkout FETCH_HEAD && " of the job's change; empty where the spec has none.
std::string fetch_command(const std::string& job_spec) {
  if (job_spec.empty()) return "";
  const auto spec = parse_json(job_spec);
  if (!spec) return "";
  const auto& refs = json_get(*spec, "refs");
  const auto& pulls = json_get(refs, "pulls");
  if (!pulls.is_array() || pulls.empty()) return "";
  const auto ref = json_string(pulls[0], "ref");
  const auto org = json_string(refs, "org");
  auto url = json_string(refs, "clone_uri");
  if (url.empty() && org.starts_with("http")) url = org + "/" + json_string(refs, "repo");
  if (ref.empty() || url.empty()) return "";
  return fmt::format("git fetch {} {} && git checkout FETCH_HEAD && ", shell_quote(url), shell_quote(ref));
}

}  // namespace

std::string reproduce_command(const ReproduceInput& input, const std::vector<Failure>& failures) {
  auto command = fetch_command(input.job_spec) + "./tools/testing/kunit/kunit.py run";
  for (const auto& file : input.kunitconfigs) {
    const auto relative = file.lexically_normal().lexically_relative(input.tree);
    const bool inside = !relative.empty() && *relative.begin() != "..";
    command += " --kunitconfig=" + shell_quote(inside ? relative.string() : file.string());
  }
  const auto& architecture = *input.variant.architecture;
  if (!architecture.qemu.empty()) command += fmt::format(" --arch={}", architecture.name);
  if (const auto prefix = architecture.cross_compile(); !prefix.empty())
    command += fmt::format(" --cross_compile={}", prefix);
  for (const auto& option : input.variant.options())
    command += " --kconfig_add=" + shell_quote(option.name + "=" + option.value);
  if (const auto limit = std::chrono::ceil<seconds>(input.boot_limit); limit > seconds(300))
    command += fmt::format(" --timeout={}", limit.count());
  std::set<std::string> suites;
  for (const auto& failure : failures) suites.insert(failure.test.substr(0, failure.test.find('.')));
  if (suites.size() == 1 && !suites.begin()->empty()) command += " " + shell_quote(*suites.begin());
  return command;
}

}  // namespace bowsprit::app
