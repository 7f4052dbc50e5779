// SPDX-License-Identifier: Apache-2.0
/// The base's kernel and result, kept in the build folder by the run that judged the base, for the runs on changes that build there later.
///
///   BUILD/.bowsprit.base/linux        a copy of the kernel: what a later make writes does not reach it
///                       /result.json  what it said
///                       /about.json   of which commit, kunitconfig and tools it is
///
/// So a job on a warm tree has its base without a second build. A build folder lives long and sees many commits: what lies there is
/// used only where about.json says that it is of the very commit that the run is compared with, and of the same kunitconfig
/// files, compiler and architecture.
/// Does not: boot or judge. Threads: one writer for each build folder (kernel::take_build_folder).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "os/files.h"
#include "verdict/run_result.h"

namespace bowsprit::app {

/// What a kernel was made of.
struct Provenance {
  std::string commit;              ///< 40 hex digits or more
  std::vector<std::string> files;  ///< kunitconfigs, as seen from the tree
  std::string kunitconfig;         ///< digest of all options asked for
  std::string tools;               ///< from tools_of
};

/// Architecture, compiler, assembler and linker as the configuration in this build folder names them; empty: there is none.
std::string tools_of(const fs::path& build);

struct KeptBase {
  RunResult result;
  fs::path kernel;
  std::vector<std::string> boot_arguments;
  bool same_configuration = true;  ///< else only the kunitconfig's text differs
};

/// Puts it in the place of the one before, whole or not at all. `what.kernel` is copied.
Result<> keep_base(const fs::path& build, const Provenance& from, const KeptBase& what);

/// @error not_found  none is kept there, or it is of something else; the message says what
Result<KeptBase> find_kept_base(const fs::path& build, const Provenance& wanted);

/// What Prow's JOB_SPEC says of the source.
struct JobSource {
  std::string base;      ///< commit that the job's change is merged into; empty: not told
  bool is_base = false;  ///< there is no change: the source is that commit
};
JobSource source_of_job(const std::string& job_spec);

}  // namespace bowsprit::app
