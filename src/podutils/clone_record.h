// SPDX-License-Identifier: Apache-2.0
/// What clonerefs did, as it tells initupload and as clone-records.json keeps it (pkg/pod-utils/clone/{types,format}.go).
/// Pure. Does not: hold secrets; the writer of a record has replaced them. Threads: values.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "prow/job.h"

namespace bowsprit::podutils {

struct CloneCommand {
  std::string command;
  std::string output;
  std::string error;  ///< empty: it succeeded
  std::chrono::nanoseconds duration{0};
};

/// One repository; or, with empty refs, the set-up before all.
struct CloneRecord {
  prow::Refs refs;
  std::vector<CloneCommand> commands;
  bool failed = false;
  std::string final_sha;  ///< what is checked out in the end
  std::chrono::nanoseconds duration{0};
};

Json to_json(const CloneRecord& record);
/// @error bad_data
Result<std::vector<CloneRecord>> read_clone_records(std::string_view json);

/// For a person, as clone-log.txt shows it.
std::string describe(const CloneRecord& record);

/// As Go prints it: "1m2.5s", "12.345678ms", "900ns".
std::string go_duration(std::chrono::nanoseconds duration);

}  // namespace bowsprit::podutils
