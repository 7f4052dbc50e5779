// SPDX-License-Identifier: Apache-2.0
#include "gerrit/file_lines.h"

namespace bowsprit::gerrit {

Result<FileLines> file_lines_from_json(const Json& diff) {
  FileLines file;
  if (json_bool(diff, "binary")) return file;
  const Json& content = json_get(diff, "content");
  if (!content.is_array()) return fail(ErrorKind::bad_data, "read a diff: no array 'content'");
  for (const auto& part : content) {
    // Lines that are left out would shift the numbers of all that follow.
    if (!part.is_object() || part.contains("skip"))
      return fail(ErrorKind::bad_data, "read a diff: it is not of the whole file");
    // "common": the two sides differ, but only in what was asked to be ignored.
    const bool same = !part.contains("b") || json_bool(part, "common");
    const Json& lines = json_get(part, part.contains("b") ? "b" : "ab");
    if (!lines.is_array()) continue;  // only "a": lines that are gone
    for (const auto& line : lines) {
      if (!line.is_string()) return fail(ErrorKind::bad_data, "read a diff: a line is {}", line.type_name());
      file.lines.push_back(line.get<std::string>());
      file.changed.push_back(!same);
    }
  }
  return file;
}

}  // namespace bowsprit::gerrit
