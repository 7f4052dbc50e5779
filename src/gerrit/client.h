// SPDX-License-Identifier: Apache-2.0
/// Gerrit's REST API as far as this project needs it (Documentation/rest-api-changes, -projects, -accounts).
///
/// With credentials every call goes below /a/; without, it is anonymous and can only read. A stock Gerrit wants a user with an HTTP
/// password; a hosted one the "o" cookie of a gitcookies file, which is read again for every client.
/// Where Gerrit asks to be left alone (429 or 503 with Retry-After), calls fail with `unavailable` until that time, without being sent.
/// Does not: retry (but for a vote or a size that Gerrit refuses, see post_review), remember, or decide what to post.
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
#include "gerrit/file_lines.h"
#include "net/http_client.h"

namespace bowsprit::gerrit {

struct ClientOptions {
  std::string url;   ///< "https://host/prefix", final slash does not matter
  std::string user;  ///< HTTP basic, with `password`
  Secret password;
  std::filesystem::path cookie_file;  ///< Netscape format, as git's http.cookieFile
  std::filesystem::path ca_file;      ///< PEM; empty: the system's authorities
  milliseconds timeout{30'000};
  std::size_t page = 100;  ///< changes asked for at once
};

/// What became of a review.
struct ReviewOutcome {
  bool voted = false;        ///< all labels that were sent are in the answer
  std::string vote_problem;  ///< why not: refused, unknown label, value out of range
  bool shortened = false;    ///< Gerrit found it too large: the message was cut, inline comments were left out
  std::size_t comments_left_out =
      0;  ///< on files that the patch set does not have; all of them where Gerrit refused one
};

class Client {
 public:
  static Result<Client> create(const ClientOptions& options);

  /// Our own account. @error denied  the credentials are wrong
  Result<Account> self();
  /// An account by its user name, e-mail address or id. @error not_found  there is none, or several
  Result<Account> account(const std::string& name);
  /// All members of a group (name or UUID), those of its subgroups too.
  /// @error not_found  there is no such group, or its members are not ours to see
  Result<std::vector<Account>> group_members(const std::string& group);
  /// Changes of a project updated at or after `since`, or without it the `limit` newest ones (0: all); newest first, each once. All
  /// of them or an error: a change that leaves the list while it is read does not hide another. One that makes no sense is
  /// logged and left out, so that it can't hold up the rest.
  /// @error not_found  there is no such project, or it is not ours to see (told only without `since`)
  Result<std::vector<Change>> query_changes(const std::string& project, std::optional<SystemTime> since,
                                            std::size_t limit = 0);
  /// One change whole: all files of the patch set, patch-set-level comments among the messages.
  /// @error not_found  deleted, private, or not ours to see; asking again does not help
  Result<Change> change(int number);
  /// Commit at the tip of a branch. @error not_found  no such project or branch
  Result<std::string> branch_tip(const std::string& project, const std::string& branch);

  /// A file of the current patch set with all its lines. @error not_found  the patch set does not have it
  Result<FileLines> file_lines(const Change& change, const std::string& path);

  /// Posts on patch set `revision` of `change`, which the caller has just read.
  /// A vote that Gerrit refuses (no permission, closed change, unknown label) does not lose the message: it is posted again without
  /// the vote, with a notice. A size that Gerrit refuses neither: it is posted again cut, with its first and last lines.
  /// Comments on files that the patch set does not have are left out, as one of them would make Gerrit refuse it all; where it still does, the
  /// review is posted again without comments.
  /// @error conflict   `revision` is not the current patch set any more: a vote there would count for nothing
  /// @error not_found  the change is gone or not ours to see
  Result<ReviewOutcome> post_review(const Change& change, const std::string& revision, const Review& review);

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] bool anonymous() const { return anonymous_; }

 private:
  Client(std::string url, bool anonymous, const ClientOptions& options, net::HttpClient http)
      : url_(std::move(url)),
        anonymous_(anonymous),
        timeout_(options.timeout),
        page_(options.page),
        http_(std::move(http)) {}
  Result<net::HttpResponse> send(net::HttpRequest& request);
  Result<Json> get(const std::string& path);
  /// nullopt: the list changed under our eyes.
  Result<std::optional<std::vector<Change>>> read_pages(const std::string& query, std::size_t limit);

  std::string url_;
  bool anonymous_;
  milliseconds timeout_;
  std::size_t page_;
  SteadyTime quiet_until_{};
  net::HttpClient http_;
};

/// The value of the "o" cookie for a host in a Netscape cookie file; nullopt: none.
std::optional<std::string> cookie_for_host(std::string_view cookie_file, std::string_view host);

}  // namespace bowsprit::gerrit
