// SPDX-License-Identifier: Apache-2.0
#include "podutils/options.h"

#include <map>

#include "base/log.h"
#include "base/strings.h"
#include "podutils/json_members.h"
#include "prow/job_env.h"

namespace bowsprit::podutils {
namespace {

void read_upload(const JsonMembers& from, UploadOptions& to) {
  from.read("items", to.items);
  from.read("sub_dir", to.sub_dir);
  from.read("bucket", to.place.bucket);
  from.read("path_prefix", to.place.path_prefix);
  from.read("path_strategy", to.place.path_strategy);
  from.read("default_org", to.place.default_org);
  from.read("default_repo", to.place.default_repo);
  from.read("mediaTypes", to.place.media_types);
  from.read("job_url_prefix", to.place.job_url_prefix);
  from.read("local_output_dir", to.place.local_output_dir);
  from.read("compress_file_types", to.place.compress_file_types);
  from.read("gcs_credentials_file", to.gcs_credentials_file);
  from.read("s3_credentials_file", to.s3_credentials_file);
  from.read("dry_run", to.dry_run);
}

void read_initupload(const JsonMembers& from, InitUploadOptions& to) {
  read_upload(from, to.upload);
  from.read("log", to.log);
}

void read_censoring(const JsonMembers& from, CensoringOptions& to) {
  from.read("secret_directories", to.secret_directories);
  from.read("censoring_concurrency", to.concurrency);
  from.read("include_directories", to.include_directories);
  from.read("exclude_directories", to.exclude_directories);
  from.read("ini_filenames", to.ini_filenames);
  from.read("minimum_secret_length", to.minimum_secret_length);
}

void read_sidecar(const JsonMembers& from, SidecarOptions& to) {
  read_upload(from.child("gcs_options"), to.upload);
  if (from.has("wrapper_options")) read_wrapper(from.child("wrapper_options"), to.entries.emplace_back());
  for (const JsonMembers& entry : from.items("entries")) read_wrapper(entry, to.entries.emplace_back());
  from.read("entry_error", to.entry_error);
  from.read("ignore_interrupts", to.ignore_interrupts);
  if (from.has("censoring_options")) read_censoring(from.child("censoring_options"), to.censoring.emplace());
  // Older controllers name these beside the rest.
  if (!to.censoring && (from.has("secret_directories") || from.has("censoring_concurrency")))
    read_censoring(from, to.censoring.emplace());
}

void read_pull(const JsonMembers& from, prow::Pull& to) {
  from.read("number", to.number);
  from.read("author", to.author);
  from.read("sha", to.sha);
  from.read("title", to.title);
  from.read("ref", to.ref);
  from.read("head_ref", to.head_ref);
  from.read("link", to.link);
  from.read("commit_link", to.commit_link);
  from.read("author_link", to.author_link);
}

void read_refs_members(const JsonMembers& from, prow::Refs& to) {
  from.read("org", to.org);
  from.read("repo", to.repo);
  from.read("repo_link", to.repo_link);
  from.read("base_ref", to.base_ref);
  from.read("base_sha", to.base_sha);
  from.read("base_link", to.base_link);
  for (const JsonMembers& pull : from.items("pulls")) read_pull(pull, to.pulls.emplace_back());
  from.read("path_alias", to.path_alias);
  from.read("workdir", to.workdir);
  from.read("auxiliary", to.auxiliary);
  from.read("clone_uri", to.clone_uri);
  from.read("skip_submodules", to.skip_submodules);
  from.read("clone_depth", to.clone_depth);
  from.read("skip_fetch_head", to.skip_fetch_head);
  if (from.has("blobless_fetch")) from.read("blobless_fetch", to.blobless_fetch.emplace());
  from.read("sparse_checkout_files", to.sparse_checkout_files);
}

void read_clone(const JsonMembers& from, CloneOptions& to) {
  from.read("src_root", to.src_root);
  from.read("log", to.log);
  from.read("git_user_name", to.git_user_name);
  from.read("git_user_email", to.git_user_email);
  for (const JsonMembers& refs : from.items("refs")) read_refs_members(refs, to.refs.emplace_back());
  from.read("key_files", to.key_files);
  from.read("oauth_token_file", to.oauth_token_file);
  from.read("host_fingerprints", to.host_fingerprints);
  from.read("max_parallel_workers", to.max_parallel_workers);
  from.read("fail", to.fail);
  from.read("cookie_path", to.cookie_path);
  from.read("github_api_endpoints", to.github_api_endpoints);
  from.read("github_app_id", to.github_app_id);
  from.read("github_app_private_key_file", to.github_app_private_key_file);
}

template <class... Args>
std::unexpected<Error> wrong(fmt::format_string<Args...> format, Args&&... args) {
  return bowsprit::fail(ErrorKind::bad_config, "options: {}", fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace

Result<InitUploadOptions> read_initupload_options(std::string_view json) {
  return read_options<InitUploadOptions>(json, read_initupload);
}
Result<SidecarOptions> read_sidecar_options(std::string_view json) {
  TRY_ASSIGN(const Json parsed, parse_json(json));
  if (parsed.contains("censoring_options") &&
      (parsed.contains("secret_directories") || parsed.contains("censoring_concurrency")))
    return wrong("secret_directories and censoring_concurrency are the older form of censoring_options; give one");
  return read_options<SidecarOptions>(json, read_sidecar);
}
Result<CloneOptions> read_clone_options(std::string_view json) { return read_options<CloneOptions>(json, read_clone); }

Result<prow::Refs> read_refs(const Json& value) {
  std::vector<std::string> problems;
  prow::Refs refs;
  read_refs_members(JsonMembers(value, "refs", problems), refs);
  if (!problems.empty()) return bowsprit::fail(ErrorKind::bad_data, "{}", join(problems, "; "));
  return refs;
}

Result<> validate(const UploadOptions& options) {
  const prow::GcsConfiguration& place = options.place;
  if (!place.local_output_dir.empty()) return {};
  if (!options.dry_run && place.bucket.empty()) return wrong("expected bucket, or local_output_dir");
  if (place.path_strategy != "legacy" && place.path_strategy != "explicit" && place.path_strategy != "single")
    return wrong("path_strategy: expected legacy, single or explicit, got '{}'", place.path_strategy);
  if (place.path_strategy != "explicit" && (place.default_org.empty() || place.default_repo.empty()))
    return wrong("path_strategy {} needs default_org and default_repo", place.path_strategy);
  return {};
}

Result<> validate(const SidecarOptions& options) {
  if (options.entries.empty()) return wrong("expected entries, the processes to wait for");
  for (const WrapperOptions& entry : options.entries) TRY(validate(entry));
  return validate(options.upload);
}

Result<> validate(const CloneOptions& options) {
  if (options.src_root.empty()) return wrong("expected src_root, the folder for sources");
  if (options.log.empty()) return wrong("expected log, the file for clone records");
  if (options.refs.empty()) return wrong("expected refs to clone");
  std::map<std::string, const prow::Refs*> places;
  for (const prow::Refs& refs : options.refs) {
    const std::string path = prow::clone_path(refs, options.src_root);
    const std::string below = prow::clone_path({.path_alias = "."}, options.src_root) + "/";
    if (!path.starts_with(below))
      return wrong("{}/{} would be cloned to '{}', not below '{}'", refs.org, refs.repo, path, below);
    const auto [place, fresh] = places.emplace(path, &refs);
    if (fresh) continue;
    if (place->second->org == refs.org && place->second->repo == refs.repo)
      return wrong("{}/{} is there twice, both at '{}'", refs.org, refs.repo, path);
    log_warn("clonerefs", "{}/{} and {}/{} are both cloned to '{}'", place->second->org, place->second->repo, refs.org,
             refs.repo, path);
  }
  const bool app = !options.github_app_id.empty();
  const bool key = !options.github_app_private_key_file.empty();
  if ((app || key) && !options.oauth_token_file.empty())
    return wrong("oauth_token_file and a GitHub app exclude each other");
  if ((app || key) && options.github_api_endpoints.empty()) return wrong("a GitHub app needs github_api_endpoints");
  if (app != key) return wrong("github_app_id and github_app_private_key_file need each other");
  return {};
}

}  // namespace bowsprit::podutils
