// SPDX-License-Identifier: Apache-2.0
/// Regular expressions of job files. Prow is a Go program, whose syntax is RE2's.
/// Does not: let a pattern cost more than time linear in the text, nor more than 1 MiB compiled.
/// Threads: any; compiled patterns are shared through a bounded cache.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bowsprit::prow {

/// What is wrong with the pattern, or nullopt where it compiles.
std::optional<std::string> regex_error(const std::string& pattern);

/// Whether the pattern is found anywhere in the text; false for a pattern that does not compile.
bool regex_matches(const std::string& pattern, std::string_view text);

/// The text with RE2's special characters escaped.
std::string regex_escape(std::string_view text);

}  // namespace bowsprit::prow
