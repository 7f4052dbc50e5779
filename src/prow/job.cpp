// SPDX-License-Identifier: Apache-2.0
#include "prow/job.h"

#include <fmt/core.h>

namespace bowsprit::prow {

std::optional<std::string> JobBase::report_label() const {
  const auto found = labels.find("prow.k8s.io/gerrit-report-label");
  if (found == labels.end()) return std::nullopt;
  return found->second;
}

std::string Refs::text() const {
  std::string out = base_sha.empty() ? base_ref : base_ref + ":" + base_sha;
  for (const Pull& pull : pulls) {
    out += fmt::format(",{}:{}", pull.number, pull.sha);
    if (!pull.ref.empty()) out += ":" + pull.ref;
  }
  return out;
}

// The name is not escaped, as Prow does not: a '.' in it matches any character.
std::string default_trigger(std::string_view job_name) {
  return fmt::format("(?m)^/test( | .* ){},?($|\\s.*)", job_name);
}
std::string default_rerun_command(std::string_view job_name) { return fmt::format("/test {}", job_name); }

}  // namespace bowsprit::prow
