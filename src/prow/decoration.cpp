// SPDX-License-Identifier: Apache-2.0
#include "prow/decoration.h"

#include "base/strings.h"
#include "prow/job_fields.h"

namespace bowsprit::prow {

using yaml::Cursor;
using yaml::Fields;

namespace {

void check_strategy(const Cursor& cursor, const std::string& strategy) {
  if (strategy != "legacy" && strategy != "single" && strategy != "explicit")
    cursor.expected("legacy, single or explicit");
}

void check_not_negative(const Cursor& cursor, const std::optional<milliseconds>& value) {
  if (value && value->count() < 0) cursor.expected("a duration of 0 or more");
}

}  // namespace

const Fields<UtilityImages>& fields_of(const UtilityImages*) {
  static const auto fields = Fields<UtilityImages>()
                                 .field("clonerefs", &UtilityImages::clonerefs)
                                 .field("initupload", &UtilityImages::initupload)
                                 .field("entrypoint", &UtilityImages::entrypoint)
                                 .field("sidecar", &UtilityImages::sidecar);
  return fields;
}

const Fields<UtilityResources>& fields_of(const UtilityResources*) {
  static const auto fields = Fields<UtilityResources>()
                                 .field("clonerefs", &UtilityResources::clonerefs)
                                 .field("initupload", &UtilityResources::initupload)
                                 .field("place_entrypoint", &UtilityResources::place_entrypoint)
                                 .field("sidecar", &UtilityResources::sidecar);
  return fields;
}

const Fields<GcsConfiguration>& fields_of(const GcsConfiguration*) {
  static const auto fields = Fields<GcsConfiguration>()
                                 .field("bucket", &GcsConfiguration::bucket)
                                 .field("path_prefix", &GcsConfiguration::path_prefix)
                                 .field("path_strategy", &GcsConfiguration::path_strategy, check_strategy)
                                 .field("default_org", &GcsConfiguration::default_org)
                                 .field("default_repo", &GcsConfiguration::default_repo)
                                 .field("mediaTypes", &GcsConfiguration::media_types)
                                 .field("job_url_prefix", &GcsConfiguration::job_url_prefix)
                                 .field("local_output_dir", &GcsConfiguration::local_output_dir)
                                 .field("compress_file_types", &GcsConfiguration::compress_file_types);
  return fields;
}

const Fields<SecretKey>& fields_of(const SecretKey*) {
  static const auto fields = Fields<SecretKey>().field("name", &SecretKey::name).field("key", &SecretKey::key);
  return fields;
}

const Fields<CensoringOptions>& fields_of(const CensoringOptions*) {
  static const auto fields = Fields<CensoringOptions>()
                                 .field("censoring_concurrency", &CensoringOptions::censoring_concurrency)
                                 .field("censoring_buffer_size", &CensoringOptions::censoring_buffer_size)
                                 .field("include_directories", &CensoringOptions::include_directories)
                                 .field("exclude_directories", &CensoringOptions::exclude_directories)
                                 .field("minimum_secret_length", &CensoringOptions::minimum_secret_length);
  return fields;
}

const Fields<SchedulingOptions>& fields_of(const SchedulingOptions*) {
  static const auto fields = Fields<SchedulingOptions>()
                                 .field("affinity", &SchedulingOptions::affinity)
                                 .field("tolerations", &SchedulingOptions::tolerations);
  return fields;
}

const Fields<DecorationConfig>& fields_of(const DecorationConfig*) {
  using D = DecorationConfig;
  static const auto fields = Fields<D>()
                                 .field("timeout", &D::timeout, check_not_negative)
                                 .field("grace_period", &D::grace_period, check_not_negative)
                                 .field("utility_images", &D::utility_images)
                                 .field("resources", &D::resources)
                                 .field("gcs_configuration", &D::gcs_configuration)
                                 .field("gcs_credentials_secret", &D::gcs_credentials_secret)
                                 .field("s3_credentials_secret", &D::s3_credentials_secret)
                                 .field("default_service_account_name", &D::default_service_account_name)
                                 .field("ssh_key_secrets", &D::ssh_key_secrets)
                                 .field("ssh_host_fingerprints", &D::ssh_host_fingerprints)
                                 .field("blobless_fetch", &D::blobless_fetch)
                                 .field("sparse_checkout_files", &D::sparse_checkout_files)
                                 .field("skip_cloning", &D::skip_cloning)
                                 .field("cookiefile_secret", &D::cookiefile_secret)
                                 .field("oauth_token_secret", &D::oauth_token_secret)
                                 .field("github_api_endpoints", &D::github_api_endpoints)
                                 .field("github_app_id", &D::github_app_id)
                                 .field("github_app_private_key_secret", &D::github_app_private_key_secret)
                                 .field("censor_secrets", &D::censor_secrets)
                                 .field("censoring_options", &D::censoring_options)
                                 .field("upload_ignores_interrupts", &D::upload_ignores_interrupts)
                                 .field("set_limit_equals_memory_request", &D::set_limit_equals_memory_request)
                                 .field("default_memory_request", &D::default_memory_request)
                                 .field("scheduling_options", &D::scheduling_options)
                                 .field("pod_pending_timeout", &D::pod_pending_timeout, check_not_negative)
                                 .field("pod_running_timeout", &D::pod_running_timeout, check_not_negative)
                                 .field("pod_unscheduled_timeout", &D::pod_unscheduled_timeout, check_not_negative)
                                 .field("run_as_user", &D::run_as_user)
                                 .field("run_as_group", &D::run_as_group)
                                 .field("fs_group", &D::fs_group);
  return fields;
}

std::vector<std::string> missing_in(const DecorationConfig& config) {
  std::vector<std::string> out;
  const UtilityImages images = config.utility_images.value_or(UtilityImages{});
  for (const auto& [name, image] : {std::pair{"clonerefs", &images.clonerefs},
                                    {"initupload", &images.initupload},
                                    {"entrypoint", &images.entrypoint},
                                    {"sidecar", &images.sidecar}})
    if (image->empty()) out.push_back(fmt::format("expected the field \"utility_images.{}\"", name));
  if (!config.gcs_configuration) {
    out.emplace_back("expected the field \"gcs_configuration\"");
  } else if (const auto& gcs = *config.gcs_configuration; gcs.path_strategy.empty()) {
    out.emplace_back("expected the field \"gcs_configuration.path_strategy\"");
  } else if (gcs.path_strategy != "explicit" && (gcs.default_org.empty() || gcs.default_repo.empty())) {
    out.push_back(fmt::format("path_strategy {} needs default_org and default_repo", gcs.path_strategy));
  }
  if (config.oauth_token_secret && !config.ssh_key_secrets.empty())
    out.emplace_back("oauth_token_secret and ssh_key_secrets exclude each other");
  return out;
}

void apply_defaults(DecorationConfig& config, const DecorationConfig& defaults) {
  // Media types are the one exception of Prow's merge: of one extension that both name, the default's type stays.
  if (config.gcs_configuration && defaults.gcs_configuration)
    for (const auto& [extension, type] : defaults.gcs_configuration->media_types)
      config.gcs_configuration->media_types[extension] = type;
  yaml::fill(config, defaults);
}

}  // namespace bowsprit::prow
