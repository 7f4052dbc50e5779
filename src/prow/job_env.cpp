// SPDX-License-Identifier: Apache-2.0
#include "prow/job_env.h"

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "prow/job_fields.h"
#include "prow/kube_json.h"

namespace bowsprit::prow {

namespace {

/// "host" and "path" of where the source comes from.
std::pair<std::string, std::string> source_place(const Refs& refs) {
  std::string_view place = refs.path_alias;
  std::string base = refs.org + "/" + refs.repo;
  if (place.empty()) {
    place = refs.repo_link;
    if (const auto scheme = place.rfind("://"); scheme != std::string_view::npos) place.remove_prefix(scheme + 3);
  }
  if (place.empty()) return {"github.com", base};
  const auto slash = place.find('/');
  if (slash == std::string_view::npos) return {std::string(place), base};
  return {std::string(place.substr(0, slash)), std::string(place.substr(slash + 1))};
}

/// Below src/: the alias, or the link without its scheme, or GitHub's place.
std::string source_folder(const Refs& refs) {
  std::string path = refs.path_alias;
  if (path.empty() && !refs.repo_link.empty()) {
    path = refs.repo_link;
    if (const auto scheme = path.rfind("://"); scheme != std::string::npos) path.erase(0, scheme + 3);
  }
  return path.empty() ? fmt::format("github.com/{}/{}", refs.org, refs.repo) : path;
}

}  // namespace

std::string_view to_string(JobType type) {
  switch (type) {
    case JobType::presubmit: return "presubmit";
    case JobType::postsubmit: return "postsubmit";
    case JobType::periodic: return "periodic";
    case JobType::batch: return "batch";
  }
  return "?";
}

Json to_json(const Refs& refs) { return fields_of(static_cast<const Refs*>(nullptr)).write(refs); }

Json job_spec(const JobRun& run) {
  Json json{{"type", to_string(run.type)}, {"job", run.job}};
  if (!run.build_id.empty()) json["buildid"] = run.build_id;
  if (!run.prow_job_id.empty()) json["prowjobid"] = run.prow_job_id;
  if (run.has_refs()) json["refs"] = to_json(run.refs);
  for (const Refs& refs : run.extra_refs) json["extra_refs"].push_back(to_json(refs));
  if (run.decorated) json["decoration_config"] = yaml::to_json(run.decoration_config);
  return json;
}

std::map<std::string, std::string> job_environment(const JobRun& run) {
  std::map<std::string, std::string> env{{"CI", "true"},
                                         {"JOB_NAME", run.job},
                                         {"JOB_TYPE", std::string(to_string(run.type))},
                                         {"JOB_SPEC", go_json(job_spec(run))},
                                         {"PROW_JOB_ID", run.prow_job_id},
                                         {"BUILD_ID", run.build_id}};
  if (run.agent == "kubernetes") env["BUILD_NUMBER"] = run.build_id;
  if (run.decorated) {
    env["ARTIFACTS"] = kArtifactsPath;
    env["GOPATH"] = kCodeRoot;
  }
  if (run.type == JobType::periodic) return env;
  const auto [host, base] = source_place(run.refs);
  env["REPO_OWNER"] = run.refs.org;
  env["REPO_NAME"] = run.refs.repo;
  env["SRC_HOST"] = host;
  env["SRC_BASE"] = base;
  env["PULL_BASE_REF"] = run.refs.base_ref;
  env["PULL_BASE_SHA"] = run.refs.base_sha;
  env["PULL_REFS"] = run.refs.text();
  if (run.type != JobType::presubmit) return env;
  const Pull pull = run.refs.pulls.empty() ? Pull{} : run.refs.pulls.front();
  env["PULL_NUMBER"] = std::to_string(pull.number);
  env["PULL_PULL_SHA"] = pull.sha;
  env["PULL_HEAD_REF"] = pull.head_ref;
  env["PULL_TITLE"] = pull.title;
  return env;
}

std::string clone_path(const Refs& refs, std::string_view root) {
  std::string place =
      std::filesystem::path(fmt::format("{}/src/{}", root, source_folder(refs))).lexically_normal().string();
  if (place.size() > 1 && place.ends_with('/')) place.pop_back();
  return place;
}

std::string local_clone_path(const Refs& refs) {
  // Not made normal: a ".." in it must be seen, so that it can be refused.
  std::string path = fmt::format("{}/src/{}", kCodeRoot, source_folder(refs));
  std::ranges::replace(path, ':', '_');
  return path;
}

const std::vector<std::string_view>& reserved_variables(JobType type) {
  static const std::vector<std::string_view> base{"CI",          "JOB_NAME", "JOB_SPEC",    "JOB_TYPE",
                                                  "PROW_JOB_ID", "BUILD_ID", "BUILD_NUMBER"};
  static const auto with_refs = [] {
    auto out = base;
    out.insert(out.end(),
               {"REPO_OWNER", "REPO_NAME", "SRC_BASE", "SRC_HOST", "PULL_BASE_REF", "PULL_BASE_SHA", "PULL_REFS"});
    return out;
  }();
  static const auto with_pull = [] {
    auto out = with_refs;
    out.insert(out.end(), {"PULL_NUMBER", "PULL_PULL_SHA", "PULL_HEAD_REF", "PULL_TITLE"});
    return out;
  }();
  if (type == JobType::periodic) return base;
  return type == JobType::presubmit ? with_pull : with_refs;
}

}  // namespace bowsprit::prow
