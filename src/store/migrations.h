// SPDX-License-Identifier: Apache-2.0
/// The schema of the store as numbered steps. A step is never edited once it is released; a change is a new step with a
/// number above all others. A file keeps the numbers of the steps it has, so numbers may have gaps, and a step that was
/// merged late is still taken. Internal to store/. Threads: as Database.
#pragma once

#include <span>

#include "store/sqlite.h"

namespace bowsprit::store {

struct Step {
  int version;
  const char* sql;
};
/// In the order in which they are taken; a step may use what those before it made.
std::span<const Step> migrations();

/// Takes each step up to `target` that the file does not have, each in a transaction of its own.
/// @error bad_data  the file has a step that this program does not know; it is left as it is
Result<> migrate(Database& database, int target = migrations().back().version);

}  // namespace bowsprit::store
