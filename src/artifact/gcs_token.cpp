// SPDX-License-Identifier: Apache-2.0
#include "artifact/gcs_token.h"

#include "base/json.h"
#include "base/signature.h"
#include "base/strings.h"

namespace bowsprit::artifact {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/devstorage.read_write";
constexpr std::string_view kTokenUrl = "https://oauth2.googleapis.com/token";
constexpr std::int64_t kLifetime = 3600;
constexpr seconds kBeforeTheEnd{60};

std::string form(const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
  std::string out;
  for (const auto& [name, value] : fields)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, url_encode(value));
  return out;
}

}  // namespace

Result<GcsCredentials> read_gcs_credentials(std::string_view json) {
  const auto parsed = parse_json(json);
  if (!parsed) return fail(ErrorKind::bad_config, "{}", parsed.error().text());
  GcsCredentials out;
  const std::string type = json_string(*parsed, "type");
  const auto need = [&](std::string_view name, std::string& to) -> Result<> {
    to = json_string(*parsed, name);
    if (to.empty()) return fail(ErrorKind::bad_config, "expected \"{}\"", name);
    return {};
  };
  std::string secret;
  out.token_url = json_string(*parsed, "token_uri", kTokenUrl);
  if (type == "service_account") {
    out.kind = GcsCredentials::Kind::service_account;
    TRY(need("client_email", out.email));
    TRY(need("private_key", secret));
    out.private_key = Secret(secret);
    out.key_id = json_string(*parsed, "private_key_id");
  } else if (type == "authorized_user") {
    out.kind = GcsCredentials::Kind::authorized_user;
    TRY(need("client_id", out.client_id));
    TRY(need("client_secret", secret));
    out.client_secret = Secret(secret);
    TRY(need("refresh_token", secret));
    out.refresh_token = Secret(secret);
  } else {
    return fail(ErrorKind::bad_config, "expected \"type\" service_account or authorized_user, got '{}'",
                shorten(printable(type), 40));
  }
  return out;
}

Result<Secret> gcs_assertion(const GcsCredentials& credentials, SystemTime now) {
  const std::int64_t issued = unix_seconds(now);
  auto jwt = jwt_rs256(credentials.private_key, {{"iss", credentials.email},
                                                 {"scope", kScope},
                                                 {"aud", credentials.token_url},
                                                 {"iat", issued},
                                                 {"exp", issued + kLifetime}});
  if (!jwt) return std::unexpected(std::move(jwt).error().with("service account '{}'", credentials.email));
  return jwt;
}

Result<net::HttpRequest> GcsTokens::request(SystemTime now) const {
  net::HttpRequest request{.url = credentials_.token_url, .timeout = seconds(15)};
  if (credentials_.kind == GcsCredentials::Kind::metadata_server) {
    request.headers = {{"Metadata-Flavor", "Google"}};
    return request;
  }
  request.method = "POST";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  if (credentials_.kind == GcsCredentials::Kind::service_account) {
    TRY_ASSIGN(const Secret assertion, gcs_assertion(credentials_, now));
    request.body =
        form({{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", assertion.reveal()}});
  } else {
    request.body = form({{"grant_type", "refresh_token"},
                         {"client_id", credentials_.client_id},
                         {"client_secret", credentials_.client_secret.reveal()},
                         {"refresh_token", credentials_.refresh_token.reveal()}});
  }
  return request;
}

Result<Secret> GcsTokens::token(SystemTime now, bool renew) {
  if (credentials_.kind == GcsCredentials::Kind::none) return Secret();
  const std::scoped_lock lock(mutex_);
  if (!renew && !token_.empty() && now < until_) return token_;
  TRY_ASSIGN(const auto asked, request(now));
  const auto answer = http_.send(asked);
  if (!answer) return std::unexpected(Error(answer.error()).with("ask for a token"));
  if (!answer->ok()) {
    Error error = net::status_error(asked, *answer);
    if (error.kind == ErrorKind::bad_data) error.kind = ErrorKind::denied;  // 400 invalid_grant
    return std::unexpected(std::move(error).with("ask for a token"));
  }
  TRY_ASSIGN(const Json parsed, parse_json(answer->body));
  token_ = Secret(json_string(parsed, "access_token"));
  if (token_.empty()) return fail(ErrorKind::bad_data, "the answer of '{}' has no access_token", asked.url);
  until_ = now + seconds(json_int(parsed, "expires_in")) - kBeforeTheEnd;
  return token_;
}

}  // namespace bowsprit::artifact
