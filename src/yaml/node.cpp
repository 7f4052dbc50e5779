// SPDX-License-Identifier: Apache-2.0
#include "yaml/node.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/strings.h"

namespace bowsprit::yaml {

namespace {

constexpr std::array<std::string_view, 5> kNulls{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 11> kTrues{"true", "True", "TRUE", "yes", "Yes", "YES",
                                                  "on",   "On",   "ON",   "y",   "Y"};
constexpr std::array<std::string_view, 11> kFalses{"false", "False", "FALSE", "no", "No", "NO",
                                                   "off",   "Off",   "OFF",   "n",  "N"};

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& words, std::string_view text) {
  return text.size() <= 5 && std::find(words.begin(), words.end(), text) != words.end();
}

/// Only these start a number; the test spares most scalars the work.
bool may_be_number(std::string_view text) {
  return !text.empty() && ((text[0] >= '0' && text[0] <= '9') || text[0] == '-' || text[0] == '+' || text[0] == '.');
}

/// [-+]? ( .digits | digits [.digits] ) [exponent]: what go-yaml takes for a decimal number.
bool is_decimal(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - from;
  };
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  const std::size_t whole = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() + whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

}  // namespace

std::span<const Node> Node::items() const {
  return is_sequence() ? std::span<const Node>(items_, size_) : std::span<const Node>();
}

std::span<const Member> Node::members() const {
  return is_mapping() ? std::span<const Member>(members_, size_) : std::span<const Member>();
}

const Node* Node::find(std::string_view key) const {
  for (const Member& member : members())
    if (member.key.text() == key) return &member.value;
  return nullptr;
}

bool Node::is_null() const { return is_scalar() && plain_ && one_of(kNulls, text()); }

std::optional<bool> Node::boolean() const {
  if (!is_scalar() || !plain_) return std::nullopt;
  if (one_of(kTrues, text())) return true;
  if (one_of(kFalses, text())) return false;
  return std::nullopt;
}

std::optional<std::int64_t> Node::integer() const {
  if (!is_scalar() || !plain_ || !may_be_number(text())) return std::nullopt;
  std::string digits(text());
  std::erase(digits, '_');
  std::string_view rest = digits;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  int base = 10;
  if (rest.size() > 1 && rest[0] == '0') {
    const char mark = rest[1];
    base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
    rest.remove_prefix(base == 8 && mark != 'o' && mark != 'O' ? 1 : 2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value, base);
  if (rest.empty() || error != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
  constexpr std::uint64_t kMax = INT64_MAX;
  if (value > kMax + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(negative ? ~value + 1 : value);
}

std::optional<double> Node::number() const {
  if (const auto whole = integer()) return static_cast<double>(*whole);
  if (!is_scalar() || !plain_ || !may_be_number(text())) return std::nullopt;
  std::string digits(text());
  std::erase(digits, '_');
  if (!is_decimal(digits)) return std::nullopt;
  std::string_view rest = digits;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
  return value;
}

std::string Node::as_string() const {
  if (!plain_ || !is_scalar()) return std::string(text());
  if (is_null()) return {};
  if (const auto flag = boolean()) return *flag ? "true" : "false";
  if (const auto whole = integer()) return std::to_string(*whole);
  if (const auto real = number()) return fmt::format("{}", *real);
  return std::string(text());
}

std::string Node::describe() const {
  switch (kind_) {
    case NodeKind::sequence: return "a list";
    case NodeKind::mapping: return "a map";
    case NodeKind::scalar: break;
  }
  return is_null() ? "nothing" : fmt::format("\"{}\"", shorten(printable(text()), 60));
}

Json to_json(const Node& node) {
  switch (node.kind()) {
    case NodeKind::sequence: {
      Json out = Json::array();
      for (const Node& item : node.items()) out.push_back(to_json(item));
      return out;
    }
    case NodeKind::mapping: {
      Json out = Json::object();
      // The keys are known to be unique; emplace_back spares the search that operator[] of an ordered map would make.
      auto& members = out.get_ref<Json::object_t&>();
      members.reserve(node.members().size());
      for (const auto& [key, value] : node.members())
        static_cast<std::vector<Json::object_t::value_type>&>(members).emplace_back(std::string(key.text()),
                                                                                    to_json(value));
      return out;
    }
    case NodeKind::scalar: break;
  }
  if (node.is_null()) return nullptr;
  if (const auto flag = node.boolean()) return *flag;
  if (const auto whole = node.integer()) return *whole;
  if (const auto real = node.number()) return *real;
  return std::string(node.text());
}

}  // namespace bowsprit::yaml
