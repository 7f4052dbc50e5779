// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>

namespace bowsprit {
namespace {

constexpr int kMaxDepth = 256;  // the recursive destructor of a hostile document must not overflow the stack

const Json& null_json() {
  static const Json null;
  return null;
}

/// Depth of the nesting, counted outside strings; cheap next to parsing.
int nesting(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (nesting(text) > kMaxDepth) return fail(ErrorKind::bad_data, "parse JSON: nested deeper than {}", kMaxDepth);
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {
    return fail(ErrorKind::bad_data, "parse JSON: {}", e.what());
  }
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

const Json& json_get(const Json& value, std::string_view key) {
  if (!value.is_object()) return null_json();
  const auto it = value.find(key);
  return it == value.end() ? null_json() : *it;
}

std::string json_string(const Json& value, std::string_view key, std::string_view fallback) {
  const Json& member = json_get(value, key);
  return member.is_string() ? member.get<std::string>() : std::string(fallback);
}

std::int64_t json_int(const Json& value, std::string_view key, std::int64_t fallback) {
  const Json& member = json_get(value, key);
  return member.is_number_integer() ? member.get<std::int64_t>() : fallback;
}

double json_double(const Json& value, std::string_view key, double fallback) {
  const Json& member = json_get(value, key);
  return member.is_number() ? member.get<double>() : fallback;
}

bool json_bool(const Json& value, std::string_view key, bool fallback) {
  const Json& member = json_get(value, key);
  return member.is_boolean() ? member.get<bool>() : fallback;
}

}  // namespace bowsprit
