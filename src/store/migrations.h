// SPDX-License-Identifier: Apache-2.0
/// The schema of the store as numbered steps. A step is never edited once it is released; a change is a new step.
/// Internal to store/. Threads: as Database.
#pragma once

#include <span>

#include "store/sqlite.h"

namespace bowsprit::store {

/// Step i leads from version i to version i + 1; version 0 is an empty file.
std::span<const char* const> migrations();

/// Brings the schema to `target`, each step in a transaction of its own.
/// @error bad_data  the file is of a newer version than `target`; it is left as it is
Result<> migrate(Database& database, int target = static_cast<int>(migrations().size()));

}  // namespace bowsprit::store
