// SPDX-License-Identifier: Apache-2.0
#include "artifact/s3_store.h"

#include <algorithm>
#include <thread>

#include "artifact/byte_range.h"
#include "artifact/content_type.h"
#include "artifact/s3_xml.h"
#include "artifact/source_file.h"
#include "base/log.h"
#include "base/strings.h"

namespace bowsprit::artifact {
namespace {

constexpr int kTries = 3;
constexpr std::uint64_t kMaxParts = 10000;
constexpr std::uint64_t kSlowest = 100'000;  ///< bytes a second that we wait for
constexpr std::size_t kMaxAnswer = std::size_t{256} << 20U;
constexpr std::size_t kSniffed = 512;

Error error_of(const net::HttpRequest& request, net::HttpResponse answer) {
  const S3Error said = read_s3_error(answer.body);
  if (!said.code.empty()) {
    answer.body = said.code + ": " + said.message;
    answer.headers.erase("content-type");
  }
  Error error = net::status_error(request, answer);
  const auto is = [&](std::initializer_list<std::string_view> codes) {
    return std::ranges::find(codes, said.code) != codes.end();
  };
  if (is({"NoSuchBucket", "PermanentRedirect", "AuthorizationHeaderMalformed", "InvalidBucketName"})) {
    error.kind = ErrorKind::bad_config;
    error.blame = Blame::configuration;
  }
  if (is({"RequestTimeout", "SlowDown", "OperationAborted"})) error.kind = ErrorKind::unavailable;
  if (is({"ExpiredToken", "InvalidToken", "RequestTimeTooSkewed"})) error.kind = ErrorKind::denied;
  return error;
}

sigv4::Pairs headers_of(const std::string& content_type, const Attributes& attributes) {
  sigv4::Pairs headers{{"Content-Type", content_type}};
  if (!attributes.content_encoding.empty()) headers.emplace_back("Content-Encoding", attributes.content_encoding);
  return headers;
}

std::string type_of(const std::string& name, std::string_view head, const Attributes& attributes) {
  return attributes.content_type.empty() ? content_type_of(name, head) : attributes.content_type;
}

}  // namespace

Result<std::unique_ptr<S3Store>> S3Store::open(S3Options options) {
  std::string url = options.endpoint;
  if (url.empty()) url = fmt::format("https://s3.{}.amazonaws.com", options.region);
  while (url.ends_with('/')) url.pop_back();
  const auto colon = url.find("://");
  const std::string scheme = colon == std::string::npos ? std::string() : url.substr(0, colon);
  if ((scheme != "http" && scheme != "https") || url.size() == colon + 3 ||
      url.find_first_of("?#@ ") != std::string::npos)
    return fail(ErrorKind::bad_config, "the endpoint '{}' is no URL such as https://s3.example:9000", url);
  const auto slash = std::min(url.find('/', colon + 3), url.size());
  std::string host = url.substr(colon + 3, slash - colon - 3);
  std::string base_path = url.substr(slash);
  const std::string own_port = scheme == "http" ? ":80" : ":443";
  if (host.ends_with(own_port)) host.resize(host.size() - own_port.size());  // as HTTP clients say it
  if (options.path_style)
    base_path += "/" + options.bucket;
  else
    host = options.bucket + "." + host;
  return std::unique_ptr<S3Store>(new S3Store(std::move(options), scheme, std::move(host), std::move(base_path)));
}

S3Store::S3Store(S3Options options, std::string scheme, std::string host, std::string base_path)
    : options_(std::move(options)),
      scheme_(std::move(scheme)),
      host_(std::move(host)),
      base_path_(std::move(base_path)),
      http_({.ca_file = options_.ca_file, .body_limit = kMaxAnswer, .connect_timeout = seconds(5)}) {}

std::string S3Store::path_of(const std::string& key) const {
  return key.empty() && !base_path_.empty() ? base_path_ : base_path_ + "/" + key;
}

Result<std::string> S3Store::key_of(const std::string& name) const {
  if (!is_object_name(name))
    return fail(ErrorKind::bad_data, "'{}' is no name of an object", shorten(printable(name), 200));
  return options_.prefix.empty() ? name : options_.prefix + "/" + name;
}

Result<net::HttpResponse> S3Store::send_once(Call& call) {
  TRY_ASSIGN(const auto credentials, options_.credentials());
  sigv4::Request to_sign{.method = call.method,
                         .host = host_,
                         .path = path_of(call.key),
                         .query = call.query,
                         .headers = call.headers,
                         .payload_sha256 = sha256_hex(call.body.value_or(std::string()))};
  net::HttpRequest request{.method = call.method, .url = {}, .headers = call.headers};
  request.url = fmt::format("{}://{}{}", scheme_, host_, sigv4::encoded_path(to_sign.path));
  if (!call.query.empty()) request.url += "?" + sigv4::encoded_query(call.query);
  for (auto& header : sigv4::signed_headers(std::move(to_sign), credentials, options_.region, SystemClock::now()))
    request.headers.push_back(std::move(header));
  request.headers.emplace_back("Accept-Encoding", "identity");  // sizes and ranges are of the bytes as they are stored
  const std::uint64_t size = call.body ? call.body->size() : 0;
  request.timeout = seconds(15 + static_cast<std::int64_t>(size / kSlowest));
  std::swap(request.body, call.body);
  auto answer = http_.send(request);
  std::swap(request.body, call.body);
  if (!answer) return answer;
  // CompleteMultipartUpload may say 200 first and find out later that it can't.
  const bool failed_late = call.method == "POST" && !read_s3_error(answer->body).code.empty();
  const bool good = answer->ok() || answer->status == call.also_good;
  if (!good || failed_late) return std::unexpected(error_of(request, std::move(*answer)));
  return answer;
}

Result<net::HttpResponse> S3Store::send(Call& call) {
  auto answer = send_once(call);
  for (int attempt = 1; !answer && answer.error().retryable() && attempt < call.tries && !http_.cancelled();
       ++attempt) {
    std::this_thread::sleep_for(options_.retry_pause * attempt);
    answer = send_once(call);
  }
  return answer;
}

Result<> S3Store::put(const std::string& name, std::string_view bytes, const Attributes& attributes) {
  TRY_ASSIGN(const std::string key, key_of(name));
  Call call{.method = "PUT",
            .key = key,
            .headers = headers_of(type_of(name, bytes.substr(0, kSniffed), attributes), attributes),
            .body = std::string(bytes),
            .tries = kTries};
  TRY(send(call));
  return {};
}

Result<> S3Store::put_file(const std::string& name, const std::filesystem::path& path, const Attributes& attributes) {
  TRY_ASSIGN(const std::string key, key_of(name));
  TRY_ASSIGN(const SourceFile file, SourceFile::open(path));
  TRY_ASSIGN(const std::string head, file.read(0, std::min<std::uint64_t>(kSniffed, file.size())));
  const std::string type = type_of(name, head, attributes);
  if (file.size() > options_.part_size) return put_parts(key, file, type, attributes);
  TRY_ASSIGN(std::string bytes, file.read(0, file.size()));
  Call call{
      .method = "PUT", .key = key, .headers = headers_of(type, attributes), .body = std::move(bytes), .tries = kTries};
  TRY(send(call));
  return {};
}

Result<> S3Store::put_parts(const std::string& key, const SourceFile& file, const std::string& content_type,
                            const Attributes& attributes) {
  Call start{.method = "POST",
             .key = key,
             .query = {{"uploads", ""}},
             .headers = headers_of(content_type, attributes),
             .body = std::string(),
             .tries = kTries};
  TRY_ASSIGN(const auto started, send(start));
  TRY_ASSIGN(const std::string id, read_s3_upload_id(started.body));
  const std::uint64_t part_size = std::max(options_.part_size, file.size() / kMaxParts + 1);
  const auto upload = [&]() -> Result<> {
    std::string parts;
    int number = 1;
    for (std::uint64_t at = 0; at < file.size(); at += part_size, ++number) {
      TRY_ASSIGN(std::string bytes, file.read(at, std::min(part_size, file.size() - at)));
      Call part{.method = "PUT",
                .key = key,
                .query = {{"partNumber", std::to_string(number)}, {"uploadId", id}},
                .headers = {{"Content-Type", "application/octet-stream"}},
                .body = std::move(bytes),
                .tries = kTries};
      TRY_ASSIGN(const auto answer, send(part));
      parts += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number,
                           html_escape(answer.header("etag")));
    }
    return complete(key, id, parts, file.size());
  };
  auto done = upload();
  if (done) return done;
  Call abort{.method = "DELETE", .key = key, .query = {{"uploadId", id}}, .tries = kTries};
  if (const auto aborted = send(abort); !aborted && aborted.error().kind != ErrorKind::not_found)
    log_warn("s3", "the parts of an upload of '{}' could not be removed: {}", printable(key), aborted.error().text());
  return done;
}

Result<> S3Store::complete(const std::string& key, const std::string& id, const std::string& parts,
                           std::uint64_t size) {
  Call call{.method = "POST",
            .key = key,
            .query = {{"uploadId", id}},
            .headers = {{"Content-Type", "application/xml"}},
            .body = fmt::format("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}"
                                "</CompleteMultipartUpload>",
                                parts),
            .tries = kTries};
  auto done = send(call);
  if (done) return {};
  if (done.error().kind != ErrorKind::not_found) return std::unexpected(std::move(done).error());
  // No such upload: an earlier try may have done it, its answer lost.
  Call look{.method = "HEAD", .key = key};
  const auto there = send(look);
  if (there && parse_int(there->header("content-length")) == static_cast<std::int64_t>(size)) return {};
  return std::unexpected(std::move(done).error());
}

Result<std::string> S3Store::get(const std::string& name, std::uint64_t offset, std::optional<std::uint64_t> length) {
  TRY_ASSIGN(const std::string key, key_of(name));
  if (length == 0U) return std::string();
  Call call{.key = key, .also_good = kPastTheEnd};
  if (const auto range = range_header(offset, length); !range.empty()) call.headers.emplace_back("Range", range);
  TRY_ASSIGN(auto answer, send_once(call));
  return take_range(answer.status, std::move(answer.body), offset, length);
}

Result<ObjectInfo> S3Store::stat(const std::string& name) {
  TRY_ASSIGN(const std::string key, key_of(name));
  Call call{.method = "HEAD", .key = key};
  TRY_ASSIGN(const auto answer, send_once(call));
  const auto size = parse_int(answer.header("content-length"));
  if (!size || *size < 0) return fail(ErrorKind::bad_data, "S3 does not say how large '{}' is", printable(name));
  return ObjectInfo{name, static_cast<std::uint64_t>(*size)};
}

Result<std::vector<ObjectInfo>> S3Store::list(const std::string& prefix, std::size_t limit) {
  const std::string ours = options_.prefix.empty() ? std::string() : options_.prefix + "/";
  std::vector<ObjectInfo> found;
  std::string next;
  do {
    Call call{.query = {{"list-type", "2"},
                        {"prefix", ours + prefix},
                        {"max-keys", std::to_string(std::min<std::size_t>(1000, limit - found.size()))}}};
    if (!next.empty()) call.query.emplace_back("continuation-token", next);
    TRY_ASSIGN(const auto answer, send_once(call));
    TRY_ASSIGN(auto page, read_s3_listing(answer.body));
    for (auto& object : page.objects) {
      if (!object.name.starts_with(ours)) continue;
      object.name.erase(0, ours.size());
      if (is_object_name(object.name)) found.push_back(std::move(object));
    }
    next = std::move(page.next);
  } while (!next.empty() && found.size() < limit);
  return found;
}

Result<> S3Store::remove(const std::string& name) {
  TRY_ASSIGN(const std::string key, key_of(name));
  Call call{.method = "DELETE", .key = key, .tries = kTries};
  const auto done = send(call);
  if (!done && done.error().kind != ErrorKind::not_found) return std::unexpected(done.error());
  return {};
}

Result<std::string> S3Store::signed_url(const std::string& name, seconds lifetime) {
  TRY_ASSIGN(const std::string key, key_of(name));
  TRY_ASSIGN(const auto credentials, options_.credentials());
  const std::string path = path_of(key);
  const std::string query = sigv4::presigned_query({.method = "GET", .host = host_, .path = path}, credentials,
                                                   options_.region, SystemClock::now(), lifetime);
  return fmt::format("{}://{}{}?{}", scheme_, host_, sigv4::encoded_path(path), query);
}

}  // namespace bowsprit::artifact
