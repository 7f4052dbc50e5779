// SPDX-License-Identifier: Apache-2.0
/// Access tokens for Google's APIs: of a service account's key by a signed JWT (RFC 7523; developers.google.com,
/// "Using OAuth 2.0 for Server to Server Applications"), of a user's refresh token, or of the metadata server of the
/// machine or Pod that we run on (cloud.google.com, "Workload Identity").
///
/// Does not: know other kinds of credentials (external_account). Tokens are kept until a minute before their end.
/// Threads: GcsTokens any; the rest values.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/http_pool.h"

namespace bowsprit::artifact {

struct GcsCredentials {
  enum class Kind { none, service_account, authorized_user, metadata_server } kind = Kind::none;
  std::string token_url;
  std::string email;   ///< of a service account
  std::string key_id;  ///< likewise
  Secret private_key;  ///< likewise; PEM
  std::string client_id;
  Secret client_secret;
  Secret refresh_token;
};

/// A key file as the console makes it, or gcloud's application_default_credentials.json. @error bad_config
Result<GcsCredentials> read_gcs_credentials(std::string_view json);

/// The JWT by which a service account asks for a token. @error bad_config  no RSA key
Result<Secret> gcs_assertion(const GcsCredentials& credentials, SystemTime now);

class GcsTokens {
 public:
  GcsTokens(GcsCredentials credentials, net::HttpPool& http) : credentials_(std::move(credentials)), http_(http) {}

  /// Empty for Kind::none. @param renew  the last one was refused
  Result<Secret> token(SystemTime now, bool renew = false);
  [[nodiscard]] const GcsCredentials& credentials() const { return credentials_; }

 private:
  [[nodiscard]] Result<net::HttpRequest> request(SystemTime now) const;

  GcsCredentials credentials_;
  net::HttpPool& http_;
  std::mutex mutex_;
  Secret token_;
  SystemTime until_;
};

}  // namespace bowsprit::artifact
