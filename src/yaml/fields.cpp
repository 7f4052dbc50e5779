// SPDX-License-Identifier: Apache-2.0
#include "yaml/fields.h"

#include <climits>

#include "base/strings.h"

namespace bowsprit::yaml {

std::optional<Cursor> Cursor::find(std::string_view key) const {
  for (const Member& member : node_->members())
    if (member.key.text() == key && !member.value.is_null()) return at(member);
  return std::nullopt;
}

std::string Cursor::path() const {
  if (parent_ == nullptr) return std::string(key_);
  std::string out = parent_->path();
  if (parent_->node_->is_mapping())
    append_path(out, key_);
  else
    append_path(out, index_);
  return out;
}

void Cursor::expected(std::string_view what) const {
  error(fmt::format("expected {}, got {}", what, node_->describe()));
}

bool Cursor::is_map() const {
  if (!node_->is_mapping() && !node_->is_null()) expected("a map");
  return node_->is_mapping();
}

bool Cursor::is_list() const {
  if (!node_->is_sequence() && !node_->is_null()) expected("a list");
  return node_->is_sequence();
}

void Cursor::report(Severity severity, std::string_view check, std::string text) const {
  problems_->push_back({severity, mark(), path(), std::move(text), std::string(check)});
}

void read(const Cursor& cursor, bool& out) {
  if (const auto value = cursor.node().boolean())
    out = *value;
  else if (!cursor.node().is_null())
    cursor.expected("true or false");
}

void read(const Cursor& cursor, std::int64_t& out) {
  if (const auto value = cursor.node().integer())
    out = *value;
  else if (!cursor.node().is_null())
    cursor.expected("a whole number");
}

void read(const Cursor& cursor, int& out) {
  std::int64_t value = out;
  read(cursor, value);
  if (value < INT_MIN || value > INT_MAX)
    cursor.expected("a whole number of at most 32 bits");
  else
    out = static_cast<int>(value);
}

void read(const Cursor& cursor, std::string& out) {
  const Node& node = cursor.node();
  if (!node.is_scalar()) return cursor.expected("a string");
  if (node.is_null()) return;
  out = node.as_string();
  // 1.10 without quotes is the number 1.1 to YAML, and to Prow.
  if (out != node.text())
    cursor.warning("unquoted-value",
                   fmt::format("YAML reads {} as \"{}\"; put it in quotes if that is not meant", node.describe(), out));
}

void read(const Cursor& cursor, milliseconds& out) {
  if (cursor.node().is_null()) return;
  const auto value = cursor.node().is_scalar() ? parse_duration(cursor.node().text()) : std::nullopt;
  if (value)
    out = *value;
  else
    cursor.expected("a duration such as 90s or 1h30m");
}

std::optional<Bytes> parse_bytes(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto count = parse_int(text.substr(0, digits));
  std::string_view unit = text.substr(digits);
  if (!count || *count < 0) return std::nullopt;
  if (unit.ends_with('B')) unit.remove_suffix(1);
  const bool binary = unit.ends_with('i');
  if (binary) unit.remove_suffix(1);
  constexpr std::string_view kPrefixes = "kMGT";
  if (unit == "K") unit = "k";
  const std::size_t power = unit.empty() ? 0 : kPrefixes.find(unit) + 1;
  if (unit.size() > 1 || (!unit.empty() && power == 0) || (binary && power == 0)) return std::nullopt;
  auto value = static_cast<std::uint64_t>(*count);
  for (std::size_t i = 0; i < power; ++i)
    if (__builtin_mul_overflow(value, binary ? 1024U : 1000U, &value)) return std::nullopt;
  return Bytes{value};
}

void read(const Cursor& cursor, Bytes& out) {
  if (cursor.node().is_null()) return;
  if (const auto value = parse_bytes(cursor.node().text()))
    out = *value;
  else
    cursor.expected("an amount such as 512Mi or 4G");
}

void read(const Cursor& cursor, std::filesystem::path& out) {
  std::string text;
  read(cursor, text);
  if (!text.empty()) out = (std::filesystem::path(cursor.file()).parent_path() / text).lexically_normal();
}

void read(const Cursor& cursor, Json& out) { out = to_json(cursor.node()); }

Json to_json(milliseconds value) { return format_duration(value); }

void report_unknown(const Cursor& cursor, const Node& key, const std::vector<std::string>& known) {
  const auto nearest = nearest_word(key.text(), known);
  cursor.error("unknown field" + (nearest ? fmt::format("; did you mean \"{}\"?", *nearest) : std::string()));
}

void report_missing(const Cursor& cursor, std::string_view key) {
  cursor.error(fmt::format("expected the field \"{}\"", key));
}

}  // namespace bowsprit::yaml
