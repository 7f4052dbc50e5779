// SPDX-License-Identifier: Apache-2.0
#include "gerrit/change_json.h"

#include <algorithm>

#include "base/strings.h"

namespace bowsprit::gerrit {
namespace {

SystemTime time_of(const Json& json, std::string_view key) {
  return parse_time(json_string(json, key)).value_or(SystemTime{});
}

Account account_of(const Json& json) {
  return {static_cast<int>(json_int(json, "_account_id")), json_string(json, "name"), json_string(json, "email"),
          json_string(json, "username")};
}

void read_revision(const Json& revision, Change& change) {
  change.patchset = static_cast<int>(json_int(revision, "_number"));
  change.ref = json_string(revision, "ref");
  change.patchset_created = time_of(revision, "created");
  change.uploader = account_of(json_get(revision, "uploader"));
  const Json& commit = json_get(revision, "commit");
  change.commit_message = json_string(commit, "message");
  for (const auto& parent : json_get(commit, "parents")) change.parents.push_back(json_string(parent, "commit"));
  const Json& files = json_get(revision, "files");
  if (!files.is_object()) return;
  for (const auto& [path, file] : files.items()) {
    if (path == "/COMMIT_MSG" || path == "/MERGE_LIST") continue;
    const std::string status = json_string(file, "status", "M");
    change.files.push_back({path, json_string(file, "old_path"), status.empty() ? 'M' : status[0]});
  }
}

}  // namespace

std::string_view strip_xssi(std::string_view text) {
  if (!text.starts_with(")]}'")) return text;
  text.remove_prefix(4);
  return text.substr(std::min(text.size(), text.find_first_not_of("\r\n")));
}

Result<Change> change_from_json(const Json& json) {
  Change change;
  change.number = static_cast<int>(json_int(json, "_number"));
  change.project = json_string(json, "project");
  change.branch = json_string(json, "branch");
  if (change.number <= 0 || change.project.empty() || change.branch.empty())
    return fail(ErrorKind::bad_data, "read a change: expected an object with _number, project and branch, got {}",
                shorten(dump_json(json), 200));
  change.change_id = json_string(json, "change_id");
  change.topic = json_string(json, "topic");
  change.subject = json_string(json, "subject");
  change.status = json_string(json, "status");
  change.work_in_progress = json_bool(json, "work_in_progress");
  change.is_private = json_bool(json, "is_private");
  change.owner = account_of(json_get(json, "owner"));
  change.updated = time_of(json, "updated");
  change.meta_rev = json_string(json, "meta_rev_id");
  change.revision = json_string(json, "current_revision");
  const Json& revision = json_get(json_get(json, "revisions"), change.revision);
  if (revision.is_object()) read_revision(revision, change);
  for (const auto& item : json_get(json, "messages"))
    change.messages.push_back({json_string(item, "id"),
                               static_cast<int>(json_int(json_get(item, "author"), "_account_id")),
                               static_cast<int>(json_int(item, "_revision_number")), time_of(item, "date"),
                               json_string(item, "tag"), json_string(item, "message")});
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
  for (const auto& item : json_get(comments, "/PATCHSET_LEVEL"))
    change.messages.push_back({json_string(item, "id"),
                               static_cast<int>(json_int(json_get(item, "author"), "_account_id")),
                               static_cast<int>(json_int(item, "patch_set")), time_of(item, "updated"),
                               json_string(item, "tag"), json_string(item, "message")});
  std::ranges::stable_sort(change.messages, {}, &Message::date);
}

}  // namespace bowsprit::gerrit
