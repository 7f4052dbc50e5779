// SPDX-License-Identifier: Apache-2.0
// JSON value -> YAML in block style, as Kubernetes prints it: lists at the indent of their key.
#include "base/strings.h"
#include "yaml/node.h"

namespace bowsprit::yaml {

namespace {

/// Whether `text` written bare is read back as the same string.
bool bare_is_safe(std::string_view text) {
  if (text.empty() || text.size() > 1000) return false;
  constexpr std::string_view kNeverFirst = "?:,[]{}#&*!|>'\"%@` ";
  const bool marks_an_item = text == "-" || text.starts_with("- ") || text.starts_with("---");
  if (marks_an_item || kNeverFirst.find(text.front()) != std::string_view::npos || text.back() == ' ' ||
      text.back() == ':')
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c >= 0x7f) return false;
    if (c == ':' && i + 1 < text.size() && text[i + 1] == ' ') return false;
    if (c == '#' && text[i - 1] == ' ') return false;
  }
  if (text == "=" || text == "<<") return false;
  const Tree tree = Tree::parse({}, text);
  return tree.documents().size() == 1 && to_json(tree.documents()[0]).is_string() && tree.documents()[0].text() == text;
}

std::string in_quotes(std::string_view text) {
  const bool plain_bytes = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  // A word that would be read as a number, a truth value or nothing gets double quotes, as Kubernetes' tools do.
  const Tree bare = Tree::parse({}, text);
  const bool another_type =
      text.empty() || (bare.documents().size() == 1 && bare.problems().empty() &&
                       to_json(bare.documents()[0]).is_primitive() && !to_json(bare.documents()[0]).is_string());
  if (plain_bytes && !another_type) return "'" + replace_all(std::string(text), "'", "''") + "'";
  return dump_json(std::string(text));  // a JSON string is a YAML double-quoted one
}

std::string scalar(const Json& value) {
  if (!value.is_string()) return dump_json(value);  // numbers, true, false, null, {} and []
  const auto& text = value.get_ref<const std::string&>();
  return bare_is_safe(text) ? text : in_quotes(text);
}

bool is_block(const Json& value) { return value.is_structured() && !value.empty(); }

/// Writes a non-empty list or map; the cursor stands at `indent` already.
void write_block(const Json& value, std::size_t indent, std::string& out) {
  bool first = true;
  const auto start_line = [&] {
    if (!first) out.append(indent, ' ');
    first = false;
  };
  if (value.is_array()) {
    for (const Json& item : value) {
      start_line();
      out += "- ";
      if (is_block(item))
        write_block(item, indent + 2, out);
      else
        out += scalar(item) + "\n";
    }
    return;
  }
  for (const auto& [key, item] : value.items()) {
    start_line();
    out += scalar(key) + ":";
    if (!is_block(item)) {
      out += " " + scalar(item) + "\n";
      continue;
    }
    const std::size_t inner = item.is_array() ? indent : indent + 2;
    out.append("\n").append(inner, ' ');
    write_block(item, inner, out);
  }
}

}  // namespace

std::string to_yaml(const Json& value) {
  if (!is_block(value)) return scalar(value) + "\n";
  std::string out;
  write_block(value, 0, out);
  return out;
}

}  // namespace bowsprit::yaml
