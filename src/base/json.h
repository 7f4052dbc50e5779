// SPDX-License-Identifier: Apache-2.0
/// JSON values (nlohmann, keys in insertion order) and readers that never throw.
///
/// Why readers: a Gerrit answer or a job's file is foreign input, and nlohmann's own accessors throw on a wrong type.
/// Code outside this file parses with `parse_json`, reads with the `json_*` functions and only builds with `Json` itself.
/// Threads: values; any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace bowsprit {

using Json = nlohmann::ordered_json;

/// @error bad_data  not JSON, or nested deeper than 256; the message has the byte position.
Result<Json> parse_json(std::string_view text);

/// Compact (indent < 0) or indented text; bytes that are not UTF-8 become U+FFFD, so it never throws.
std::string dump_json(const Json& value, int indent = -1);

/// The member `key` of an object, or a shared null where there is none (also where `value` is no object).
const Json& json_get(const Json& value, std::string_view key);
/// The value of a member as that type, or the fallback where it is absent or of another type.
std::string json_string(const Json& value, std::string_view key, std::string_view fallback = {});
std::int64_t json_int(const Json& value, std::string_view key, std::int64_t fallback = 0);
double json_double(const Json& value, std::string_view key, double fallback = 0);
bool json_bool(const Json& value, std::string_view key, bool fallback = false);

}  // namespace bowsprit
