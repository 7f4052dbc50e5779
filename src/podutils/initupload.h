// SPDX-License-Identifier: Apache-2.0
/// `initupload` tells the artifact store that a run has begun: started.json, and what cloning did (clone-log.txt,
/// clone-records.json); where cloning failed also build-log.txt and finished.json, since nothing else will run (Prow's
/// pkg/initupload).
/// Does not: upload artifacts. Threads: one.
#pragma once

#include "podutils/job_spec.h"
#include "podutils/options.h"

namespace bowsprit::podutils {

/// @error bad_data  the clone log can't be read; conflict  cloning had failed (after all was uploaded)
Result<> run_initupload(const InitUploadOptions& options, const JobSpec& spec, SystemTime now);

}  // namespace bowsprit::podutils
