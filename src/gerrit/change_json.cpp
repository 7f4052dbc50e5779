// SPDX-License-Identifier: Apache-2.0
#include "gerrit/change_json.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"

namespace bowsprit::gerrit {
namespace {

SystemTime time_of(const Json& json, std::string_view key) {
  return parse_time(json_string(json, key)).value_or(SystemTime{});
}

/// A positive number that fits; 0 else.
int number_of(const Json& json, std::string_view key) {
  const std::int64_t number = json_int(json, key);
  return number > 0 && number <= std::numeric_limits<int>::max() ? static_cast<int>(number) : 0;
}

bool is_sha(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Names that go on to git as arguments: no option, no control characters, no revision syntax.
bool is_safe_name(std::string_view text) {
  return !text.empty() && text.size() < 1000 && !text.starts_with('-') && !text.starts_with('/') &&
         text.find("..") == std::string::npos &&
         std::ranges::none_of(text, [](char c) { return (c >= 0 && c <= ' ') || c == 127 || c == '\\' || c == ':'; });
}

/// ChangeMessageInfo and CommentInfo differ in the names of two fields.
Message message_of(const Json& json, std::string_view patchset, std::string_view date) {
  return {json_string(json, "id"),   number_of(json_get(json, "author"), "_account_id"),
          number_of(json, patchset), time_of(json, date),
          json_string(json, "tag"),  json_string(json, "message")};
}

/// The elements of an array; of anything else none (nlohmann would give a lone value as its own element).
const Json& elements(const Json& json) {
  static const Json none = Json::array();
  return json.is_array() ? json : none;
}

std::string excerpt(const Json& json) { return shorten(dump_json(json), 200); }

void read_revision(const Json& revision, Change& change) {
  change.patchset = number_of(revision, "_number");
  change.ref = json_string(revision, "ref");
  change.patchset_created = time_of(revision, "created");
  change.uploader = account_of(json_get(revision, "uploader"));
  const Json& commit = json_get(revision, "commit");
  change.commit_message = json_string(commit, "message");
  for (const auto& parent : elements(json_get(commit, "parents")))
    change.parents.push_back(json_string(parent, "commit"));
  const Json& files = json_get(revision, "files");
  if (!files.is_object()) return;
  for (const auto& [path, file] : files.items()) {
    if (path == "/COMMIT_MSG" || path == "/MERGE_LIST") continue;
    const std::string status = json_string(file, "status", "M");
    change.files.push_back({path, json_string(file, "old_path"), status.empty() ? 'M' : status[0]});
  }
}

}  // namespace

Account account_of(const Json& json) {
  return {number_of(json, "_account_id"), json_string(json, "name"), json_string(json, "email"),
          json_string(json, "username")};
}

std::string_view strip_xssi(std::string_view text) {
  if (!text.starts_with(")]}'")) return text;
  text.remove_prefix(4);
  return text.substr(std::min(text.size(), text.find_first_not_of("\r\n")));
}

Result<Change> change_from_json(const Json& json) {
  Change change;
  change.number = number_of(json, "_number");
  change.project = json_string(json, "project");
  change.branch = json_string(json, "branch");
  if (change.number == 0 || change.project.empty() || change.branch.empty())
    return fail(ErrorKind::bad_data, "read a change: expected an object with _number, project and branch, got {}",
                excerpt(json));
  const auto bad = [&](std::string_view field, std::string_view expected, const Json& got) {
    return fail(ErrorKind::bad_data, "read change {}: {}: expected {}, got {}", change.number, field, expected,
                excerpt(got));
  };
  if (!is_safe_name(change.project)) return bad("project", "a name of a repository", json_get(json, "project"));
  if (!is_safe_name(change.branch)) return bad("branch", "a name of a branch", json_get(json, "branch"));
  change.change_id = json_string(json, "change_id");
  change.topic = json_string(json, "topic");
  change.subject = json_string(json, "subject");
  change.status = json_string(json, "status");
  change.work_in_progress = json_bool(json, "work_in_progress");
  change.is_private = json_bool(json, "is_private");
  change.owner = account_of(json_get(json, "owner"));
  const auto updated = parse_time(json_string(json, "updated"));
  if (!updated) return bad("updated", "a time", json_get(json, "updated"));
  change.updated = *updated;
  change.submitted = time_of(json, "submitted");
  change.meta_rev = json_string(json, "meta_rev_id");
  change.revision = json_string(json, "current_revision");
  if (!is_sha(change.revision)) return bad("current_revision", "a commit id", json_get(json, "current_revision"));
  const Json& revision = json_get(json_get(json, "revisions"), change.revision);
  read_revision(revision, change);
  const std::string where = "revisions." + change.revision;
  if (change.patchset == 0) return bad(where + "._number", "a number", revision);
  if (!change.ref.starts_with("refs/changes/") || !is_safe_name(change.ref))
    return bad(where + ".ref", "refs/changes/...", json_get(revision, "ref"));
  for (const auto& item : elements(json_get(json, "messages")))
    change.messages.push_back(message_of(item, "_revision_number", "date"));
  std::ranges::stable_sort(change.messages, {}, &Message::date);
  const Json& labels = json_get(json, "labels");
  if (labels.is_object()) {
    for (const auto& [name, label] : labels.items()) {
      auto& values = change.label_values[name];
      const Json& allowed = json_get(label, "values");
      if (!allowed.is_object()) continue;
      for (const auto& [value, text] : allowed.items())
        if (const auto number = parse_int(trim(value))) values.push_back(static_cast<int>(*number));
    }
  }
  return change;
}

void add_patchset_comments(Change& change, const Json& comments) {
  for (const auto& item : elements(json_get(comments, "/PATCHSET_LEVEL")))
    change.messages.push_back(message_of(item, "patch_set", "updated"));
  std::ranges::stable_sort(change.messages, {}, &Message::date);
}

}  // namespace bowsprit::gerrit
