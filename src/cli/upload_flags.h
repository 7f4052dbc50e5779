// SPDX-License-Identifier: Apache-2.0
/// The flags that initupload and sidecar share: where files are uploaded to (Prow's pkg/gcsupload/options.go), and what
/// else they have in common.
#pragma once

#include "cli/command.h"
#include "podutils/job_spec.h"
#include "podutils/options.h"

namespace bowsprit::cli {

std::vector<Option> upload_flags();
Result<podutils::UploadOptions> upload_options(const Arguments& arguments);
/// Of the environment variable JOB_SPEC.
Result<podutils::JobSpec> job_spec_from_environment();
/// Prints the error; the exit code is 1, as of Prow's utilities.
int utility_failed(std::string_view utility, const Error& error);

}  // namespace bowsprit::cli
