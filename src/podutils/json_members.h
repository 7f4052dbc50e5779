// SPDX-License-Identifier: Apache-2.0
/// Reads members of a JSON object into values and collects what does not fit, without stopping at the first.
/// A member that is absent or null leaves its value. Does not: complain about members that nobody reads.
/// Threads: one owner.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "base/strings.h"

namespace bowsprit::podutils {

class JsonMembers {
 public:
  JsonMembers(const Json& object, std::string path, std::vector<std::string>& problems)
      : object_(object), path_(std::move(path)), problems_(problems) {
    if (!object.is_object() && !object.is_null()) complain("", "an object", object);
  }

  void read(std::string_view key, std::string& out) const;
  void read(std::string_view key, bool& out) const;
  void read(std::string_view key, std::int64_t& out) const;
  void read(std::string_view key, int& out) const;
  void read(std::string_view key, milliseconds& out) const;  ///< Go's time.Duration: nanoseconds
  void read(std::string_view key, std::vector<std::string>& out) const;
  void read(std::string_view key, std::map<std::string, std::string>& out) const;

  [[nodiscard]] bool has(std::string_view key) const { return !json_get(object_, key).is_null(); }
  [[nodiscard]] JsonMembers child(std::string_view key) const;
  /// The items of a list; empty where it is absent.
  [[nodiscard]] std::vector<JsonMembers> items(std::string_view key) const;

 private:
  void complain(std::string_view key, std::string_view expected, const Json& got) const;

  const Json& object_;
  std::string path_;
  std::vector<std::string>& problems_;
};

/// Options from their JSON. @error bad_config  it is no JSON, or names every member that does not fit
template <class T>
Result<T> read_options(std::string_view json, void (*read)(const JsonMembers&, T&)) {
  const auto parsed = parse_json(json);
  if (!parsed) return fail(ErrorKind::bad_config, "options: {}", parsed.error().message);
  std::vector<std::string> problems;
  T out;
  read(JsonMembers(*parsed, "", problems), out);
  if (problems.empty()) return out;
  return fail(ErrorKind::bad_config, "options: {}", join(problems, "; "));
}

}  // namespace bowsprit::podutils
