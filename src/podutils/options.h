// SPDX-License-Identifier: Apache-2.0
/// The options of Prow's pod utilities, read from their `*_OPTIONS` JSON (pkg/{clonerefs,initupload,entrypoint,sidecar,
/// gcsupload}/options.go, pkg/pod-utils/wrapper).
///
/// Members that are not known are passed over, as Go's decoder does: a controller of another version may send them.
/// Does not: read environment variables, or files that the options name. Threads: values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "podutils/wrapper_options.h"
#include "prow/job.h"

namespace bowsprit::podutils {

/// Where artifacts go.
struct UploadOptions {
  std::vector<std::string> items;
  std::string sub_dir;
  prow::GcsConfiguration place;
  std::string gcs_credentials_file;
  std::string s3_credentials_file;
  bool dry_run = false;
};

struct InitUploadOptions {
  UploadOptions upload;
  std::string log;  ///< clone records; empty: nothing was cloned
};

struct CensoringOptions {
  std::vector<std::string> secret_directories;
  std::int64_t concurrency = 10;
  std::vector<std::string> include_directories;
  std::vector<std::string> exclude_directories;
  std::vector<std::string> ini_filenames;
  std::int64_t minimum_secret_length = 0;
};

struct SidecarOptions {
  UploadOptions upload;
  std::vector<WrapperOptions> entries;
  bool entry_error = false;
  bool ignore_interrupts = false;
  std::optional<CensoringOptions> censoring;
};

struct CloneOptions {
  std::string src_root;
  std::string log;
  std::string git_user_name;
  std::string git_user_email;
  std::vector<prow::Refs> refs;
  std::vector<std::string> key_files;
  std::string oauth_token_file;
  std::vector<std::string> host_fingerprints;
  std::int64_t max_parallel_workers = 0;  ///< 0: all at once
  bool fail = false;
  std::string cookie_path;
  std::vector<std::string> github_api_endpoints;
  std::string github_app_id;
  std::string github_app_private_key_file;
};

// @error bad_config  not JSON, a member of another type, or options that contradict each other; all problems in one text
Result<InitUploadOptions> read_initupload_options(std::string_view json);
Result<SidecarOptions> read_sidecar_options(std::string_view json);
Result<CloneOptions> read_clone_options(std::string_view json);

// What Prow's Validate demands, after options came from JSON or flags.
Result<> validate(const UploadOptions& options);
Result<> validate(const SidecarOptions& options);
Result<> validate(const CloneOptions& options);

/// "ORG,REPO=BASE[:SHA][,PULL[:SHA[:REF]]]...", as the flag --repo has it. @error usage
Result<prow::Refs> parse_refs(std::string_view text);

/// Refs, of JOB_SPEC or of clone options.
Result<prow::Refs> read_refs(const Json& value);

}  // namespace bowsprit::podutils
