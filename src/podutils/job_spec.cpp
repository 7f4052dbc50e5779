// SPDX-License-Identifier: Apache-2.0
#include "podutils/job_spec.h"

#include "podutils/options.h"

namespace bowsprit::podutils {

Result<JobSpec> read_job_spec(std::string_view json) {
  auto parsed = parse_json(json);
  if (!parsed) return fail(ErrorKind::bad_config, "JOB_SPEC: {}", parsed.error().message);
  JobSpec spec;
  const std::string type = json_string(*parsed, "type");
  const auto kinds = {prow::JobType::presubmit, prow::JobType::postsubmit, prow::JobType::periodic,
                      prow::JobType::batch};
  const auto* const kind = std::ranges::find(kinds, type, [](prow::JobType t) { return prow::to_string(t); });
  if (kind == kinds.end())
    return fail(ErrorKind::bad_config, "JOB_SPEC: type: expected presubmit, postsubmit, periodic or batch, got '{}'",
                type);
  spec.type = *kind;
  spec.job = json_string(*parsed, "job");
  spec.build_id = json_string(*parsed, "buildid");
  spec.prow_job_id = json_string(*parsed, "prowjobid");
  if (const Json& refs = json_get(*parsed, "refs"); !refs.is_null()) {
    TRY_ASSIGN(spec.refs, read_refs(refs));
  }
  for (const Json& refs : json_get(*parsed, "extra_refs")) {
    TRY_ASSIGN(spec.extra_refs.emplace_back(), read_refs(refs));
  }
  if (spec.type == prow::JobType::presubmit && (!spec.refs || spec.refs->pulls.empty()))
    return fail(ErrorKind::bad_config, "JOB_SPEC: expected refs with a pull for a presubmit");
  return spec;
}

const prow::Refs* main_refs(const JobSpec& spec) {
  if (spec.refs) return &*spec.refs;
  const auto found = std::ranges::find(spec.extra_refs, false, &prow::Refs::auxiliary);
  return found == spec.extra_refs.end() ? nullptr : &*found;
}

std::string revision_of(const JobSpec& spec) {
  const prow::Refs* refs = main_refs(spec);
  if (refs == nullptr) return {};
  if (!refs->pulls.empty()) return refs->pulls.front().sha;
  return refs->base_sha.empty() ? refs->base_ref : refs->base_sha;
}

Json started_json(const JobSpec& spec, const std::vector<CloneRecord>& records, SystemTime now) {
  std::string version;
  if (const prow::Refs* refs = main_refs(spec)) {
    const auto record = std::ranges::find(records, *refs, &CloneRecord::refs);
    if (record != records.end()) version = record->final_sha;
  }
  if (version.empty()) version = revision_of(spec);
  Json json{{"timestamp", unix_seconds(now)}};
  if (spec.refs && !spec.refs->pulls.empty()) json["pull"] = std::to_string(spec.refs->pulls.front().number);
  std::map<std::string, std::string> repos;
  if (spec.refs) repos[spec.refs->org + "/" + spec.refs->repo] = spec.refs->text();
  for (const prow::Refs& refs : spec.extra_refs) repos[refs.org + "/" + refs.repo] = refs.text();
  for (const auto& [name, text] : repos) json["repos"][name] = text;
  if (version.empty()) return json;
  json["repo-commit"] = version;
  json["repo-version"] = version;  // the older name, which TestGrid still reads
  return json;
}

prow::layout::Place place_of(const JobSpec& spec, const prow::GcsConfiguration& configuration) {
  prow::layout::Place place{
      .job = spec.job,
      .build_id = spec.build_id,
      .strategy = prow::layout::strategy_of(configuration.path_strategy).value_or(prow::layout::Strategy::explicit_),
      .default_org = configuration.default_org,
      .default_repo = configuration.default_repo,
      .type = spec.type};
  if (!spec.refs) return place;
  place.org = spec.refs->org;
  place.repo = spec.refs->repo;
  if (!spec.refs->pulls.empty()) place.pull = spec.refs->pulls.front().number;
  return place;
}

}  // namespace bowsprit::podutils
