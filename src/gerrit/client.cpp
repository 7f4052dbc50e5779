// SPDX-License-Identifier: Apache-2.0
#include "gerrit/client.h"

#include <algorithm>
#include <ctime>
#include <set>

#include "base/log.h"
#include "base/strings.h"
#include "gerrit/change_json.h"
#include "os/files.h"

namespace bowsprit::gerrit {
namespace {

constexpr std::string_view kQueryOptions =
    "&o=CURRENT_REVISION&o=CURRENT_COMMIT&o=CURRENT_FILES&o=MESSAGES&o=LABELS&o=DETAILED_ACCOUNTS&o=SKIP_DIFFSTAT";
constexpr int kReadings = 5;                   // of a list that changes while it is read
constexpr std::size_t kMostPages = 1000;       // of a server that never says it was the last
constexpr std::size_t kMessageLimit = 16'000;  // Gerrit's change.commentSizeLimit is 16384 by default
constexpr std::size_t kCommentLimit = 4'000;
constexpr std::size_t kShortMessage = 1'000;

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

Json review_json(const Review& review) {
  Json body = {
      {"message", shorten(review.message, kMessageLimit)}, {"tag", review.tag}, {"omit_duplicate_comments", true}};
  for (const auto& [label, value] : review.labels) body["labels"][label] = value;
  for (const auto& comment : review.comments) {
    // Unresolved ones would block the submit of the change until somebody closes each.
    Json item = {{"message", shorten(comment.message, kCommentLimit)}, {"unresolved", false}};
    if (comment.line > 0) item["line"] = comment.line;
    body["comments"][comment.file].push_back(std::move(item));
  }
  return body;
}

/// Leaves out comments on files that the patch set does not have, or deletes; how many.
std::size_t drop_unknown_files(Review& review, const Change& change) {
  return std::erase_if(review.comments, [&](const InlineComment& comment) {
    const auto file = std::ranges::find(change.files, comment.file, &ChangedFile::path);
    return file == change.files.end() || file->status == 'D';
  });
}

/// The review in little: first lines, and the last one, by which the caller finds it again.
Review cut(Review review) {
  review.comments.clear();
  const std::string_view text = trim(review.message);
  const auto last = text.rfind('\n');
  if (text.size() <= kShortMessage || last == std::string_view::npos) return review;
  review.message = fmt::format("{}\n\n(Gerrit refused the whole report for its size.)\n\n{}",
                               shorten(text, kShortMessage), shorten(text.substr(last + 1), kShortMessage));
  return review;
}

/// Gerrit's own words, in 3.10 to 3.13: a comment over its limit, or a change whose comments are 3 MiB together.
bool is_too_large(const net::HttpResponse& answer) {
  return answer.status == 413 ||
         (answer.status == 400 && (answer.body.find("exceeds limit") != std::string::npos ||
                                   answer.body.find("maximum cumulative size") != std::string::npos));
}

/// No right to vote; closed for this vote; no such label. Gerrit took nothing then, the message neither.
bool is_refused_vote(int status) { return status == 400 || status == 403 || status == 409; }

Result<Json> json_of(const net::HttpRequest& request, const net::HttpResponse& response) {
  if (!response.ok()) return std::unexpected(net::status_error(request, response));
  if (response.status == 204) return Json();
  auto json = parse_json(strip_xssi(response.body));
  if (!json)
    return std::unexpected(
        std::move(json).error().with("answer of {} {}", request.method, request.url.substr(0, request.url.find('?'))));
  return json;
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
  http.ca_file = options.ca_file.string();
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
    http.cookie = Secret("o=" + *cookie);
    anonymous = false;
  }
  return Client(std::move(url), anonymous, options, net::HttpClient(std::move(http)));
}

Result<net::HttpResponse> Client::send(net::HttpRequest& request) {
  request.url = url_ + (anonymous_ ? "" : "/a") + request.url;
  request.timeout = timeout_;
  const auto now = std::chrono::steady_clock::now();
  if (now < quiet_until_)
    return fail(ErrorKind::unavailable, "{} {}: not sent, Gerrit asked to be left alone for {} more", request.method,
                request.url.substr(0, request.url.find('?')),
                format_duration(std::chrono::ceil<seconds>(quiet_until_ - now)));
  auto response = http_.send(request);
  if (response && (response->status == 429 || response->status == 503))
    quiet_until_ = now + response->retry_after(SystemClock::now()).value_or(seconds(0));
  return response;
}

Result<Json> Client::get(const std::string& path) {
  net::HttpRequest request{.url = path};
  TRY_ASSIGN(const auto response, send(request));
  return json_of(request, response);
}

Result<Account> Client::self() {
  TRY_ASSIGN(const Json json, get("/accounts/self"));
  return account_of(json);
}

Result<Account> Client::account(const std::string& name) {
  TRY_ASSIGN(const Json json, get("/accounts/" + url_encode(name)));
  Account account = account_of(json);
  if (account.id == 0) return fail(ErrorKind::bad_data, "read account '{}': no _account_id in the answer", name);
  return account;
}

Result<std::vector<Account>> Client::group_members(const std::string& group) {
  TRY_ASSIGN(const Json json, get(fmt::format("/groups/{}/members/?recursive", url_encode(group))));
  std::vector<Account> members;
  if (!json.is_array()) return fail(ErrorKind::bad_data, "read group '{}': expected an array", group);
  for (const auto& item : json)
    if (Account account = account_of(item); account.id != 0) members.push_back(std::move(account));
  return members;
}

Result<std::vector<Change>> Client::query_changes(const std::string& project, std::optional<SystemTime> since,
                                                  std::size_t limit) {
  std::string query = fmt::format("project:\"{}\"", replace_all(project, "\"", ""));
  if (since) {
    query += fmt::format(" after:\"{}\"", query_time(*since));
    limit = 0;
  }
  for (int reading = 0; reading < kReadings; ++reading) {
    auto changes = read_pages(query, limit);
    if (!changes) return std::unexpected(std::move(changes).error().with("query changes of '{}'", project));
    if (!*changes) continue;
    // An unknown project gives an empty list like a quiet one.
    if ((*changes)->empty() && !since) TRY(get("/projects/" + url_encode(project)));
    return std::move(**changes);
  }
  return fail(ErrorKind::unavailable, "query changes of '{}': the list changed each of {} times that it was read",
              project, kReadings);
}

Result<std::optional<std::vector<Change>>> Client::read_pages(const std::string& query, std::size_t limit) {
  std::vector<Change> changes;
  std::set<int> seen;  // a change that is touched between two pages comes twice
  int last = 0;
  std::size_t start = 0;
  for (std::size_t page_number = 0; page_number < kMostPages; ++page_number) {
    // Pages overlap by one: where a change has left the list meanwhile, the others moved up and one was never seen.
    const std::size_t overlap = page_number > 0 ? 1 : 0;
    const std::size_t count = limit > 0 ? std::min(page_, limit - changes.size()) : page_;
    TRY_ASSIGN(const Json page, get(fmt::format("/changes/?q={}&n={}&S={}{}", url_encode(query), count + overlap,
                                                start - overlap, kQueryOptions)));
    if (!page.is_array()) return fail(ErrorKind::bad_data, "expected an array, got {}", page.type_name());
    if (overlap > 0 && (page.empty() || json_int(page.front(), "_number") != last)) {
      // Pushed down is fine: what was at this place came before already.
      const bool known = !page.empty() && seen.contains(static_cast<int>(json_int(page.front(), "_number")));
      if (!known) return std::nullopt;
    }
    for (const auto& item : page) {
      last = static_cast<int>(json_int(item, "_number"));
      if (!seen.insert(last).second) continue;
      auto change = change_from_json(item);
      if (change)
        changes.push_back(std::move(*change));
      else
        log_warn("gerrit", "left out: {}", change.error().text());
    }
    const bool more = !page.empty() && json_bool(page.back(), "_more_changes") && page.size() > overlap;
    start += page.size() - std::min(page.size(), overlap);
    if (!more || (limit > 0 && changes.size() >= limit)) return changes;
  }
  return fail(ErrorKind::bad_data, "more than {} pages", kMostPages);
}

Result<Change> Client::change(int number) {
  TRY_ASSIGN(const Json json, get(fmt::format("/changes/{}?{}", number, kQueryOptions.substr(1))));
  TRY_ASSIGN(auto change, change_from_json(json));
  TRY_ASSIGN(const Json comments, get(fmt::format("/changes/{}/comments", number)));
  add_patchset_comments(change, comments);
  return change;
}

Result<std::string> Client::branch_tip(const std::string& project, const std::string& branch) {
  TRY_ASSIGN(const Json json, get(fmt::format("/projects/{}/branches/{}", url_encode(project), url_encode(branch))));
  std::string revision = json_string(json, "revision");
  if (revision.empty())
    return fail(ErrorKind::bad_data, "read branch '{}' of '{}': no revision in the answer", branch, project);
  return revision;
}

Result<FileLines> Client::file_lines(const Change& change, const std::string& path) {
  TRY_ASSIGN(const Json diff,
             get(fmt::format("/changes/{}/revisions/{}/files/{}/diff?context=ALL&whitespace=IGNORE_NONE", change.number,
                             url_encode(change.revision), url_encode(path))));
  return file_lines_from_json(diff);
}

Result<ReviewOutcome> Client::post_review(const Change& change, const std::string& revision, const Review& review) {
  if (change.revision != revision)
    return fail(ErrorKind::conflict, "review of change {}: patch set {} is newer than the one that was tested",
                change.number, change.patchset);
  net::HttpRequest request;
  const auto post = [&](const Review& what) {
    request = {.method = "POST",
               .url = fmt::format("/changes/{}/revisions/{}/review", change.number, url_encode(revision)),
               .headers = {{"Content-Type", "application/json; charset=UTF-8"}},
               .body = dump_json(review_json(what))};
    return send(request);
  };
  ReviewOutcome outcome;
  Review now = review;
  outcome.comments_left_out = drop_unknown_files(now, change);
  TRY_ASSIGN(auto answer, post(now));
  if (is_too_large(answer)) {
    outcome.shortened = true;
    now = cut(std::move(now));
    TRY_ASSIGN(answer, post(now));
  }
  if (answer.status == 400 && !now.comments.empty()) {
    log_warn("gerrit", "change {}: posted without its {} comments on lines, which Gerrit refused: {}", change.number,
             now.comments.size(), shorten(printable(trim(answer.body)), 200));
    outcome.comments_left_out += now.comments.size();
    now.comments.clear();
    TRY_ASSIGN(answer, post(now));
  }
  if (!now.labels.empty() && is_refused_vote(answer.status)) {
    const std::string why = shorten(printable(trim(answer.body)), 200);
    outcome.vote_problem = why;
    std::vector<std::string> names;
    for (const auto& [label, value] : now.labels) names.push_back(label);
    now.labels.clear();
    now.message =
        fmt::format("[NOTICE]: no vote on {}: {}\n\n{}", join(names, ", "), replace_all(why, "\n", " "), now.message);
    TRY_ASSIGN(answer, post(now));
  }
  TRY_ASSIGN(const Json json, json_of(request, answer));
  if (!outcome.vote_problem.empty()) return outcome;
  // An unknown label, or a value outside its range, may be dropped without a word: only the answer tells.
  const Json& labels = json_get(json, "labels");
  outcome.voted = !review.labels.empty();
  for (const auto& [label, value] : review.labels) {
    const Json& got = json_get(labels, label);
    if (got.is_number_integer() && got.get<std::int64_t>() == value) continue;
    outcome.voted = false;
    outcome.vote_problem = fmt::format("Gerrit dropped the vote {}={:+}: no such label or value", label, value);
  }
  return outcome;
}

}  // namespace bowsprit::gerrit
