// SPDX-License-Identifier: Apache-2.0
/// What is said on single lines of a patch set: compile errors, failing expectations and new warnings.
///
/// Two steps, since only the thread that posts knows what the patch set's files hold. findings_of takes from the results what could be said;
/// place_comments keeps what stands on a line of the patch set and was not said before.
///
///   - A line is found by its text. The tree that was judged is the patch set merged with its branch, so a number alone may mean another
///     line; where neither the text at that number nor exactly one line of the file agrees, the message has to do.
///   - A warning is new if the patch set adds or changes its line. Nothing else is said of warnings: a header that others changed warns too.
///   - What also fails on the base, or is known to be flaky, is not said on the change's lines.
///   - A comment's key is made of file, text of the line and what is said, without addresses: it stays the same on the next patch set, where the line
///     may have another number.
/// Pure. Does not: post, or remember keys (store/ does). Threads: any.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace bowsprit::report {

inline constexpr std::size_t kMostComments = 20;
inline constexpr std::size_t kMostFindings = 200;

struct Finding {
  bool warning = false;
  std::string file;    ///< path in the tree
  int line = 0;        ///< in the tree that was judged
  std::string source;  ///< the line's text there, by line_text
  std::string text;    ///< what is said
  std::string item;    ///< the same as a line of the message, with place and line end
};

/// A line of source as it is compared: without blanks at its ends, printable, cut.
std::string line_text(std::string_view line);

/// Of the jobs that were judged: errors first, then failures, then warnings, each once, at most kMostFindings. What has no place is left out.
std::vector<Finding> findings_of(const std::vector<JobLine>& jobs);

/// For the store's row. Reading gives what makes sense of it.
std::string findings_json(const std::vector<Finding>& findings);
std::vector<Finding> read_findings(std::string_view json);

/// A file as the patch set leaves it.
struct PatchSetFile {
  std::vector<std::string> lines;
  std::vector<bool> changed;  ///< whether the patch set adds or changes the line; as long as `lines`
};

struct PlacedComment {
  std::string file;
  int line = 0;  ///< in the patch set
  std::string text;
  std::string key;
};

struct Placement {
  std::vector<PlacedComment> comments;
  std::vector<Finding> rest;  ///< would stand on a line too, but there are `most` already
};

/// `files`: by path, those of the patch set. `said`: keys of comments that are on the change already.
Placement place_comments(const std::vector<Finding>& findings, const std::map<std::string, PatchSetFile>& files,
                         const std::set<std::string>& said, std::size_t most = kMostComments);

/// The message with what is left of `rest` that it does not say itself, above its last line (the key), in at most `limit` bytes; what does
/// not fit is counted.
std::string with_rest(const std::string& message, const std::vector<Finding>& rest, std::size_t limit);

}  // namespace bowsprit::report
