// SPDX-License-Identifier: Apache-2.0
#include "prow/job_env.h"

#include <algorithm>

#include "base/strings.h"
#include "prow/job_fields.h"

namespace bowsprit::prow {

namespace {

void set(Json& json, std::string_view key, const std::string& value) {
  if (!value.empty()) json[std::string(key)] = value;
}

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

}  // namespace

Json to_json(const Refs& refs) {
  Json json{{"org", refs.org}, {"repo", refs.repo}};
  set(json, "repo_link", refs.repo_link);
  set(json, "base_ref", refs.base_ref);
  set(json, "base_sha", refs.base_sha);
  set(json, "base_link", refs.base_link);
  for (const Pull& pull : refs.pulls) {
    Json item{{"number", pull.number}, {"author", pull.author}, {"sha", pull.sha}};
    set(item, "title", pull.title);
    set(item, "ref", pull.ref);
    set(item, "head_ref", pull.head_ref);
    set(item, "link", pull.link);
    json["pulls"].push_back(std::move(item));
  }
  set(json, "path_alias", refs.path_alias);
  set(json, "clone_uri", refs.clone_uri);
  return json;
}

Json job_spec(const JobRun& run) {
  Json json{{"type", "presubmit"}, {"job", run.job}};
  set(json, "buildid", run.build_id);
  set(json, "prowjobid", run.prow_job_id);
  json["refs"] = to_json(run.refs);
  if (run.decorated) json["decoration_config"] = yaml::to_json(run.decoration_config);
  return json;
}

std::map<std::string, std::string> job_environment(const JobRun& run) {
  const auto [host, base] = source_place(run.refs);
  const Pull pull = run.refs.pulls.empty() ? Pull{} : run.refs.pulls.front();
  std::map<std::string, std::string> env{
      {"CI", "true"},
      {"JOB_NAME", run.job},
      {"JOB_TYPE", "presubmit"},
      {"JOB_SPEC", dump_json(job_spec(run))},
      {"PROW_JOB_ID", run.prow_job_id},
      {"BUILD_ID", run.build_id},
      {"BUILD_NUMBER", run.build_id},
      {"REPO_OWNER", run.refs.org},
      {"REPO_NAME", run.refs.repo},
      {"SRC_HOST", host},
      {"SRC_BASE", base},
      {"PULL_BASE_REF", run.refs.base_ref},
      {"PULL_BASE_SHA", run.refs.base_sha},
      {"PULL_REFS", run.refs.text()},
      {"PULL_NUMBER", std::to_string(pull.number)},
      {"PULL_PULL_SHA", pull.sha},
      {"PULL_HEAD_REF", pull.head_ref},
      {"PULL_TITLE", pull.title},
  };
  if (run.decorated) {
    env["ARTIFACTS"] = kArtifactsPath;
    env["GOPATH"] = kCodeRoot;
  }
  return env;
}

std::string clone_path(const Refs& refs) {
  std::string path = refs.path_alias;
  if (path.empty() && !refs.repo_link.empty()) {
    path = refs.repo_link;
    if (const auto scheme = path.rfind("://"); scheme != std::string::npos) path.erase(0, scheme + 3);
  }
  if (path.empty()) path = fmt::format("github.com/{}/{}", refs.org, refs.repo);
  // Prow would keep the colon of "host:port"; a kernel's Makefile refuses to build below such a path.
  std::ranges::replace(path, ':', '_');
  return fmt::format("{}/src/{}", kCodeRoot, path);
}

const std::vector<std::string_view>& presubmit_variables() {
  static const std::vector<std::string_view> names{
      "CI",          "JOB_NAME",      "JOB_SPEC",      "JOB_TYPE",  "PROW_JOB_ID",   "BUILD_ID",      "BUILD_NUMBER",
      "REPO_OWNER",  "REPO_NAME",     "SRC_BASE",      "SRC_HOST",  "PULL_BASE_REF", "PULL_BASE_SHA", "PULL_REFS",
      "PULL_NUMBER", "PULL_PULL_SHA", "PULL_HEAD_REF", "PULL_TITLE"};
  return names;
}

}  // namespace bowsprit::prow
