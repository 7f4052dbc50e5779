// SPDX-License-Identifier: Apache-2.0
#include "podutils/sidecar.h"

#include <cstdlib>

#include "cli/commands.h"
#include "cli/upload_flags.h"

namespace bowsprit::cli {
namespace {

constexpr const char* kVariable = "SIDECAR_OPTIONS";

Result<int> sidecar(const Arguments& arguments) {
  podutils::SidecarOptions options;
  if (const char* json = std::getenv(kVariable)) {
    TRY_ASSIGN(options, podutils::read_sidecar_options(json));
  } else {
    TRY_ASSIGN(options.upload, upload_options(arguments));
  }
  TRY(podutils::validate(options));
  TRY_ASSIGN(const auto spec, job_spec_from_environment());
  return podutils::run_sidecar(options, spec);
}

int run(const Arguments& arguments) {
  const auto code = sidecar(arguments);
  return code ? *code : utility_failed("sidecar", code.error());
}

}  // namespace

Command sidecar_command() {
  return {
      .name = "sidecar",
      .operands = "[FILE...]",
      .summary = "pod utility: uploads what a job left",
      .details =
          R"(Waits until the wrapped programs of a job ended (their marker files), takes secrets out of logs and artifacts, and
uploads them with finished.json, as Prow's sidecar does. What can't be censored is not uploaded. The run is named by the
environment variable JOB_SPEC; the programs come from SIDECAR_OPTIONS (JSON), beside which the command line does not count.

Example:
  SIDECAR_OPTIONS='{"gcs_options":{"items":["/logs/artifacts"],"local_output_dir":"/out"},"entries":[
    {"process_log":"/logs/process-log.txt","marker_file":"/logs/marker-file.txt"}]}' JOB_SPEC="$SPEC" bowsprit sidecar
)",
      .options = upload_flags(),
      .min_operands = 0,
      .max_operands = -1,
      .run = &run,
      .go_flags = true,
      .options_variable = kVariable};
}

}  // namespace bowsprit::cli
