// SPDX-License-Identifier: Apache-2.0
/// One repository at a state: what Prow's clonerefs does for one entry of `refs` (pkg/pod-utils/clone/clone.go).
///
/// The same commands in the same order with the same dates, so the merge commit has the same id. Better than there: a fetch
/// that fails for good (no such ref, access denied) is not tried nine times more, and where a shallow history lacks the
/// common commit of branch and change it is deepened until the merge works.
/// Does not: remove what is there already. Threads: any, in different folders.
#pragma once

#include "podutils/git_run.h"

namespace bowsprit::podutils {

struct CloneSettings {
  std::string src_root;
  std::string user_name;
  std::string user_email;
  std::string cookie_path;
  Environment extra = {};
  Environment hidden = {};
  /// Before the second, third, ... try of a fetch; Prow's: 100 ms to 30 s.
  std::vector<milliseconds> pauses = {milliseconds(100),   milliseconds(200),   milliseconds(400),
                                      milliseconds(800),   milliseconds(2000),  milliseconds(5000),
                                      milliseconds(10000), milliseconds(15000), milliseconds(30000)};
};

CloneRecord clone(const prow::Refs& refs, const CloneSettings& settings, const GitToken& token);

/// Where `refs` come from.
std::string repository_url(const prow::Refs& refs);

/// Whether git's message about a failed fetch means that the next try fails too.
bool is_permanent(std::string_view output);

}  // namespace bowsprit::podutils
