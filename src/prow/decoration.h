// SPDX-License-Identifier: Apache-2.0
/// `decoration_config`: how a job's containers are wrapped by the pod utilities (pkg/apis/prowjobs/v1 DecorationConfig).
/// Pure values; the declaration of the fields reads, checks, merges and writes them. Written as JSON they are what Prow puts into
/// JOB_SPEC. Parts that belong to Kubernetes (resources, affinity, tolerations) stay JSON.
/// Threads: values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace bowsprit::prow {

struct UtilityImages {
  std::string clonerefs;
  std::string initupload;
  std::string entrypoint;
  std::string sidecar;
  bool operator==(const UtilityImages&) const = default;
};

/// Kubernetes ResourceRequirements of the utilities' containers; null: none.
struct UtilityResources {
  Json clonerefs;
  Json initupload;
  Json place_entrypoint;
  Json sidecar;
  bool operator==(const UtilityResources&) const = default;
};

struct GcsConfiguration {
  std::string bucket;  ///< a name (Google's), or "s3://name"
  std::string path_prefix;
  std::string path_strategy;  ///< legacy, single, explicit
  std::string default_org;
  std::string default_repo;
  std::map<std::string, std::string> media_types;
  std::string job_url_prefix;
  std::string local_output_dir;
  std::vector<std::string> compress_file_types;
  bool operator==(const GcsConfiguration&) const = default;
};

/// A key of a Kubernetes secret.
struct SecretKey {
  std::string name;
  std::string key;
  bool operator==(const SecretKey&) const = default;
};

struct CensoringOptions {
  std::optional<std::int64_t> censoring_concurrency;
  std::optional<std::int64_t> censoring_buffer_size;
  std::vector<std::string> include_directories;
  std::vector<std::string> exclude_directories;
  std::optional<std::int64_t> minimum_secret_length;
  bool operator==(const CensoringOptions&) const = default;
};

struct SchedulingOptions {
  Json affinity;
  Json tolerations;
  bool operator==(const SchedulingOptions&) const = default;
};

struct DecorationConfig {
  std::optional<milliseconds> timeout;       ///< Prow's default: 2 h
  std::optional<milliseconds> grace_period;  ///< Prow's default: 15 s
  std::optional<UtilityImages> utility_images;
  std::optional<UtilityResources> resources;
  std::optional<GcsConfiguration> gcs_configuration;
  std::optional<std::string> gcs_credentials_secret;
  std::optional<std::string> s3_credentials_secret;
  std::optional<std::string> default_service_account_name;
  std::vector<std::string> ssh_key_secrets;
  std::vector<std::string> ssh_host_fingerprints;
  std::optional<bool> blobless_fetch;
  std::vector<std::string> sparse_checkout_files;
  std::optional<bool> skip_cloning;
  std::optional<std::string> cookiefile_secret;
  std::optional<SecretKey> oauth_token_secret;
  std::vector<std::string> github_api_endpoints;
  std::string github_app_id;
  std::optional<SecretKey> github_app_private_key_secret;
  std::optional<bool> censor_secrets;
  std::optional<CensoringOptions> censoring_options;
  std::optional<bool> upload_ignores_interrupts;
  std::optional<bool> set_limit_equals_memory_request;
  std::optional<std::string> default_memory_request;
  std::optional<SchedulingOptions> scheduling_options;
  std::optional<milliseconds> pod_pending_timeout;
  std::optional<milliseconds> pod_running_timeout;
  std::optional<milliseconds> pod_unscheduled_timeout;
  std::optional<std::int64_t> run_as_user;
  std::optional<std::int64_t> run_as_group;
  std::optional<std::int64_t> fs_group;
  bool operator==(const DecorationConfig&) const = default;
};

/// What Prow demands of a complete one: images, and where artifacts go. Each entry is one problem.
std::vector<std::string> missing_in(const DecorationConfig& config);

/// Sets in `config` what it leaves open, as Prow merges a job's own decoration with the defaults of its repository.
void apply_defaults(DecorationConfig& config, const DecorationConfig& defaults);

}  // namespace bowsprit::prow
