// SPDX-License-Identifier: Apache-2.0
/// What S3 says in XML: listings, errors, ids of multipart uploads (docs.aws.amazon.com/AmazonS3/latest/API).
///
/// Reads elements and their text; attributes, comments and namespaces are passed over. Does not: know document types,
/// which S3 has none of. Pure. Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "artifact/object_store.h"

namespace bowsprit::artifact {

struct S3Listing {
  std::vector<ObjectInfo> objects;
  std::string next;  ///< continuation token; empty: this was the last page
};
/// Of ListObjectsV2. @error bad_data
Result<S3Listing> read_s3_listing(std::string_view xml);

struct S3Error {
  std::string code;  ///< "NoSuchKey"
  std::string message;
};
/// Both empty where `xml` is no error of S3's.
S3Error read_s3_error(std::string_view xml);

/// Of CreateMultipartUpload. @error bad_data
Result<std::string> read_s3_upload_id(std::string_view xml);

}  // namespace bowsprit::artifact
