// SPDX-License-Identifier: Apache-2.0
#include "podutils/entrypoint.h"

#include <cstdlib>

#include "cli/commands.h"

namespace bowsprit::cli {
namespace {

constexpr const char* kVariable = "ENTRYPOINT_OPTIONS";

Result<podutils::EntrypointOptions> options_from(const Arguments& arguments) {
  if (const char* json = std::getenv(kVariable)) return podutils::read_entrypoint_options(json);
  podutils::EntrypointOptions options;
  TRY_ASSIGN(const auto timeout, arguments.duration("timeout"));
  TRY_ASSIGN(const auto grace, arguments.duration("grace-period"));
  options.timeout = timeout.value_or(options.timeout);
  options.grace_period = grace.value_or(options.grace_period);
  options.artifact_dir = arguments.get("artifact-dir", "");
  options.propagate_error_code = arguments.flag("propagate-error-code", false);
  options.copy_mode_only = arguments.flag("copy-mode-only", false);
  options.copy_dst = arguments.get("copy-destination", "");
  options.wrapper = {.args = arguments.positionals,
                     .process_log = arguments.get("process-log", ""),
                     .marker_file = arguments.get("marker-file", ""),
                     .metadata_file = arguments.get("metadata-file", "")};
  return options;
}

int run(const Arguments& arguments) {
  const auto failed = [](const Error& error) {
    fmt::print(stderr, "entrypoint: {}\n", error.text());
    return 1;  // as Prow's utilities, whatever went wrong before the program started
  };
  const auto options = options_from(arguments);
  if (!options) return failed(options.error());
  if (options->copy_mode_only) {
    const auto placed = podutils::place_entrypoint(options->copy_dst.empty() ? "/tools/entrypoint" : options->copy_dst);
    return placed ? 0 : failed(placed.error());
  }
  if (const auto valid = podutils::validate(*options); !valid) return failed(valid.error());
  return podutils::run_entrypoint(*options);
}

}  // namespace

Command entrypoint_command() {
  return {
      .name = "entrypoint",
      .operands = "[PROGRAM [ARG...]]",
      .summary = "pod utility: wraps a job's program",
      .details =
          R"(Runs PROGRAM with its output in a log too, within a time limit, and writes its exit code to a marker file for
sidecar, as Prow's entrypoint does. Ends the whole process group of the program, and what left it. Where the environment
has ENTRYPOINT_OPTIONS (JSON), the words of the command line do not count.
Marker: the exit code; 127 timed out or not started (metadata says which), 130 aborted, 1130 the previous step failed.

Example:
  bowsprit entrypoint --timeout 1h --process-log log.txt --marker-file marker.txt -- make check
)",
      .options = {{"timeout", "TIME", "limit of the program; 2h where it is not given"},
                  {"grace-period", "TIME", "from SIGINT to SIGKILL; 15s where it is not given"},
                  {"artifact-dir", "DIR", "made before the program starts"},
                  {"process-log", "FILE", "gets what the program prints"},
                  {"marker-file", "FILE", "gets the exit code"},
                  {"metadata-file", "FILE", "JSON of the job; says afterwards how the program ended"},
                  {"propagate-error-code", "", "the program's own exit code also after a timeout or abort"},
                  {"copy-mode-only", "", "only copy this program, to run it in another image"},
                  {"copy-destination", "FILE", "where to; /tools/entrypoint where it is not given"}},
      .min_operands = 0,
      .max_operands = -1,
      .run = &run,
      .go_flags = true,
      .options_variable = kVariable};
}

}  // namespace bowsprit::cli
