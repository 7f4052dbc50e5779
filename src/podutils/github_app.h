// SPDX-License-Identifier: Apache-2.0
/// A short-lived token of a GitHub app's installation, with which git may read an organization's repositories
/// (docs.github.com, "Authenticating as a GitHub App installation"; RFC 7519 for the JWT).
/// Does not: keep tokens. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace bowsprit::podutils {

struct GithubApp {
  std::string id;
  Secret private_key;                  ///< PEM, RSA
  std::vector<std::string> endpoints;  ///< tried in this order
};

/// The proof that one is the app: RS256, valid for nine minutes. @error bad_config  no RSA private key
Result<Secret> app_jwt(const GithubApp& app, SystemTime now);

/// @error not_found  the app is not installed in that organization
Result<Secret> installation_token(const GithubApp& app, const std::string& organization, SystemTime now);

}  // namespace bowsprit::podutils
