// SPDX-License-Identifier: Apache-2.0
#include "artifact/sigv4.h"

#include <algorithm>
#include <cctype>
#include <ctime>

#include "base/signature.h"
#include "base/strings.h"

namespace bowsprit::artifact::sigv4 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kGoogleAlgorithm = "GOOG4-RSA-SHA256";
constexpr seconds kLongest{7 * 24 * 3600};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Names in lower case, sorted, with the host among them.
Pairs canonical_headers(const Request& request) {
  Pairs headers{{"host", request.host}};
  for (const auto& [name, value] : request.headers) headers.emplace_back(lower(name), trim(value));
  std::ranges::sort(headers);
  return headers;
}

std::string names_of(const Pairs& headers) {
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) names.push_back(name);
  return join(names, ";");
}

std::string scope_of(SystemTime now, std::string_view region) {
  return fmt::format("{}/{}/s3/aws4_request", timestamp(now).substr(0, 8), region);
}

std::string text_to_sign(std::string_view algorithm, SystemTime now, std::string_view scope, const Request& request) {
  return fmt::format("{}\n{}\n{}\n{}", algorithm, timestamp(now), scope, sha256_hex(canonical_request(request)));
}

std::string signature(const Request& request, const Credentials& credentials, std::string_view region, SystemTime now) {
  std::string key = "AWS4" + credentials.secret_key.reveal();
  for (const std::string& part :
       {timestamp(now).substr(0, 8), std::string(region), std::string("s3"), std::string("aws4_request")})
    key = hmac_sha256(key, part);
  return to_hex(hmac_sha256(key, text_to_sign(kAlgorithm, now, scope_of(now, region), request)));
}

std::string lifetime_text(seconds lifetime) {
  return std::to_string(std::clamp(lifetime, seconds(1), kLongest).count());
}

}  // namespace

std::string encoded_path(std::string_view path) {
  std::vector<std::string> parts = split(path, '/');
  for (std::string& part : parts) part = url_encode(part);
  return join(parts, "/");
}

std::string encoded_query(const Pairs& query) {
  Pairs encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(url_encode(name), url_encode(value));
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

std::string timestamp(SystemTime time) {
  const std::time_t whole = static_cast<std::time_t>(unix_seconds(time));
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string canonical_request(const Request& request) {
  const Pairs headers = canonical_headers(request);
  std::string lines;
  for (const auto& [name, value] : headers) lines += fmt::format("{}:{}\n", name, value);
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, encoded_path(request.path), encoded_query(request.query),
                     lines, names_of(headers), request.payload_sha256);
}

Pairs signed_headers(Request request, const Credentials& credentials, std::string_view region, SystemTime now) {
  Pairs added{{"x-amz-content-sha256", request.payload_sha256}, {"x-amz-date", timestamp(now)}};
  if (!credentials.session_token.empty())
    added.emplace_back("x-amz-security-token", credentials.session_token.reveal());
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  added.emplace_back("Authorization",
                     fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", kAlgorithm,
                                 credentials.access_key, scope_of(now, region), names_of(canonical_headers(request)),
                                 signature(request, credentials, region, now)));
  return added;
}

std::string presigned_query(Request request, const Credentials& credentials, std::string_view region, SystemTime now,
                            seconds lifetime) {
  request.payload_sha256 = kUnsignedPayload;
  request.query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  request.query.emplace_back("X-Amz-Credential", credentials.access_key + "/" + scope_of(now, region));
  request.query.emplace_back("X-Amz-Date", timestamp(now));
  request.query.emplace_back("X-Amz-Expires", lifetime_text(lifetime));
  if (!credentials.session_token.empty())
    request.query.emplace_back("X-Amz-Security-Token", credentials.session_token.reveal());
  request.query.emplace_back("X-Amz-SignedHeaders", names_of(canonical_headers(request)));
  return encoded_query(request.query) + "&X-Amz-Signature=" + signature(request, credentials, region, now);
}

Result<std::string> google_presigned_query(Request request, const std::string& account, const Secret& key,
                                           SystemTime now, seconds lifetime) {
  const std::string scope = timestamp(now).substr(0, 8) + "/auto/storage/goog4_request";
  request.payload_sha256 = kUnsignedPayload;
  request.query.emplace_back("X-Goog-Algorithm", kGoogleAlgorithm);
  request.query.emplace_back("X-Goog-Credential", account + "/" + scope);
  request.query.emplace_back("X-Goog-Date", timestamp(now));
  request.query.emplace_back("X-Goog-Expires", lifetime_text(lifetime));
  request.query.emplace_back("X-Goog-SignedHeaders", names_of(canonical_headers(request)));
  TRY_ASSIGN(const std::string signed_text, sign_rs256(key, text_to_sign(kGoogleAlgorithm, now, scope, request)));
  return encoded_query(request.query) + "&X-Goog-Signature=" + to_hex(signed_text);
}

}  // namespace bowsprit::artifact::sigv4
