// SPDX-License-Identifier: Apache-2.0
/// Who we are to S3, and where it is: Prow's s3-credentials JSON (pkg/io/providers), AWS' shared files
/// (docs.aws.amazon.com, "Configuration and credential file settings"), or AWS' environment variables.
///
/// Does not: ask a metadata service, or trade a web identity for credentials; mount a file with keys instead.
/// Threads: pure functions but s3_account, which reads files; any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "artifact/sigv4.h"
#include "base/result.h"

namespace bowsprit::artifact {

struct S3Account {
  sigv4::Credentials credentials;
  std::string region;       ///< empty: not said
  std::string endpoint;     ///< "https://minio:9000", "minio:9000"; empty: AWS
  bool insecure = false;    ///< http:// where the endpoint has no scheme
  bool path_style = false;  ///< the bucket stands in the path, not in the host's name
};

/// {"region", "endpoint", "insecure", "s3_force_path_style", "access_key", "secret_key"}; "session_token" besides, which
/// Prow does not know. @error bad_config
Result<S3Account> read_prow_s3_credentials(std::string_view json);

/// A profile of ~/.aws/credentials or ~/.aws/config. @error bad_config  no such profile, or it has no keys
Result<S3Account> read_aws_profile(std::string_view ini, std::string_view profile);

using Environment = std::function<std::string(const char* name)>;  ///< empty: not set
Environment process_environment();

/// From `file`, of either form; where that is empty from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
/// AWS_SESSION_TOKEN; else from AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, profile AWS_PROFILE or "default".
/// AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL fill what is left open.
/// @error bad_config  says where it looked
Result<S3Account> s3_account(const std::filesystem::path& file, const Environment& environment);

}  // namespace bowsprit::artifact
