// SPDX-License-Identifier: Apache-2.0
/// HTTP requests over libcurl: blocking, with limits on time and size, credentials that reach no log and no other host.
///
/// Proxies come from the environment as libcurl reads it (http_proxy, https_proxy, no_proxy); certificates are checked
/// against the system's authorities, or `ca_file`.
/// Does not: follow redirects (a redirect is an answer like any other, so credentials never reach another host), retry,
/// or keep cookies.
/// Threads: a client belongs to one thread; it keeps its connection from one request to the next.
/// Errors: unavailable (no connection, it broke), timeout, bad_data (larger than the limit), bad_config (no URL, no
/// such `ca_file`), cancelled. An HTTP status is never an error here; see `status_error`.
///
///   HttpClient http({.basic_user = "ci", .basic_password = password});
///   TRY_ASSIGN(const auto answer, http.send({.url = url + "/config/server/version"}));
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace bowsprit::net {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<std::string> body = {};
  milliseconds timeout{30'000};
};

struct HttpResponse {
  int status = 0;
  std::multimap<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  [[nodiscard]] std::string header(const std::string& name) const;  ///< the first; empty: none
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
  /// How long Retry-After asks to wait, at most an hour (RFC 9110, 10.2.3: seconds or a date); nullopt: it does not.
  [[nodiscard]] std::optional<seconds> retry_after(SystemTime now) const;
};

/// The error that an unsuccessful answer means: 401 and 403 denied, 404 and 410 not_found, 409 and 412 conflict, 408
/// timeout, 429 and 5xx unavailable, other bad_data; with the first line of its text, or where a redirect points.
Error status_error(const HttpRequest& request, const HttpResponse& response);

class HttpClient {
 public:
  struct Options {
    std::string basic_user = {};
    Secret basic_password = {};
    Secret cookie = {};  ///< "o=..."; sent as it is
    std::string user_agent = "bowsprit";
    std::string ca_file = {};             ///< PEM; empty: the system's
    std::size_t body_limit = 64U << 20U;  ///< after unpacking
    milliseconds connect_timeout{10'000};
    std::shared_ptr<std::atomic<bool>> cancel = {};  ///< once true: requests end within about a second; null: never
  };
  explicit HttpClient(Options options);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  Result<HttpResponse> send(const HttpRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bowsprit::net
