// SPDX-License-Identifier: Apache-2.0
/// Style, script and icon, carried in the program (src/web/assets, cmake/Embed.cmake). Nothing is loaded from anywhere
/// else. Threads: any.
#pragma once

#include <string>
#include <string_view>

namespace bowsprit::web {

struct Asset {
  std::string url;  ///< with a hash of the content, so that it may be cached for ever
  std::string_view type;
  std::string_view content;
};
const Asset& style_asset();
const Asset& script_asset();
const Asset& icon_asset();

}  // namespace bowsprit::web
