// SPDX-License-Identifier: Apache-2.0
#include "gerrit/client.h"

#include <algorithm>
#include <ctime>
#include <set>

#include "base/strings.h"
#include "gerrit/change_json.h"
#include "os/files.h"

namespace bowsprit::gerrit {
namespace {

constexpr std::string_view kQueryOptions =
    "&o=CURRENT_REVISION&o=CURRENT_COMMIT&o=CURRENT_FILES&o=MESSAGES&o=LABELS&o=DETAILED_ACCOUNTS&o=SKIP_DIFFSTAT";
constexpr std::size_t kPage = 100;
constexpr std::size_t kMessageLimit = 16'000;  // Gerrit's change.commentSizeLimit is 16384 by default

std::string host_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find_first_of(":/")));
}

/// "2026-11-24 08:30:00", the form of the `after:` operator.
std::string query_time(SystemTime time) {
  const std::time_t whole = unix_seconds(time);
  std::tm tm{};
  gmtime_r(&whole, &tm);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                     tm.tm_min, tm.tm_sec);
}

Json review_json(const Review& review, const Change& change, bool with_labels) {
  Json body = {
      {"message", shorten(review.message, kMessageLimit)}, {"tag", review.tag}, {"omit_duplicate_comments", true}};
  if (with_labels)
    for (const auto& [label, value] : review.labels) body["labels"][label] = value;
  for (const auto& comment : review.comments) {
    // One unknown file and Gerrit refuses the whole review.
    const bool known = std::ranges::find(change.files, comment.file, &ChangedFile::path) != change.files.end();
    if (!known) continue;
    Json item = {{"message", shorten(comment.message, 4000)}, {"unresolved", false}};
    if (comment.line > 0) item["line"] = comment.line;
    body["comments"][comment.file].push_back(std::move(item));
  }
  return body;
}

}  // namespace

std::optional<std::string> cookie_for_host(std::string_view cookie_file, std::string_view host) {
  std::optional<std::string> found;
  for (const auto& raw : split_lines(cookie_file)) {
    std::string_view line = raw;
    if (line.starts_with("#HttpOnly_")) line.remove_prefix(10);
    if (line.starts_with('#')) continue;
    const auto fields = split(line, '\t');
    if (fields.size() < 7 || fields[5] != "o") continue;
    std::string_view domain = fields[0];
    const bool subdomains = domain.starts_with('.') || fields[1] == "TRUE";
    if (domain.starts_with('.')) domain.remove_prefix(1);
    const bool below = subdomains && host.size() > domain.size() && host.ends_with(domain) &&
                       host[host.size() - domain.size() - 1] == '.';
    if (host == domain || below) found = fields[6];
  }
  return found;
}

Result<Client> Client::create(const ClientOptions& options) {
  std::string url = options.url;
  while (url.ends_with('/')) url.pop_back();
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return fail(ErrorKind::bad_config, "Gerrit's address: expected http:// or https://, got '{}'", options.url);
  net::HttpClient::Options http;
  bool anonymous = true;
  if (!options.user.empty()) {
    http.basic_user = options.user;
    http.basic_password = options.password;
    anonymous = false;
  }
  if (!options.cookie_file.empty()) {
    TRY_ASSIGN(const auto text, read_file(options.cookie_file, 1U << 20U));
    const auto cookie = cookie_for_host(text, host_of(url));
    if (!cookie)
      return fail(ErrorKind::bad_config, "cookie file '{}': no cookie 'o' for host '{}'", options.cookie_file.string(),
                  host_of(url));
    http.cookie = "o=" + *cookie;
    anonymous = false;
  }
  return Client(std::move(url), anonymous, options.timeout, net::HttpClient(std::move(http)));
}

Result<Json> Client::send(net::HttpRequest request) {
  request.url = url_ + (anonymous_ ? "" : "/a") + request.url;
  request.timeout = timeout_;
  TRY_ASSIGN(const auto response, http_.send(request));
  if (!response.ok()) return std::unexpected(net::status_error(request, response));
  if (response.status == 204) return Json();
  auto json = parse_json(strip_xssi(response.body));
  if (!json)
    return std::unexpected(
        std::move(json).error().with("answer of {} {}", request.method, request.url.substr(0, request.url.find('?'))));
  return json;
}

Result<Json> Client::get(const std::string& path) { return send({.url = path}); }

Result<Account> Client::self() {
  TRY_ASSIGN(const Json json, get("/accounts/self"));
  return Account{static_cast<int>(json_int(json, "_account_id")), json_string(json, "name"), json_string(json, "email"),
                 json_string(json, "username")};
}

Result<std::vector<Change>> Client::query_changes(const std::string& project, std::optional<SystemTime> since,
                                                  std::size_t limit) {
  std::string query = fmt::format("project:\"{}\"", replace_all(project, "\"", ""));
  if (since) query += fmt::format(" after:\"{}\"", query_time(*since));
  std::vector<Change> changes;
  std::set<int> seen;  // a change that is touched between two pages comes twice
  std::size_t start = 0;
  while (changes.size() < limit) {
    TRY_ASSIGN(const Json page, get(fmt::format("/changes/?q={}&n={}&S={}{}", url_encode(query), std::min(kPage, limit),
                                                start, kQueryOptions)));
    if (!page.is_array())
      return fail(ErrorKind::bad_data, "query changes of '{}': expected an array, got {}", project, page.type_name());
    bool more = false;
    for (const auto& item : page) {
      auto change = change_from_json(item);
      if (!change) return std::unexpected(std::move(change).error().with("query changes of '{}'", project));
      more = json_bool(item, "_more_changes");
      if (seen.insert(change->number).second) changes.push_back(std::move(*change));
    }
    start += page.size();
    if (!more || page.empty()) break;
  }
  return changes;
}

Result<Change> Client::change(int number) {
  TRY_ASSIGN(const Json json, get(fmt::format("/changes/{}?{}", number, kQueryOptions.substr(1))));
  TRY_ASSIGN(auto change, change_from_json(json));
  TRY_ASSIGN(const Json comments, get(fmt::format("/changes/{}/comments", number)));
  add_patchset_comments(change, comments);
  return change;
}

Result<ReviewOutcome> Client::post_review(const Change& change, const std::string& revision, const Review& review) {
  if (change.revision != revision)
    return fail(ErrorKind::conflict, "review of change {}: patch set {} is newer than the one that was tested",
                change.number, change.patchset);
  const auto post = [&](const Review& what, bool with_labels) {
    return send({.method = "POST",
                 .url = fmt::format("/changes/{}/revisions/{}/review", change.number, url_encode(revision)),
                 .headers = {{"Content-Type", "application/json; charset=UTF-8"}},
                 .body = dump_json(review_json(what, change, with_labels))});
  };
  ReviewOutcome outcome;
  auto answer = post(review, true);
  if (!answer && !review.labels.empty()) {
    const ErrorKind kind = answer.error().kind;
    // 403 no right to vote, 409 closed for this vote, 400 bad label: Gerrit took nothing, the message neither.
    if (kind == ErrorKind::denied || kind == ErrorKind::conflict || kind == ErrorKind::bad_data) {
      outcome.vote_problem = answer.error().message;
      Review without = review;
      std::string names;
      for (const auto& [label, value] : review.labels) names += (names.empty() ? "" : ", ") + label;
      without.message = fmt::format("[NOTICE]: bowsprit may not vote on {}.\n\n{}", names, review.message);
      answer = post(without, false);
    }
  }
  if (!answer) return std::unexpected(std::move(answer).error());
  if (!outcome.vote_problem.empty()) return outcome;
  // An unknown label, or a value outside its range, is dropped without a word: only the answer tells.
  const Json& labels = json_get(*answer, "labels");
  outcome.voted = true;
  for (const auto& [label, value] : review.labels) {
    if (json_int(labels, label, -1000) == value) continue;
    outcome.voted = false;
    outcome.vote_problem = fmt::format("Gerrit dropped the vote {}={:+}: no such label or value", label, value);
  }
  return outcome;
}

}  // namespace bowsprit::gerrit
