// SPDX-License-Identifier: Apache-2.0
/// A file of a patch set, line by line, and which lines are the patch set's own (Gerrit REST, rest-api-changes: DiffInfo).
/// Does not: talk to Gerrit (Client::file_lines does). Threads: plain values.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace bowsprit::gerrit {

struct FileLines {
  std::vector<std::string> lines;  ///< as the patch set leaves the file; none where it is binary
  std::vector<bool> changed;       ///< added or changed against the parent; as long as `lines`
};

/// @error bad_data  no DiffInfo of a whole file
Result<FileLines> file_lines_from_json(const Json& diff);

}  // namespace bowsprit::gerrit
