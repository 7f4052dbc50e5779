// SPDX-License-Identifier: Apache-2.0
/// Kubernetes' rules for labels and annotations. Pure. Threads: any.
#pragma once

#include <string_view>

namespace bowsprit::prow {

inline constexpr std::size_t kMaxLabelValue = 63;

/// Empty, or at most 63 of A-Z a-z 0-9 - _ . with a letter or digit at both ends.
bool is_label_value(std::string_view text);
/// The key of a label or annotation: [dns.name/]word.
bool is_qualified_name(std::string_view text);

}  // namespace bowsprit::prow
