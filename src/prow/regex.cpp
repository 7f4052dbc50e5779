// SPDX-License-Identifier: Apache-2.0
#include "prow/regex.h"

#include <re2/re2.h>

#include <memory>
#include <mutex>
#include <unordered_map>

namespace bowsprit::prow {

namespace {

std::shared_ptr<const RE2> compiled(const std::string& pattern) {
  // A server asks for the same few hundred patterns again and again; a check of a whole configuration asks for most of
  // them once.
  constexpr std::size_t kMost = 1024;
  static std::mutex mutex;
  static std::unordered_map<std::string, std::shared_ptr<const RE2>> cache;
  {
    const std::lock_guard lock(mutex);
    if (const auto found = cache.find(pattern); found != cache.end()) return found->second;
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto made = std::make_shared<const RE2>(pattern, options);
  const std::lock_guard lock(mutex);
  if (cache.size() >= kMost) cache.clear();
  cache.emplace(pattern, made);
  return made;
}

}  // namespace

std::optional<std::string> regex_error(const std::string& pattern) {
  const auto regex = compiled(pattern);
  if (regex->ok()) return std::nullopt;
  return regex->error();
}

bool regex_matches(const std::string& pattern, std::string_view text) {
  const auto regex = compiled(pattern);
  return regex->ok() && RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex);
}

std::string regex_escape(std::string_view text) { return RE2::QuoteMeta(re2::StringPiece(text.data(), text.size())); }

}  // namespace bowsprit::prow
