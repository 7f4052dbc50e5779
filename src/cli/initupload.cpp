// SPDX-License-Identifier: Apache-2.0
#include "podutils/initupload.h"

#include <cstdlib>

#include "cli/commands.h"
#include "cli/upload_flags.h"

namespace bowsprit::cli {
namespace {

constexpr const char* kVariable = "INITUPLOAD_OPTIONS";

Result<podutils::InitUploadOptions> options_from(const Arguments& arguments) {
  if (const char* json = std::getenv(kVariable)) return podutils::read_initupload_options(json);
  podutils::InitUploadOptions options;
  TRY_ASSIGN(options.upload, upload_options(arguments));
  options.log = arguments.get("clone-log", "");
  return options;
}

Result<> initupload(const Arguments& arguments) {
  TRY_ASSIGN(const auto options, options_from(arguments));
  TRY(podutils::validate(options.upload));
  TRY_ASSIGN(const auto spec, job_spec_from_environment());
  return podutils::run_initupload(options, spec, SystemClock::now());
}

int run(const Arguments& arguments) {
  const auto done = initupload(arguments);
  return done ? 0 : utility_failed("initupload", done.error());
}

}  // namespace

Command initupload_command() {
  Command command{
      .name = "initupload",
      .operands = "[FILE...]",
      .summary = "pod utility: uploads started.json and the clone log",
      .details =
          R"(Says in the artifact store that a run has begun: started.json, clone-log.txt and clone-records.json; where cloning
failed also build-log.txt and finished.json, and the exit code is 1. The run is named by the environment variable
JOB_SPEC. Where the environment has INITUPLOAD_OPTIONS (JSON), the words of the command line do not count.

Example:
  JOB_SPEC="$SPEC" bowsprit initupload --clone-log clone.json --gcs-path file:///srv/artifacts --dry-run=false
)",
      .options = upload_flags(),
      .min_operands = 0,
      .max_operands = -1,
      .run = &run,
      .go_flags = true,
      .options_variable = kVariable};
  command.options.insert(command.options.begin(), {"clone-log", "FILE", "the records that clonerefs wrote"});
  return command;
}

}  // namespace bowsprit::cli
