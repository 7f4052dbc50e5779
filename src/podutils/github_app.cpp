// SPDX-License-Identifier: Apache-2.0
#include "podutils/github_app.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "base/json.h"
#include "base/strings.h"
#include "net/http_client.h"

namespace bowsprit::podutils {
namespace {

constexpr int kPageSize = 100;
constexpr int kMaxPages = 100;

std::string base64url(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};

Result<std::string> sign_rs256(const Secret& pem, std::string_view text) {
  const std::unique_ptr<BIO, Freer<BIO_free_all>> bio(
      BIO_new_mem_buf(pem.reveal().data(), static_cast<int>(pem.reveal().size())));
  const std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
    return fail(ErrorKind::bad_config, "the GitHub app's private key is no RSA key in PEM");
  const std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1)
    return fail(ErrorKind::os, "sign with the GitHub app's private key");
  std::string out(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes, text.size()) != 1)
    return fail(ErrorKind::os, "sign with the GitHub app's private key");
  out.resize(size);
  return out;
}

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
  const Json claims{{"iss", app.id}, {"exp", issued + 9 * 60}, {"iat", issued}};
  const std::string text = base64url(R"({"alg":"RS256","typ":"JWT"})") + "." + base64url(dump_json(claims));
  TRY_ASSIGN(const std::string signature, sign_rs256(app.private_key, text));
  return Secret(text + "." + base64url(signature));
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
