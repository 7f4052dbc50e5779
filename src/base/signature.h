// SPDX-License-Identifier: Apache-2.0
/// Keyed hashes and RSA signatures (by OpenSSL), for requests that prove who sends them: AWS' and Google's signatures,
/// JSON web tokens (RFC 7515, 7519).
/// Does not: make keys, or check anybody's signature. Threads: pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"

struct evp_md_ctx_st;

namespace bowsprit {

/// 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);
std::string to_hex(std::string_view bytes);  ///< lower case
/// MD5, as Content-MD5 has it. Only for stores that compare what arrived by it; no protection against anybody.
class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(const Md5&) = delete;
  Md5& operator=(const Md5&) = delete;
  void add(std::string_view bytes);
  /// Base64; once.
  std::string finish();

 private:
  ::evp_md_ctx_st* context_;
};

/// RFC 4648, 5: "-" and "_", no "=" at the end.
std::string base64url_encode(std::string_view bytes);

/// RSASSA-PKCS1-v1_5 with SHA-256, by a private key in PEM. @error bad_config  no RSA private key
Result<std::string> sign_rs256(const Secret& pem, std::string_view text);
/// A JWT with "alg":"RS256" and these claims. @error bad_config  no RSA private key
Result<Secret> jwt_rs256(const Secret& pem, const Json& claims);

}  // namespace bowsprit
