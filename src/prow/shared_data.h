// SPDX-License-Identifier: Apache-2.0
/// For tests: real configurations and Pods of public projects, which are not part of this one. They lie beside the repository where its own team works,
/// or where BOWSPRIT_SHARED says; a user's clone has none, and the tests of them say so.
/// Threads: any.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace bowsprit::prow {

/// The folder of that name, which may not be there. Where BOWSPRIT_SHARED is set and has none, the test fails: a wrong setting must not skip it.
inline std::filesystem::path shared_data(std::string_view name) {
  const char* named = std::getenv("BOWSPRIT_SHARED");
  const std::filesystem::path shared = named != nullptr ? named : BOWSPRIT_SOURCE_DIR "/../shared";
  const auto folder = shared / "data" / name;
  if (named != nullptr && !std::filesystem::exists(folder)) ADD_FAILURE() << "BOWSPRIT_SHARED has no " << folder;
  return folder;
}

}  // namespace bowsprit::prow
