// SPDX-License-Identifier: Apache-2.0
/// The console lines of one test in bounded memory: the first and the last ones, and a word on what was left out
/// between them. Internal to the reader. Threads: one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bowsprit::ktap {

/// Bytes of log that all tests of one Console hold together.
struct LogBudget {
  std::size_t limit = 0;
  std::size_t used = 0;
  bool exhausted = false;
};

class TestLog {
 public:
  void add(std::string_view line, std::size_t max_lines, LogBudget& budget);
  /// The lines in order; leaves the log empty. The bytes stay counted in the budget.
  std::vector<std::string> take();
  /// Forgets the lines and gives their bytes back.
  void drop(LogBudget& budget);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// Appends all of `other`, oldest first, as if they had been added here.
  void append(TestLog&& other, std::size_t max_lines, LogBudget& budget);

 private:
  std::vector<std::string> lines_;  ///< [0, half) the first lines, then a ring of the last ones
  std::size_t count_ = 0;           ///< lines seen
  std::size_t oldest_ = 0;          ///< index in the ring of the oldest kept line
  std::size_t half_ = 0;
};

}  // namespace bowsprit::ktap
