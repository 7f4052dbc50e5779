// SPDX-License-Identifier: Apache-2.0
/// Small text helpers that several folders need. Does not: know Unicode beyond "is this valid UTF-8".
/// Threads: pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bowsprit {

std::vector<std::string> split(std::string_view text, char separator);
std::vector<std::string> split_lines(std::string_view text);  ///< without "\n" and "\r\n"; no empty last line
std::string_view trim(std::string_view text);                 ///< spaces, tabs, CR, LF
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
std::optional<std::int64_t> parse_int(std::string_view text);  ///< whole text, decimal, optional sign

/// `text` cut to at most `limit` bytes at a UTF-8 boundary, with "..." at the cut.
std::string shorten(std::string_view text, std::size_t limit);
/// Valid UTF-8 without control characters but \n and \t; anything else becomes U+FFFD. ANSI sequences are dropped.
std::string printable(std::string_view text);
std::string html_escape(std::string_view text);
std::string url_encode(std::string_view text);  ///< RFC 3986 unreserved characters stay
std::string url_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);
/// A word as a POSIX shell reads it back unchanged, quoted only where needed.
std::string shell_quote(std::string_view word);
/// Lower-case hex of SHA-256.
std::string sha256_hex(std::string_view bytes);
/// The entry of `known` nearest to `word` by edit distance, if near enough to be a likely typing error.
std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace bowsprit
