// SPDX-License-Identifier: Apache-2.0
/// Signature Version 4, by which S3 knows who asks (docs.aws.amazon.com, "Authenticating Requests: AWS Signature Version
/// 4"), and Google's V4 signed URLs, which differ in names and in the signature itself (cloud.google.com/storage/docs/
/// authentication/signatures).
///
/// Why not CURLOPT_AWS_SIGV4: libcurl 7.88 neither sorts the query nor encodes the path as S3 wants it, and cannot sign
/// a URL. Paths and queries are given as they are, unencoded; the URL to send must be made of `encoded_path` and
/// `encoded_query`, so that what is sent is what was signed.
/// Does not: send anything, or know the time. Threads: pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace bowsprit::artifact::sigv4 {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Credentials {
  std::string access_key;
  Secret secret_key;
  Secret session_token;  ///< of temporary credentials; else empty
};

struct Request {
  std::string method;
  std::string host;  ///< with the port, unless it is the scheme's own
  std::string path;  ///< "/bucket/a b/c"
  Pairs query;
  Pairs headers;               ///< all are signed; names in any case
  std::string payload_sha256;  ///< hex, or kUnsignedPayload
};
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

/// '/' and RFC 3986's unreserved characters stay.
std::string encoded_path(std::string_view path);
/// "a=1&b=", sorted by encoded name and value.
std::string encoded_query(const Pairs& query);
/// "20130524T000000Z"
std::string timestamp(SystemTime time);

/// The text whose hash is signed.
std::string canonical_request(const Request& request);

/// The headers to send beside the request's own: x-amz-date, x-amz-content-sha256, x-amz-security-token, Authorization.
Pairs signed_headers(Request request, const Credentials& credentials, std::string_view region, SystemTime now);

/// The query, encoded, with which anybody may send this request until `lifetime` (at most 7 days) is over.
std::string presigned_query(Request request, const Credentials& credentials, std::string_view region, SystemTime now,
                            seconds lifetime);

/// The same for Google: `key` is a service account's, `account` its e-mail address. @error bad_config  no RSA key
Result<std::string> google_presigned_query(Request request, const std::string& account, const Secret& key,
                                           SystemTime now, seconds lifetime);

}  // namespace bowsprit::artifact::sigv4
