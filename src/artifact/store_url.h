// SPDX-License-Identifier: Apache-2.0
/// From a place's name to its ObjectStore: "s3://BUCKET/PREFIX", "gs://BUCKET/PREFIX", "file:///FOLDER" or "/FOLDER", as
/// Prow's files have them. Threads: any.
#pragma once

#include <memory>

#include "artifact/object_store.h"
#include "artifact/s3_credentials.h"

namespace bowsprit::artifact {

struct StoreUrl {
  enum class Kind { folder, s3, gcs } kind = Kind::folder;
  std::string bucket;  ///< or the folder
  std::string prefix;  ///< in the bucket; without slashes around it
};
/// @error bad_config  another scheme, no bucket
Result<StoreUrl> parse_store_url(std::string_view url);

struct StoreSettings {
  std::string store;
  std::filesystem::path credentials_file;  ///< empty: what the environment says (s3_credentials.h, gcs_token.h)
  std::string endpoint;                    ///< empty: of the credentials, or the vendor's own
  std::string region;                      ///< likewise
  std::optional<bool> path_style;          ///< default: with an endpoint, or where the host can't be a bucket's
  std::string ca_file;
};

/// Reads credentials; asks the store nothing yet. For S3 they are read again with each request.
/// GCS without a file: STORAGE_EMULATOR_HOST (then without credentials), GOOGLE_APPLICATION_CREDENTIALS,
/// ~/.config/gcloud/application_default_credentials.json, else the metadata server (GCE_METADATA_HOST).
/// @error bad_config
Result<std::unique_ptr<ObjectStore>> open_store(const StoreSettings& settings,
                                                const Environment& environment = process_environment());

}  // namespace bowsprit::artifact
