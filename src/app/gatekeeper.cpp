// SPDX-License-Identifier: Apache-2.0
#include "app/gatekeeper.h"

#include <algorithm>

#include "base/log.h"
#include "report/inline_comments.h"

namespace bowsprit::app {
namespace {

constexpr milliseconds kFirstRetry{2'000};
constexpr milliseconds kLongestRetry{60'000};
constexpr milliseconds kTrustedFor{60'000};  // a new member of the group is known within a minute

/// A pause that doubles with each failure in a row.
milliseconds backoff(int failures) {
  milliseconds pause = kFirstRetry;
  for (int i = 1; i < failures && pause < kLongestRetry; ++i) pause *= 2;
  return std::min(pause, kLongestRetry);
}

/// A message that came with inline or patch-set-level comments says so in brackets: "(1 comment)".
bool mentions_comments(const gerrit::Change& change) {
  return std::ranges::any_of(change.messages, [&](const gerrit::Message& message) {
    return message.patchset == change.patchset && (message.text.find(" comment)") != std::string::npos ||
                                                   message.text.find(" comments)") != std::string::npos);
  });
}

/// What the report says on lines of the patch set. It is an extra: where Gerrit does not give a file, its findings stay in the message alone.
report::Placement placement_of(gerrit::Client& client, const gerrit::Change& change, const store::Report& report) {
  if (change.revision != report.revision) return {};
  const auto findings = report::read_findings(report.findings);
  std::map<std::string, report::PatchSetFile> files;
  for (const auto& file : change.files) {
    if (file.status == 'D' || std::ranges::find(findings, file.path, &report::Finding::file) == findings.end())
      continue;
    if (auto lines = client.file_lines(change, file.path))
      files[file.path] = {std::move(lines->lines), std::move(lines->changed)};
    else
      log_warn("gerrit", "change {}: no comments on {}: {}", change.number, file.path, lines.error().text());
  }
  return report::place_comments(findings, files, {report.comment_keys.begin(), report.comment_keys.end()});
}

}  // namespace

Watcher::Watcher(Options options, Deliver deliver)
    : options_(std::move(options)), deliver_(std::move(deliver)), thread_([this] { loop(); }) {}

Watcher::~Watcher() {
  wakes_.push(std::nullopt);
  thread_.join();
}

void Watcher::wake(std::string project) { wakes_.push(std::move(project)); }

void Watcher::loop() {
  std::optional<gerrit::Client> client;
  std::string told;
  int failures = 0;
  while (true) {
    const auto round = [&]() -> Result<> {
      if (!client) {
        TRY_ASSIGN(client, gerrit::Client::create(options_.client));
        if (!client->anonymous()) {
          TRY_ASSIGN(const auto self, client->self());
          own_account_ = self.id;
        }
      }
      TRY(learn_trusted(*client));
      for (auto& project : options_.projects) TRY(poll(*client, project));
      return {};
    };
    ++counters_.polls;
    milliseconds pause = options_.interval;
    if (auto done = round(); !done) {
      ++counters_.failures;
      pause = std::min(backoff(++failures), options_.interval);
      if (done.error().text() != told) {
        told = done.error().text();
        log_warn("gerrit", "{}; trying again", told);
      }
      if (!done.error().retryable()) client.reset();  // new credentials may be in the files by then
    } else {
      if (!told.empty()) log_info("gerrit", "{} answers again", options_.client.url);
      told.clear();
      failures = 0;
      counters_.last_success = unix_seconds(SystemClock::now());
    }
    auto wake = wakes_.pop_until(std::chrono::steady_clock::now() + pause);
    while (wake) {  // one poll answers all wakes that came meanwhile
      if (!*wake) return;
      wake = wakes_.pop_until(std::chrono::steady_clock::now());
    }
  }
}

Result<> Watcher::learn_trusted(gerrit::Client& client) {
  const auto& triggers = options_.triggers;
  const auto now = std::chrono::steady_clock::now();
  if (now < trusted_until_ || (triggers.group.empty() && triggers.trusted.empty())) return {};
  std::set<int> trusted;
  for (const auto& name : triggers.trusted) {
    const auto account = client.account(name);
    if (!account) return std::unexpected(Error(account.error()).with("read account '{}' of triggers.trusted", name));
    trusted.insert(account->id);
  }
  if (!triggers.group.empty()) {
    const auto members = client.group_members(triggers.group);
    if (!members)
      return std::unexpected(
          Error(members.error())
              .with("read the members of triggers.group '{}', which must be visible to this account", triggers.group));
    for (const auto& member : *members) trusted.insert(member.id);
  }
  trusted_ = std::move(trusted);
  trusted_until_ = now + kTrustedFor;
  return {};
}

Result<> Watcher::poll(gerrit::Client& client, Project& project) {
  if (!project.start) {
    // By Gerrit's clock, not ours: what was written after its newest change is ours to test, what is older is not.
    TRY_ASSIGN(const auto newest, client.query_changes(project.name, std::nullopt, 1));
    const auto now = SystemClock::now();
    project.start = newest.empty() ? now - seconds(60) : newest.front().updated;
    if (!newest.empty() && newest.front().updated + seconds(60) < now) *project.start += seconds(1);
    project.position = project.start;
  }
  if (!project.cursor) project.cursor.emplace(project.position.value_or(*project.start));
  TRY_ASSIGN(auto answer, client.query_changes(project.name, project.cursor->since()));
  Polled polled{project.name, {}, *project.start, {}, own_account_, trusted_};
  for (auto& change : project.cursor->news(std::move(answer))) {
    if (mentions_comments(change)) {
      auto whole = client.change(change.number);
      if (!whole && whole.error().kind == ErrorKind::not_found) continue;
      if (!whole)
        return std::unexpected(std::move(whole).error());  // nothing was accepted: the next poll has all of it
      change = std::move(*whole);
    }
    polled.changes.push_back(std::move(change));
  }
  project.cursor->accept(polled.changes, SystemClock::now());
  polled.position = project.cursor->position();
  const bool news = polled.position != project.position || !polled.changes.empty() || !project.delivered;
  project.position = polled.position;
  project.delivered = true;
  if (news) deliver_(std::move(polled));
  return {};
}

Reporter::Reporter(gerrit::ClientOptions client, Deliver deliver)
    : options_(std::move(client)), deliver_(std::move(deliver)), thread_([this] { loop(); }) {}

Reporter::~Reporter() {
  queue_.push(std::nullopt);
  thread_.join();
}

void Reporter::loop() {
  while (true) {
    auto next = queue_.pop_until(std::chrono::steady_clock::now() + std::chrono::hours(1));
    if (!next) continue;
    if (!*next) return;
    store::Report report = std::move(**next);
    auto client = gerrit::Client::create(options_);
    if (client) {
      post_report(*client, report);
    } else {
      report.state = store::Report::State::waiting;
      report.error = client.error().text();
      report.not_before = SystemClock::now() + backoff(report.tries);
    }
    deliver_(Posted{std::move(report)});
  }
}

void post_report(gerrit::Client& client, store::Report& report) {
  using State = store::Report::State;
  report.error.clear();
  const auto failed = [&](const Error& error, bool final) {
    report.state = final ? State::dropped : State::waiting;
    report.error = error.text();
    report.not_before = SystemClock::now() + backoff(report.tries);
  };
  const auto change = client.change(report.change);
  // Deleted, or made private: nobody is there to be told.
  if (!change) return failed(change.error(), change.error().kind == ErrorKind::not_found);
  const bool arrived = report.tries > 1 && std::ranges::any_of(change->messages, [&](const gerrit::Message& message) {
                         return message.text.find("bowsprit-report: " + report.key) != std::string::npos;
                       });
  const auto placement = placement_of(client, *change, report);
  report.comment_keys.clear();
  for (const auto& comment : placement.comments) report.comment_keys.push_back(comment.key);
  if (arrived) {
    report.state = State::sent;
    report.error = "an earlier try had arrived";
    return;
  }
  gerrit::Review review;
  review.message = report::with_rest(report.message, placement.rest, report::Options{}.limit);
  for (const auto& comment : placement.comments) review.comments.push_back({comment.file, comment.line, comment.text});
  if (report.with_vote && !report.label.empty() && report.vote != 0) review.labels[report.label] = report.vote;
  const auto outcome = client.post_review(*change, report.revision, review);
  if (!outcome) {
    const ErrorKind kind = outcome.error().kind;
    return failed(outcome.error(),
                  kind == ErrorKind::conflict || kind == ErrorKind::not_found || kind == ErrorKind::bad_data);
  }
  report.state = State::sent;
  report.error = outcome->vote_problem;
  if (outcome->shortened || outcome->comments_left_out > 0) report.comment_keys.clear();  // they may be said yet
}

}  // namespace bowsprit::app
