// SPDX-License-Identifier: Apache-2.0
/// A part of an object over HTTP (RFC 9110, 14), the same for each store.
/// Pure. Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bowsprit::artifact {

/// Value of the header Range for `length` bytes (nullopt: to the end; else at least one) from `offset`; empty: the whole object, without
/// that header.
std::string range_header(std::uint64_t offset, std::optional<std::uint64_t> length);

/// That part of an answer's body. A server may pass over a Range and send all, with status 200.
std::string take_range(int status, std::string body, std::uint64_t offset, std::optional<std::uint64_t> length);

/// Of an answer to a range that begins behind the object's end.
inline constexpr int kPastTheEnd = 416;

}  // namespace bowsprit::artifact
