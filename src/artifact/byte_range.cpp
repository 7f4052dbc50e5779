// SPDX-License-Identifier: Apache-2.0
#include "artifact/byte_range.h"

#include <fmt/core.h>

#include <algorithm>

namespace bowsprit::artifact {

std::string range_header(std::uint64_t offset, std::optional<std::uint64_t> length) {
  if (offset == 0 && !length) return {};
  return fmt::format("bytes={}-{}", offset, length ? std::to_string(offset + *length - 1) : std::string());
}

std::string take_range(int status, std::string body, std::uint64_t offset, std::optional<std::uint64_t> length) {
  if (status == kPastTheEnd) return {};
  if (status == 200 && offset > 0) body.erase(0, std::min<std::uint64_t>(offset, body.size()));
  if (length && body.size() > *length) body.resize(static_cast<std::size_t>(*length));
  return body;
}

}  // namespace bowsprit::artifact
