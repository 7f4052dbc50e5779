// SPDX-License-Identifier: Apache-2.0
/// What is wrong with a user's file, and where. A reader collects all of them, so that a person mends a file once.
/// Threads: values.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace bowsprit::yaml {

enum class Severity { error, warning };
std::string_view to_string(Severity severity);

struct Problem {
  Severity severity = Severity::error;
  SourceMark mark;
  std::string path;   ///< "presubmits[https://host/linux][0].name"; empty at the top of a document
  std::string text;   ///< "expected a whole number, got \"many\""
  std::string check;  ///< name of the check that warns, as Prow's checkconfig has it; empty for errors

  /// "file:line:col: path: text", with the severity of a warning and the check's name where there is one.
  [[nodiscard]] std::string line() const;
};
using Problems = std::vector<Problem>;

/// Adds a key or an index to a path: `a`, `a.b`, `a[2]`, and `a[https://host/x]` for keys that are not plain words.
void append_path(std::string& path, std::string_view key);
void append_path(std::string& path, std::size_t index);

[[nodiscard]] bool has_errors(const Problems& problems);

/// All errors as one Error of kind bad_config, one line each; call only where has_errors().
[[nodiscard]] Error to_error(const Problems& problems);

}  // namespace bowsprit::yaml
