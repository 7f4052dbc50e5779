// SPDX-License-Identifier: Apache-2.0
/// Gerrit's JSON to values (rest-api-changes: ChangeInfo). Foreign input: never throws. What is absent stays empty, but for what
/// later stages rely on: number, project, branch, time, current patch set and its ref must be there and harmless as arguments of git.
/// Pure. Threads: any.
#pragma once

#include "base/json.h"
#include "gerrit/change.h"

namespace bowsprit::gerrit {

/// The text without Gerrit's ")]}'" line.
std::string_view strip_xssi(std::string_view text);
/// AccountInfo; the id of what is none is 0.
Account account_of(const Json& json);
/// @error bad_data  which field of which change, what was expected, and what is there
Result<Change> change_from_json(const Json& json);
/// Adds the /PATCHSET_LEVEL entries of GET /changes/ID/comments to the messages, and sorts all by date.
void add_patchset_comments(Change& change, const Json& comments);

}  // namespace bowsprit::gerrit
