// SPDX-License-Identifier: Apache-2.0
#include "cli/upload_flags.h"

#include <cstdlib>

#include "base/strings.h"

namespace bowsprit::cli {

std::vector<Option> upload_flags() {
  return {{"gcs-path", "URL", "bucket, and a prefix in it: file:///FOLDER"},
          {"local-output-dir", "DIR", "copy the files there instead, without index files"},
          {"sub-dir", "DIR", "below the run's folder"},
          {"path-strategy", "WORD", "explicit (where it is not given), legacy or single"},
          {"default-org", "ORG", "of legacy and single"},
          {"default-repo", "REPO", "of legacy and single"},
          {"media-type", "EXT:TYPE", "type of the files of an extension", true},
          {"dry-run", "", "only say what would be uploaded; so where it is not given as --dry-run=false"},
          {"gcs-credentials-file", "FILE", "of Google's service account"},
          {"s3-credentials-file", "FILE", "of an S3 service"}};
}

Result<podutils::UploadOptions> upload_options(const Arguments& arguments) {
  podutils::UploadOptions options{.items = arguments.positionals,
                                  .sub_dir = arguments.get("sub-dir", ""),
                                  .gcs_credentials_file = arguments.get("gcs-credentials-file", ""),
                                  .s3_credentials_file = arguments.get("s3-credentials-file", ""),
                                  .dry_run = arguments.flag("dry-run", true)};
  options.place.bucket = arguments.get("gcs-path", "");
  options.place.path_strategy = arguments.get("path-strategy", "explicit");
  options.place.default_org = arguments.get("default-org", "");
  options.place.default_repo = arguments.get("default-repo", "");
  options.place.local_output_dir = arguments.get("local-output-dir", "");
  // "gs://bucket/prefix": a folder of this machine has no such division.
  const auto scheme = options.place.bucket.find("://");
  if (scheme != std::string::npos && !options.place.bucket.starts_with("file://"))
    if (const auto slash = options.place.bucket.find('/', scheme + 3); slash != std::string::npos) {
      options.place.path_prefix = options.place.bucket.substr(slash + 1);
      options.place.bucket.resize(slash);
    }
  for (const std::string& entry : arguments.all("media-type")) {
    const auto colon = entry.find(':');
    if (colon == std::string::npos)
      return fail(ErrorKind::usage, "--media-type: expected EXTENSION:TYPE, got '{}'", entry);
    options.place.media_types[entry.substr(0, colon)] = entry.substr(colon + 1);
  }
  return options;
}

Result<podutils::JobSpec> job_spec_from_environment() {
  const char* json = std::getenv("JOB_SPEC");
  if (json == nullptr)
    return fail(ErrorKind::bad_config, "expected the environment variable JOB_SPEC, which says whose run this is");
  return podutils::read_job_spec(json);
}

int utility_failed(std::string_view utility, const Error& error) {
  fmt::print(stderr, "{}: {}\n", utility, error.text());
  return 1;
}

}  // namespace bowsprit::cli
