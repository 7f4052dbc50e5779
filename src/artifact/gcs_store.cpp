// SPDX-License-Identifier: Apache-2.0
#include "artifact/gcs_store.h"

#include <algorithm>
#include <thread>

#include "artifact/byte_range.h"
#include "artifact/content_type.h"
#include "artifact/sigv4.h"
#include "artifact/source_file.h"
#include "base/log.h"
#include "base/signature.h"
#include "base/strings.h"

namespace bowsprit::artifact {
namespace {

constexpr int kTries = 3;
constexpr int kSessions = 2;
constexpr int kIncomplete = 308;
constexpr std::uint64_t kSlowest = 100'000;  ///< bytes a second that we wait for
constexpr std::size_t kMaxAnswer = std::size_t{256} << 20U;
constexpr std::size_t kSniffed = 512;

Error error_of(const net::HttpRequest& request, net::HttpResponse answer) {
  if (const auto json = parse_json(answer.body)) {
    const std::string message = json_string(json_get(*json, "error"), "message");
    if (!message.empty()) answer.body = message;
  }
  return net::status_error(request, answer);
}

std::string md5_of(std::string_view bytes) {
  Md5 hash;
  hash.add(bytes);
  return hash.finish();
}

milliseconds time_for(std::uint64_t size) { return seconds(15 + static_cast<std::int64_t>(size / kSlowest)); }

/// The object's own description, as the API has it.
Json metadata_of(const std::string& key, std::string_view head, const std::string& md5, const Attributes& attributes) {
  Json metadata{{"name", key},
                {"contentType", attributes.content_type.empty() ? content_type_of(key, head) : attributes.content_type},
                {"md5Hash", md5}};
  if (!attributes.content_encoding.empty()) metadata["contentEncoding"] = attributes.content_encoding;
  return metadata;
}

/// How many bytes a session has, by the Range of its answer: "bytes=0-41" are 42.
std::uint64_t stored_by(const net::HttpResponse& answer) {
  const std::string range = answer.header("range");
  const auto dash = range.rfind('-');
  const auto last = dash == std::string::npos ? std::nullopt : parse_int(std::string_view(range).substr(dash + 1));
  return last && *last >= 0 ? static_cast<std::uint64_t>(*last) + 1 : 0;
}

}  // namespace

GcsStore::GcsStore(GcsOptions options)
    : options_(std::move(options)),
      http_({.ca_file = options_.ca_file, .body_limit = kMaxAnswer, .connect_timeout = seconds(5)}),
      tokens_(options_.credentials, http_) {
  while (options_.endpoint.ends_with('/')) options_.endpoint.pop_back();
}

Result<std::string> GcsStore::key_of(const std::string& name) const {
  if (!is_object_name(name))
    return fail(ErrorKind::bad_data, "'{}' is no name of an object", shorten(printable(name), 200));
  return options_.prefix.empty() ? name : options_.prefix + "/" + name;
}

std::string GcsStore::object_url(const std::string& key) const {
  return fmt::format("{}/storage/v1/b/{}/o/{}", options_.endpoint, url_encode(options_.bucket), url_encode(key));
}

std::string GcsStore::upload_url(std::string_view type) const {
  return fmt::format("{}/upload/storage/v1/b/{}/o?uploadType={}", options_.endpoint, url_encode(options_.bucket), type);
}

Result<net::HttpResponse> GcsStore::send_once(net::HttpRequest& request) {
  for (const bool renew : {false, true}) {
    TRY_ASSIGN(const Secret token, tokens_.token(SystemClock::now(), renew));
    const std::size_t count = request.headers.size();
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token.reveal());
    auto answer = http_.send(request);
    request.headers.resize(count);
    if (renew || token.empty() || !answer || answer->status != 401) return answer;
  }
  return fail(ErrorKind::bug, "unreachable");
}

Result<net::HttpResponse> GcsStore::send(net::HttpRequest& request, int tries, int also_good) {
  for (int attempt = 1;; ++attempt) {
    auto answer = send_once(request);
    if (answer && (answer->ok() || answer->status == also_good)) return answer;
    Error error = answer ? error_of(request, std::move(*answer)) : std::move(answer).error();
    if (!error.retryable() || attempt >= tries || http_.cancelled()) return std::unexpected(std::move(error));
    std::this_thread::sleep_for(options_.retry_pause * attempt);
  }
}

Result<> GcsStore::put_whole(const Json& metadata, std::string_view bytes) {
  const std::string boundary = "bowsprit-" + sha256_hex(bytes);  // what contains its own hash has not been found yet
  net::HttpRequest request{.method = "POST",
                           .url = upload_url("multipart"),
                           .headers = {{"Content-Type", "multipart/related; boundary=" + boundary}},
                           .body = fmt::format("--{0}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{1}\r\n"
                                               "--{0}\r\nContent-Type: {2}\r\n\r\n",
                                               boundary, dump_json(metadata), json_string(metadata, "contentType")),
                           .timeout = time_for(bytes.size())};
  request.body->append(bytes).append("\r\n--" + boundary + "--\r\n");
  auto done = send(request, kTries);
  if (done) return {};
  if (done.error().kind == ErrorKind::not_found) done.error().kind = ErrorKind::bad_config;  // the bucket
  return std::unexpected(std::move(done).error());
}

Result<> GcsStore::put(const std::string& name, std::string_view bytes, const Attributes& attributes) {
  TRY_ASSIGN(const std::string key, key_of(name));
  return put_whole(metadata_of(key, bytes.substr(0, kSniffed), md5_of(bytes), attributes), bytes);
}

Result<> GcsStore::put_file(const std::string& name, const std::filesystem::path& path, const Attributes& attributes) {
  TRY_ASSIGN(const std::string key, key_of(name));
  TRY_ASSIGN(const SourceFile file, SourceFile::open(path));
  if (file.size() <= options_.part_size) {
    TRY_ASSIGN(const std::string bytes, file.read(0, file.size()));
    return put(name, bytes, attributes);
  }
  TRY_ASSIGN(const std::string head, file.read(0, kSniffed));
  TRY_ASSIGN(const std::string md5, file.md5());
  const Json metadata = metadata_of(key, head, md5, attributes);
  Result<> done;
  for (int attempt = 0; attempt < kSessions; ++attempt) {
    TRY_ASSIGN(const std::string session, begin_session(metadata, file.size()));
    done = put_parts(session, file);
    if (done || done.error().kind == ErrorKind::cancelled) return done;
    if (done.error().kind == ErrorKind::not_found) continue;  // the session is gone; a new one begins at the start
    net::HttpRequest drop{.method = "DELETE", .url = session, .headers = {{"Content-Length", "0"}}};
    if (const auto dropped = send_once(drop); !dropped)
      log_warn("gcs", "an upload of '{}' could not be cancelled: {}", printable(key), dropped.error().text());
    return done;
  }
  return done;
}

Result<std::string> GcsStore::begin_session(const Json& metadata, std::uint64_t size) {
  net::HttpRequest request{.method = "POST",
                           .url = upload_url("resumable"),
                           .headers = {{"Content-Type", "application/json; charset=UTF-8"},
                                       {"X-Upload-Content-Type", json_string(metadata, "contentType")},
                                       {"X-Upload-Content-Length", std::to_string(size)}},
                           .body = dump_json(metadata)};
  auto answer = send(request, kTries);
  if (!answer) {
    if (answer.error().kind == ErrorKind::not_found) answer.error().kind = ErrorKind::bad_config;  // the bucket
    return std::unexpected(std::move(answer).error());
  }
  std::string session = answer->header("location");
  if (session.empty()) return fail(ErrorKind::bad_data, "GCS began an upload and did not say where");
  return session;
}

Result<> GcsStore::put_parts(const std::string& session, const SourceFile& file) {
  std::uint64_t at = 0;
  int failures = 0;
  bool ask = false;  // how far it came
  while (true) {
    net::HttpRequest request{.method = "PUT", .url = session};
    const std::uint64_t count = std::min(options_.part_size, file.size() - at);
    request.timeout = time_for(count);
    if (ask || count == 0) {
      request.headers = {{"Content-Range", fmt::format("bytes */{}", file.size())}};
      request.body = std::string();
    } else {
      request.headers = {{"Content-Range", fmt::format("bytes {}-{}/{}", at, at + count - 1, file.size())}};
      TRY_ASSIGN(request.body, file.read(at, count));
    }
    const auto answer = send(request, 1, kIncomplete);
    if (answer && answer->ok()) return {};
    if (answer) {
      const std::uint64_t stored = std::min(stored_by(*answer), file.size());
      if (stored > at) failures = 0;
      if (stored <= at && !ask && ++failures > kTries)
        return fail(ErrorKind::unavailable, "GCS takes no more than {} of {} bytes", at, file.size());
      at = stored;
      ask = false;
      continue;
    }
    if (!answer.error().retryable() || http_.cancelled() || ++failures > kTries) return std::unexpected(answer.error());
    std::this_thread::sleep_for(options_.retry_pause * failures);
    ask = true;
  }
}

Result<std::string> GcsStore::get(const std::string& name, std::uint64_t offset, std::optional<std::uint64_t> length) {
  TRY_ASSIGN(const std::string key, key_of(name));
  if (length == 0U) return std::string();
  net::HttpRequest request{.url = object_url(key) + "?alt=media", .timeout = seconds(15)};
  if (const auto range = range_header(offset, length); !range.empty()) request.headers = {{"Range", range}};
  TRY_ASSIGN(auto answer, send(request, 1, kPastTheEnd));
  return take_range(answer.status, std::move(answer.body), offset, length);
}

Result<ObjectInfo> GcsStore::stat(const std::string& name) {
  TRY_ASSIGN(const std::string key, key_of(name));
  net::HttpRequest request{.url = object_url(key) + "?fields=size", .timeout = seconds(15)};
  TRY_ASSIGN(const auto answer, send(request));
  TRY_ASSIGN(const Json json, parse_json(answer.body));
  const auto size = parse_int(json_string(json, "size"));  // a number as text: it may be larger than JSON's
  if (!size || *size < 0) return fail(ErrorKind::bad_data, "GCS does not say how large '{}' is", printable(name));
  return ObjectInfo{name, static_cast<std::uint64_t>(*size)};
}

Result<std::vector<ObjectInfo>> GcsStore::list(const std::string& prefix, std::size_t limit) {
  const std::string ours = options_.prefix.empty() ? std::string() : options_.prefix + "/";
  std::vector<ObjectInfo> found;
  std::string page;
  do {
    net::HttpRequest request{
        .url = fmt::format("{}/storage/v1/b/{}/o?prefix={}&maxResults={}&fields=items(name,size),"
                           "nextPageToken{}",
                           options_.endpoint, url_encode(options_.bucket), url_encode(ours + prefix),
                           std::min<std::size_t>(1000, limit - found.size()),
                           page.empty() ? "" : "&pageToken=" + url_encode(page)),
        .timeout = seconds(15)};
    TRY_ASSIGN(const auto answer, send(request));
    TRY_ASSIGN(const Json json, parse_json(answer.body));
    for (const Json& item : json_get(json, "items")) {
      std::string name = json_string(item, "name");
      const auto size = parse_int(json_string(item, "size"));
      if (!size || *size < 0) return fail(ErrorKind::bad_data, "a listing has no size of '{}'", printable(name));
      if (!name.starts_with(ours)) continue;
      name.erase(0, ours.size());
      if (is_object_name(name)) found.push_back({std::move(name), static_cast<std::uint64_t>(*size)});
    }
    page = json_string(json, "nextPageToken");
  } while (!page.empty() && found.size() < limit);
  return found;
}

Result<> GcsStore::remove(const std::string& name) {
  TRY_ASSIGN(const std::string key, key_of(name));
  net::HttpRequest request{.method = "DELETE", .url = object_url(key)};
  const auto done = send(request, kTries);
  if (!done && done.error().kind != ErrorKind::not_found) return std::unexpected(done.error());
  return {};
}

Result<std::string> GcsStore::signed_url(const std::string& name, seconds lifetime) {
  TRY_ASSIGN(const std::string key, key_of(name));
  const GcsCredentials& credentials = tokens_.credentials();
  if (credentials.kind != GcsCredentials::Kind::service_account)
    return fail(ErrorKind::bad_config, "sign a URL of '{}': that needs the key of a service account", printable(name));
  const auto host = options_.endpoint.find("://") + 3;
  const std::string path = "/" + options_.bucket + "/" + key;
  TRY_ASSIGN(const std::string query,
             sigv4::google_presigned_query({.method = "GET", .host = options_.endpoint.substr(host), .path = path},
                                           credentials.email, credentials.private_key, SystemClock::now(), lifetime));
  return options_.endpoint + sigv4::encoded_path(path) + "?" + query;
}

}  // namespace bowsprit::artifact
