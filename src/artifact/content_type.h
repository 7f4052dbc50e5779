// SPDX-License-Identifier: Apache-2.0
/// The Content-Type with which an object goes to a bucket.
///
/// Known extensions first, then the bytes: text or not. Never a type that a browser runs (HTML, SVG): artifacts come from
/// code under test, and a bucket's host may serve other things too. An operator who wants that names it by `mediaTypes`.
/// Pure. Threads: any.
#pragma once

#include <string>
#include <string_view>

namespace bowsprit::artifact {

/// @param head  the first bytes of the content; 512 are enough
std::string content_type_of(std::string_view name, std::string_view head);

}  // namespace bowsprit::artifact
