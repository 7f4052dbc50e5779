// SPDX-License-Identifier: Apache-2.0
#include "prow/job_json.h"

#include "prow/job_fields.h"

namespace bowsprit::prow {

Presubmit as_presubmit(const Postsubmit& job) {
  Presubmit out;
  static_cast<ChangeJob&>(out) = job;
  return out;
}

Presubmit as_presubmit(const Periodic& job) {
  Presubmit out;
  static_cast<JobBase&>(out) = job;
  out.context = job.name;
  return out;
}

Json to_json(const Presubmit& job) {
  Json json = yaml::to_json(job);
  json["spec"] = job.spec;
  json["repo"] = job.repo;
  return json;
}

Result<Presubmit> presubmit_from_json(std::string_view text) {
  TRY_ASSIGN(Json json, parse_json(text));
  if (!json.is_object()) return fail(ErrorKind::bad_data, "read a stored job: expected a JSON object");
  Presubmit job;
  job.repo = json_string(json, "repo");
  job.spec = json_get(json, "spec");
  json.erase("repo");
  json.erase("spec");
  const yaml::Tree tree = yaml::Tree::of("stored job", json);
  yaml::Problems problems = tree.problems();
  yaml::read(yaml::Cursor(tree.documents()[0], tree.file(), problems), job);
  if (yaml::has_errors(problems))
    return fail(ErrorKind::bad_data, "read a stored job: {}", yaml::to_error(problems).message);
  return job;
}

}  // namespace bowsprit::prow
