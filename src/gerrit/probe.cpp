// SPDX-License-Identifier: Apache-2.0
// For tests/functional/test_gerrit.py only: one call of the Gerrit client, told as JSON on stdin, its outcome as JSON on stdout.
//   {"call": "review", "url": "http://...", "user": "ci", "password": "...", "change": 7, "message": "...", "labels": {"Verified": 1}}
// An error of the client is {"error": {"kind": "...", "text": "..."}}. `stream` prints one line per event instead, until it is killed.
#include <unistd.h>

#include <cstdio>

#include "base/strings.h"
#include "gerrit/client.h"
#include "gerrit/event_stream.h"
#include "os/fd.h"

namespace bowsprit::gerrit {
namespace {

Json to_json(const Change& change) {
  Json files = Json::array();
  for (const auto& file : change.files)
    files.push_back({{"path", file.path}, {"old_path", file.old_path}, {"status", std::string(1, file.status)}});
  Json messages = Json::array();
  for (const auto& message : change.messages)
    messages.push_back({{"id", message.id},
                        {"author", message.author},
                        {"patchset", message.patchset},
                        {"tag", message.tag},
                        {"text", message.text}});
  return {{"number", change.number},
          {"project", change.project},
          {"branch", change.branch},
          {"status", change.status},
          {"work_in_progress", change.work_in_progress},
          {"is_private", change.is_private},
          {"patchset", change.patchset},
          {"revision", change.revision},
          {"ref", change.ref},
          {"updated", rfc3339(change.updated)},
          {"meta_rev", change.meta_rev},
          {"topic", change.topic},
          {"subject", change.subject},
          {"owner", change.owner.username},
          {"parents", change.parents},
          {"files", files},
          {"messages", messages},
          {"labels", change.label_values}};
}

Result<Json> review(Client& client, const Json& call) {
  TRY_ASSIGN(const auto change, client.change(static_cast<int>(json_int(call, "change"))));
  Review what;
  what.message = json_string(call, "message");
  for (const auto& [label, value] : json_get(call, "labels").items()) what.labels[label] = value.get<int>();
  for (const auto& comment : json_get(call, "comments"))
    what.comments.push_back(
        {json_string(comment, "file"), static_cast<int>(json_int(comment, "line")), json_string(comment, "message")});
  TRY_ASSIGN(const auto outcome, client.post_review(change, json_string(call, "revision", change.revision), what));
  return Json{{"voted", outcome.voted},
              {"vote_problem", outcome.vote_problem},
              {"shortened", outcome.shortened},
              {"comments_left_out", outcome.comments_left_out}};
}

Result<Json> answer(const Json& call) {
  TRY_ASSIGN(auto client, Client::create({.url = json_string(call, "url"),
                                          .user = json_string(call, "user"),
                                          .password = Secret(json_string(call, "password")),
                                          .page = static_cast<std::size_t>(json_int(call, "page", 100))}));
  const std::string what = json_string(call, "call");
  if (what == "review") return review(client, call);
  if (what == "self") {
    TRY_ASSIGN(const auto self, client.self());
    return Json{{"id", self.id}, {"username", self.username}};
  }
  if (what == "change") {
    TRY_ASSIGN(const auto change, client.change(static_cast<int>(json_int(call, "change"))));
    return to_json(change);
  }
  if (what == "tip") {
    TRY_ASSIGN(auto tip, client.branch_tip(json_string(call, "project"), json_string(call, "branch")));
    return Json(std::move(tip));
  }
  if (what == "query") {
    TRY_ASSIGN(const auto changes,
               client.query_changes(json_string(call, "project"), parse_time(json_string(call, "since")),
                                    static_cast<std::size_t>(json_int(call, "limit"))));
    Json list = Json::array();
    for (const auto& change : changes) list.push_back(to_json(change));
    return list;
  }
  return fail(ErrorKind::usage, "unknown call '{}'", what);
}

void print(const Json& json) {
  std::puts(dump_json(json).c_str());
  std::fflush(stdout);
}

int stream(const Json& call) {
  const EventStream events({.host = "127.0.0.1",
                            .port = static_cast<int>(json_int(call, "port")),
                            .user = json_string(call, "user"),
                            .key_file = json_string(call, "key"),
                            .known_hosts = json_string(call, "known_hosts")},
                           [](const Event& event) {
                             print({{"type", event.type},
                                    {"project", event.project},
                                    {"change", event.change},
                                    {"ref", event.ref},
                                    {"at", static_cast<double>(unix_millis(SystemClock::now())) / 1000.0}});
                           });
  while (true) ::pause();
}

std::string read_stdin() {
  std::string text;
  std::array<char, 65536> buffer{};
  while (true) {
    const auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

int main_of_probe() {
  const auto call = parse_json(read_stdin());
  if (!call) return 2;
  if (json_string(*call, "call") == "stream") return stream(*call);
  const auto outcome = answer(*call);
  if (outcome)
    print(*outcome);
  else
    print({{"error", {{"kind", to_string(outcome.error().kind)}, {"text", outcome.error().text()}}}});
  return 0;
}

}  // namespace
}  // namespace bowsprit::gerrit

int main() { return bowsprit::gerrit::main_of_probe(); }
