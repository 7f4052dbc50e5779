// SPDX-License-Identifier: Apache-2.0
#include "podutils/json_members.h"

#include <limits>

#include "base/strings.h"

namespace bowsprit::podutils {

void JsonMembers::complain(std::string_view key, std::string_view expected, const Json& got) const {
  std::string place = path_;
  if (!key.empty()) place += (place.empty() ? "" : ".") + std::string(key);
  problems_.push_back(
      fmt::format("{}: expected {}, got {}", place.empty() ? "options" : place, expected, shorten(dump_json(got), 60)));
}

void JsonMembers::read(std::string_view key, std::string& out) const {
  const Json& value = json_get(object_, key);
  if (value.is_null()) return;
  if (!value.is_string()) return complain(key, "a text", value);
  out = value.get<std::string>();
}

void JsonMembers::read(std::string_view key, bool& out) const {
  const Json& value = json_get(object_, key);
  if (value.is_null()) return;
  if (!value.is_boolean()) return complain(key, "true or false", value);
  out = value.get<bool>();
}

void JsonMembers::read(std::string_view key, std::int64_t& out) const {
  const Json& value = json_get(object_, key);
  if (value.is_null()) return;
  if (!value.is_number_integer()) return complain(key, "a whole number", value);
  out = value.get<std::int64_t>();
}

void JsonMembers::read(std::string_view key, int& out) const {
  std::int64_t number = out;
  read(key, number);
  if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max())
    return complain(key, "a number of 32 bits", json_get(object_, key));
  out = static_cast<int>(number);
}

void JsonMembers::read(std::string_view key, milliseconds& out) const {
  if (!has(key)) return;
  std::int64_t nanoseconds = 0;
  read(key, nanoseconds);
  // A limit below a millisecond is still a limit; zero would mean the default.
  out = std::chrono::ceil<milliseconds>(std::chrono::nanoseconds(nanoseconds));
}

void JsonMembers::read(std::string_view key, std::vector<std::string>& out) const {
  const Json& value = json_get(object_, key);
  if (value.is_null()) return;
  if (!value.is_array()) return complain(key, "a list of texts", value);
  for (const Json& item : value) {
    if (!item.is_string()) return complain(key, "a list of texts", value);
    out.push_back(item.get<std::string>());
  }
}

void JsonMembers::read(std::string_view key, std::map<std::string, std::string>& out) const {
  const Json& value = json_get(object_, key);
  if (value.is_null()) return;
  if (!value.is_object()) return complain(key, "a map of texts", value);
  for (const auto& [name, item] : value.items()) {
    if (!item.is_string()) return complain(key, "a map of texts", value);
    out[name] = item.get<std::string>();
  }
}

JsonMembers JsonMembers::child(std::string_view key) const {
  return {json_get(object_, key), path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key), problems_};
}

std::vector<JsonMembers> JsonMembers::items(std::string_view key) const {
  std::vector<JsonMembers> out;
  const Json& value = json_get(object_, key);
  if (value.is_null()) return out;
  if (!value.is_array()) {
    complain(key, "a list", value);
    return out;
  }
  const std::string path = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  for (std::size_t i = 0; i < value.size(); ++i) out.emplace_back(value[i], fmt::format("{}[{}]", path, i), problems_);
  return out;
}

}  // namespace bowsprit::podutils
