// SPDX-License-Identifier: Apache-2.0
#include "artifact/object_store.h"

#include <algorithm>

#include "base/strings.h"

namespace bowsprit::artifact {

bool is_object_name(std::string_view name) {
  if (name.empty() || name.size() > 1024 || name.find('\0') != std::string_view::npos) return false;
  return std::ranges::all_of(split(name, '/'), [](const std::string& part) {
    return !part.empty() && part != "." && part != ".." && part.size() <= 255 && !part.starts_with(kDraftPrefix);
  });
}

Result<std::string> ObjectStore::signed_url(const std::string& name, seconds /*lifetime*/) {
  return fail(ErrorKind::bad_config, "sign a URL of '{}': this store has no URLs", name);
}

}  // namespace bowsprit::artifact
