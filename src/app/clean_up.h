// SPDX-License-Identifier: Apache-2.0
/// Removes what is old enough (Prow: cmd/sinker): rows of ended runs, and folders that runs left behind.
///
/// Rows go only by a configured age, and the newest run of a live periodic stays, as its schedule counts from it. Folders go when they are a
/// day old (sinker.max_pod_age) and no run under way has them.
/// Does not: remove artifacts, which outlive the rows, or warm trees. Threads: the engine's.
#pragma once

#include <filesystem>
#include <optional>

#include "app/job_table.h"
#include "store/store.h"

namespace bowsprit::app {

struct CleanUp {
  std::string gerrit;
  std::optional<milliseconds> runs;        ///< age of rows, from the end of the run; unset: they stay
  milliseconds folders{24 * 3600 * 1000};  ///< age of folders in `work`, from the last change in them
  std::filesystem::path work;              ///< one folder for each run under way, named by its number
};

Result<> clean_up(store::Store& store, const std::vector<PeriodicHere>& periodics, const CleanUp& what, SystemTime now);

}  // namespace bowsprit::app
