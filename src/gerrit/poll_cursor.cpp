// SPDX-License-Identifier: Apache-2.0
#include "gerrit/poll_cursor.h"

#include <algorithm>

namespace bowsprit::gerrit {

std::vector<Change> PollCursor::news(std::vector<Change> answer) const {
  std::erase_if(answer, [this](const Change& change) {
    const auto seen = seen_.find(change.number);
    return seen != seen_.end() && !change.meta_rev.empty() && seen->second.meta_rev == change.meta_rev;
  });
  std::ranges::stable_sort(answer, {}, [](const Change& change) { return std::pair(change.updated, change.number); });
  return answer;
}

void PollCursor::accept(const std::vector<Change>& news, SystemTime now) {
  for (const auto& change : news) {
    seen_[change.number] = {change.meta_rev, change.updated};
    position_ = std::max(position_, std::min(change.updated, now));
  }
  std::erase_if(seen_, [this](const auto& entry) { return entry.second.updated < since(); });
}

}  // namespace bowsprit::gerrit
