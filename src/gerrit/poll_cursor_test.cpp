// SPDX-License-Identifier: Apache-2.0
#include "gerrit/poll_cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::gerrit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SystemTime at(int second) { return *parse_time("2026-11-24T08:00:00Z") + seconds(second); }

/// A Gerrit as far as polling sees it.
class Project {
 public:
  void touch(int number, int second) {
    auto& change = changes_[number];
    change.number = number;
    change.updated = at(second);
    change.meta_rev = fmt::format("rev{}", ++revision_);
  }
  /// As `after:` does: inclusive, newest first.
  [[nodiscard]] std::vector<Change> query(SystemTime since) const {
    std::vector<Change> found;
    for (const auto& [number, change] : changes_)
      if (change.updated >= since) found.push_back(change);
    std::ranges::reverse(found);
    return found;
  }

 private:
  std::map<int, Change> changes_;
  int revision_ = 0;
};

std::vector<int> numbers(const std::vector<Change>& changes) {
  std::vector<int> out;
  for (const auto& change : changes) out.push_back(change.number);
  return out;
}

/// One poll to its good end.
std::vector<int> poll(PollCursor& cursor, const Project& project, SystemTime now = at(10'000)) {
  const auto news = cursor.news(project.query(cursor.since()));
  cursor.accept(news, now);
  return numbers(news);
}

TEST(PollCursor, TellsEachStateOfAChangeOnceOldestFirst) {
  Project project;
  PollCursor cursor(at(0));
  project.touch(2, 5);
  project.touch(1, 7);
  EXPECT_THAT(poll(cursor, project), ElementsAre(2, 1));
  EXPECT_EQ(cursor.position(), at(7));
  EXPECT_THAT(poll(cursor, project), IsEmpty());
  project.touch(2, 8);
  EXPECT_THAT(poll(cursor, project), ElementsAre(2));
}

TEST(PollCursor, LosesNoneOfSeveralChangesInOneSecond) {
  Project project;
  PollCursor cursor(at(0));
  project.touch(1, 5);
  EXPECT_THAT(poll(cursor, project), ElementsAre(1));
  project.touch(2, 5);  // after the poll, in the same second
  project.touch(1, 5);  // and the first one again
  EXPECT_THAT(poll(cursor, project), ElementsAre(1, 2));
  EXPECT_THAT(poll(cursor, project), IsEmpty());
}

TEST(PollCursor, FindsAChangeThatTheIndexShowsLate) {
  Project project;
  PollCursor cursor(at(0));
  project.touch(1, 20);
  EXPECT_THAT(poll(cursor, project), ElementsAre(1));
  project.touch(2, 12);
  EXPECT_THAT(poll(cursor, project), ElementsAre(2));
  EXPECT_EQ(cursor.position(), at(20)) << "never back";
}

TEST(PollCursor, TellsAgainWhatWasNotAccepted) {
  Project project;
  PollCursor cursor(at(0));
  project.touch(1, 5);
  project.touch(2, 6);
  EXPECT_THAT(numbers(cursor.news(project.query(cursor.since()))), ElementsAre(1, 2));  // then a request failed
  EXPECT_EQ(cursor.position(), at(0));
  EXPECT_THAT(poll(cursor, project), ElementsAre(1, 2));
}

TEST(PollCursor, LosesNothingOverACrash) {
  Project project;
  PollCursor cursor(at(0));
  project.touch(1, 5);
  poll(cursor, project);
  const auto saved = cursor.position();
  project.touch(2, 5);
  project.touch(3, 9);
  PollCursor restarted(saved);
  EXPECT_THAT(poll(restarted, project), ElementsAre(1, 2, 3)) << "1 again: the caller's own mark tells";
}

TEST(PollCursor, IsNotTakenAwayByAChangeFromTheFuture) {
  Project project;
  PollCursor cursor(at(0));
  project.touch(1, 100'000);
  EXPECT_THAT(poll(cursor, project, at(10)), ElementsAre(1));
  EXPECT_EQ(cursor.position(), at(10));
  project.touch(2, 11);
  EXPECT_THAT(poll(cursor, project, at(12)), ElementsAre(2)) << "and 1 is not told again";
}

TEST(PollCursor, TakesAChangeWithoutMetaRevAsNewEachTime) {
  PollCursor cursor(at(0));
  Change change;
  change.number = 1;
  change.updated = at(5);
  cursor.accept({change}, at(6));
  EXPECT_THAT(numbers(cursor.news({change})), ElementsAre(1)) << "better twice than never";
}

}  // namespace
}  // namespace bowsprit::gerrit
