// SPDX-License-Identifier: Apache-2.0
/// Gerrit's REST API as far as this project needs it (Documentation/rest-api-changes, -projects, -accounts).
///
/// With credentials every call goes below /a/; without, it is anonymous and can only read. A stock Gerrit wants a user with an HTTP
/// password; a hosted one the "o" cookie of a gitcookies file, which is read again for every client.
/// Does not: retry, remember, or decide what to post.
/// Threads: one client per thread.
/// Errors: as net/http_client.h's status_error, and bad_data for an answer that is not what Gerrit documents.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/secret.h"
#include "gerrit/change.h"
#include "net/http_client.h"

namespace bowsprit::gerrit {

struct ClientOptions {
  std::string url;   ///< "https://host/prefix", final slash does not matter
  std::string user;  ///< HTTP basic, with `password`
  Secret password;
  std::filesystem::path cookie_file;  ///< Netscape format, as git's http.cookieFile
  milliseconds timeout{30'000};
};

/// What became of a review.
struct ReviewOutcome {
  bool voted = false;        ///< all labels that were sent are in the answer
  std::string vote_problem;  ///< why not: refused, unknown label, value out of range
};

class Client {
 public:
  static Result<Client> create(const ClientOptions& options);

  /// Our own account. @error denied  the credentials are wrong
  Result<Account> self();
  /// Changes of a project updated at or after `since` (none: the newest `limit`), newest first, each once.
  Result<std::vector<Change>> query_changes(const std::string& project, std::optional<SystemTime> since,
                                            std::size_t limit = 2000);
  /// One change whole: all files of the patch set, patch-set-level comments among the messages.
  Result<Change> change(int number);
  /// @error conflict   `revision` is not the current patch set any more, or the change is closed for this vote
  /// @error not_found  the change is gone or not ours to see
  /// A vote that Gerrit refuses does not lose the message: it is posted again without the vote.
  Result<ReviewOutcome> post_review(const Change& change, const std::string& revision, const Review& review);

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] bool anonymous() const { return anonymous_; }

 private:
  Client(std::string url, bool anonymous, milliseconds timeout, net::HttpClient http)
      : url_(std::move(url)), anonymous_(anonymous), timeout_(timeout), http_(std::move(http)) {}
  Result<Json> get(const std::string& path);
  Result<Json> send(net::HttpRequest request);

  std::string url_;
  bool anonymous_;
  milliseconds timeout_;
  net::HttpClient http_;
};

/// The value of the "o" cookie for a host in a Netscape cookie file; nullopt: none.
std::optional<std::string> cookie_for_host(std::string_view cookie_file, std::string_view host);

}  // namespace bowsprit::gerrit
