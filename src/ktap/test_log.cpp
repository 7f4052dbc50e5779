// SPDX-License-Identifier: Apache-2.0
#include "ktap/test_log.h"

#include <fmt/core.h>

#include <algorithm>

namespace bowsprit::ktap {

void TestLog::add(std::string_view line, std::size_t max_lines, LogBudget& budget) {
  if (budget.used + line.size() > budget.limit) {
    budget.exhausted = true;
    ++count_;
    return;
  }
  ++count_;
  if (lines_.size() < max_lines) {
    half_ = max_lines / 2;
    budget.used += line.size();
    lines_.emplace_back(line);
    return;
  }
  if (lines_.size() <= half_) return;
  std::string& slot = lines_[half_ + oldest_];
  budget.used += line.size();
  budget.used -= std::min(budget.used, slot.size());
  slot.assign(line);
  oldest_ = (oldest_ + 1) % (lines_.size() - half_);
}

std::vector<std::string> TestLog::take() {
  std::vector<std::string> out = std::move(lines_);
  if (count_ > out.size() && !out.empty()) {
    const auto ring = out.begin() + static_cast<std::ptrdiff_t>(std::min(half_, out.size()));
    if (oldest_ > 0) std::rotate(ring, ring + static_cast<std::ptrdiff_t>(oldest_), out.end());
    out.insert(ring, fmt::format("[{} lines left out]", count_ - out.size()));
  }
  *this = {};
  return out;
}

void TestLog::drop(LogBudget& budget) {
  for (const auto& line : lines_) budget.used -= std::min(budget.used, line.size());
  *this = {};
}

void TestLog::append(TestLog&& other, std::size_t max_lines, LogBudget& budget) {
  if (empty()) {
    *this = std::move(other);
    other = {};
    return;
  }
  if (other.empty()) return;
  for (const auto& line : other.lines_) budget.used -= std::min(budget.used, line.size());
  for (const auto& line : other.take()) add(line, max_lines, budget);
}

}  // namespace bowsprit::ktap
