// SPDX-License-Identifier: Apache-2.0
#include "web/assets.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace bowsprit::web {

namespace embedded {
extern const std::string_view style;
extern const std::string_view script;
extern const std::string_view icon;
}  // namespace embedded

namespace {

Asset make_asset(std::string_view stem, std::string_view extension, std::string_view type, std::string_view content) {
  return {fmt::format("/static/{}-{}.{}", stem, sha256_hex(content).substr(0, 12), extension), type, content};
}

}  // namespace

const Asset& style_asset() {
  static const Asset asset = make_asset("style", "css", "text/css; charset=utf-8", embedded::style);
  return asset;
}
const Asset& script_asset() {
  static const Asset asset = make_asset("page", "js", "text/javascript; charset=utf-8", embedded::script);
  return asset;
}
const Asset& icon_asset() {
  static const Asset asset = make_asset("icon", "svg", "image/svg+xml", embedded::icon);
  return asset;
}

}  // namespace bowsprit::web
