// SPDX-License-Identifier: Apache-2.0
#include "podutils/github_app.h"

#include "base/json.h"
#include "base/signature.h"
#include "net/http_client.h"

namespace bowsprit::podutils {
namespace {

constexpr int kPageSize = 100;
constexpr int kMaxPages = 100;

Result<Json> ask(net::HttpClient& http, std::string method, std::string url, const Secret& jwt) {
  const net::HttpRequest request{.method = std::move(method),
                                 .url = std::move(url),
                                 .headers = {{"Authorization", "Bearer " + jwt.reveal()},
                                             {"Accept", "application/vnd.github+json"},
                                             {"X-GitHub-Api-Version", "2022-11-28"}}};
  TRY_ASSIGN(const auto answer, http.send(request));
  if (!answer.ok()) return std::unexpected(net::status_error(request, answer));
  return parse_json(answer.body);
}

Result<Secret> token_of(const std::string& endpoint, const std::string& organization, const Secret& jwt) {
  net::HttpClient http({});
  for (int page = 1; page <= kMaxPages; ++page) {
    TRY_ASSIGN(
        const Json list,
        ask(http, "GET", fmt::format("{}/app/installations?per_page={}&page={}", endpoint, kPageSize, page), jwt));
    for (const Json& item : list) {
      if (json_string(json_get(item, "account"), "login") != organization) continue;
      const auto id = json_int(item, "id");
      TRY_ASSIGN(const Json answer,
                 ask(http, "POST", fmt::format("{}/app/installations/{}/access_tokens", endpoint, id), jwt));
      Secret token(json_string(answer, "token"));
      if (token.empty()) return fail(ErrorKind::bad_data, "the answer of '{}' has no token", endpoint);
      return token;
    }
    if (list.size() < kPageSize) break;
  }
  return fail(ErrorKind::not_found, "the GitHub app is not installed in organization '{}'", organization);
}

}  // namespace

Result<Secret> app_jwt(const GithubApp& app, SystemTime now) {
  const std::int64_t issued = unix_seconds(now);
  // GitHub allows ten minutes; its clock may lag a little.
  auto jwt = jwt_rs256(app.private_key, {{"iss", app.id}, {"exp", issued + 9 * 60}, {"iat", issued}});
  if (!jwt) return std::unexpected(std::move(jwt).error().with("GitHub app '{}'", app.id));
  return jwt;
}

Result<Secret> installation_token(const GithubApp& app, const std::string& organization, SystemTime now) {
  TRY_ASSIGN(const Secret jwt, app_jwt(app, now));
  Result<Secret> token = fail(ErrorKind::bad_config, "a GitHub app needs github_api_endpoints");
  for (const std::string& endpoint : app.endpoints) {
    token = token_of(endpoint, organization, jwt);
    if (token || !token.error().retryable()) break;
  }
  return token;
}

}  // namespace bowsprit::podutils
