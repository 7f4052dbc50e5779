// SPDX-License-Identifier: Apache-2.0
/// What to ask Gerrit next about a project, and what of its answer is news: how polling loses nothing and tells nothing twice.
///
/// Gerrit keeps times in whole seconds, so several changes share one, and its index may show a change a little later than the time that it
/// bears. So each poll looks back over the last seconds again, and a change is known by its meta_rev, which differs after whatever happened to it.
/// News must be accepted when the caller has it for good: what a failed poll had read comes again. After a crash the caller starts from
/// the position it saved with its own work; what it saw twice then, its own marks tell.
/// Pure: no clock, no requests. Threads: one owner.
///
///   TRY_ASSIGN(auto answer, client.query_changes(project, cursor.since()));
///   const auto news = cursor.news(std::move(answer));
///   ...;  cursor.accept(news, clock.now());  save(cursor.position());
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gerrit/change.h"

namespace bowsprit::gerrit {

class PollCursor {
 public:
  static constexpr seconds kOverlap{10};

  /// `position`: the newest `updated` that was handled before.
  explicit PollCursor(SystemTime position) : position_(position) {}

  [[nodiscard]] SystemTime since() const { return position_ - kOverlap; }
  [[nodiscard]] SystemTime position() const { return position_; }
  /// The changes that were not accepted in just this state, oldest first.
  [[nodiscard]] std::vector<Change> news(std::vector<Change> answer) const;
  /// `now`: a change from the future (Gerrit's clock was wrong for a while) does not take the position there, as
  /// everything until then would be missed.
  void accept(const std::vector<Change>& news, SystemTime now);

 private:
  struct Seen {
    std::string meta_rev;
    SystemTime updated;
  };
  SystemTime position_;
  std::map<int, Seen> seen_;  ///< of changes that an answer may still bring
};

}  // namespace bowsprit::gerrit
