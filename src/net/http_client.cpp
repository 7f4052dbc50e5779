// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>

#include "base/strings.h"

namespace bowsprit::net {
namespace {

/// A URL for messages: without user, password and query, which may be secret or long.
std::string place_of(const std::string& url) {
  std::string place = url.substr(0, url.find('?'));
  const auto host = place.find("://");
  if (host != std::string::npos) {
    const auto at = place.rfind('@', place.find('/', host + 3));
    if (at != std::string::npos && at > host) place.erase(host + 3, at - host - 2);
  }
  return shorten(printable(place), 200);
}

struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListFree>;

struct Sink {
  HttpResponse* response;
  std::size_t limit;
  bool too_large = false;
};

std::size_t take_body(const char* data, std::size_t size, std::size_t count, void* target) {
  auto& sink = *static_cast<Sink*>(target);
  if (sink.response->body.size() + size * count > sink.limit) {
    sink.too_large = true;
    return 0;
  }
  sink.response->body.append(data, size * count);
  return size * count;
}

std::size_t take_header(const char* data, std::size_t size, std::size_t count, void* target) {
  auto& sink = *static_cast<Sink*>(target);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) sink.response->headers.clear();  // of a 100 Continue before
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && sink.response->headers.size() < 200) {
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    sink.response->headers.emplace(std::move(name), trim(line.substr(colon + 1)));
  }
  return size * count;
}

int is_cancelled(void* flag, curl_off_t /*to_get*/, curl_off_t /*got*/, curl_off_t /*to_send*/, curl_off_t /*sent*/) {
  return *static_cast<const std::atomic<bool>*>(flag) ? 1 : 0;
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? std::string() : it->second;
}

std::optional<seconds> HttpResponse::retry_after(SystemTime now) const {
  constexpr std::int64_t kLongest = 3600;
  const std::string text = header("retry-after");
  if (text.empty()) return std::nullopt;
  if (const auto count = parse_int(text))
    return *count < 0 ? std::nullopt : std::optional(seconds(std::min(*count, kLongest)));
  const std::int64_t date = curl_getdate(text.c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return seconds(std::clamp<std::int64_t>(date - unix_seconds(now), 0, kLongest));
}

Error status_error(const HttpRequest& request, const HttpResponse& response) {
  ErrorKind kind = ErrorKind::bad_data;
  const int status = response.status;
  if (status == 401 || status == 403) kind = ErrorKind::denied;
  if (status == 404 || status == 410) kind = ErrorKind::not_found;
  if (status == 409 || status == 412) kind = ErrorKind::conflict;
  if (status == 408) kind = ErrorKind::timeout;
  if (status == 429 || status >= 500) kind = ErrorKind::unavailable;
  std::string text = printable(response.body.substr(0, 400));
  text = std::string(trim(text.substr(0, text.find('\n'))));
  if (response.header("content-type").starts_with("text/html")) text.clear();  // a proxy's page, not a reason
  if (status >= 300 && status < 400)
    text = fmt::format("redirected to '{}', which is not followed", printable(place_of(response.header("location"))));
  const std::string trace = response.header("x-gerrit-trace");
  return {kind,
          default_blame(kind),
          fmt::format("{} {}: HTTP {}{}{}{}", request.method, place_of(request.url), status, text.empty() ? "" : ": ",
                      text, trace.empty() ? "" : " (trace " + printable(trace) + ")"),
          {},
          {}};
}

struct HttpClient::Impl {
  Options options;
  CURL* curl = nullptr;
  ~Impl() {
    if (curl != nullptr) curl_easy_cleanup(curl);
  }
};

HttpClient::HttpClient(Options options) : impl_(std::make_unique<Impl>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  impl_->options = std::move(options);
  impl_->curl = curl_easy_init();
}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
  CURL* curl = impl_->curl;
  if (curl == nullptr) return fail(ErrorKind::os, "start libcurl");
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://"))
    return fail(ErrorKind::bad_config, "{} '{}': expected http:// or https://", request.method, place_of(request.url));
  const Options& options = impl_->options;
  curl_easy_reset(curl);  // keeps the connection, forgets the last request
  HttpResponse response;
  Sink sink{&response, options.body_limit};
  HeaderList headers;
  const auto add_header = [&](const std::string& line) {
    headers.reset(curl_slist_append(headers.release(), line.c_str()));
  };
  for (const auto& [name, value] : request.headers) add_header(name + ": " + value);
  if (request.body) add_header("Expect:");  // no wait for "100 Continue"
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (request.body) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body->data());
  }
  if (!options.basic_user.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, options.basic_user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, options.basic_password.reveal().c_str());
  }
  if (!options.cookie.empty()) curl_easy_setopt(curl, CURLOPT_COOKIE, options.cookie.reveal().c_str());
  if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &sink);
  if (options.cancel) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_cancelled);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, options.cancel.get());
  }
  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return fail(ErrorKind::cancelled, "{} {}: ended by us", request.method, place_of(request.url));
  if (sink.too_large)
    return fail(ErrorKind::bad_data, "{} {}: answer larger than {} bytes", request.method, place_of(request.url),
                options.body_limit);
  if (code == CURLE_OPERATION_TIMEDOUT)
    return fail(ErrorKind::timeout, "{} {}: no answer within {}", request.method, place_of(request.url),
                format_duration(request.timeout));
  if (code == CURLE_URL_MALFORMAT || code == CURLE_SSL_CACERT_BADFILE)
    return fail(ErrorKind::bad_config, "{} {}: {}", request.method, place_of(request.url), curl_easy_strerror(code));
  if (code != CURLE_OK)
    return fail(ErrorKind::unavailable, "{} {}: {}", request.method, place_of(request.url), curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  return response;
}

}  // namespace bowsprit::net
