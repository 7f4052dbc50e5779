// SPDX-License-Identifier: Apache-2.0
#include "prow/labels.h"

#include <algorithm>

namespace bowsprit::prow {

namespace {

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLabelValue && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

bool is_label_value(std::string_view text) { return text.empty() || is_word(text); }

bool is_qualified_name(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return is_word(text);
  const std::string_view prefix = text.substr(0, slash);
  const bool dns = !prefix.empty() && prefix.size() <= 253 && std::ranges::all_of(prefix, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
  });
  return dns && is_word(text.substr(slash + 1));
}

}  // namespace bowsprit::prow
