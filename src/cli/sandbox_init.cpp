// SPDX-License-Identifier: Apache-2.0
#include "exec/local/sandbox_init.h"
#include "cli/commands.h"

namespace bowsprit::cli {
namespace {

int run_sandbox_init(const Arguments& arguments) {
  const auto grace = arguments.duration("grace");
  if (!grace) return report_error(grace.error());
  exec::InitOptions options{.argv = arguments.positionals};
  options.grace = grace->value_or(options.grace);
  return exec::sandbox_init(options);
}

}  // namespace

Command sandbox_init_command() {
  return {.name = "sandbox-init",
          .operands = "-- PROGRAM [ARG...]",
          .summary = "process 1 of a job's sandbox; the server starts it",
          .details =
              "Runs PROGRAM as a job and gives its exit code and artifacts to the server on descriptor 3. Not for use "
              "by hand.\n"
              "example: bowsprit sandbox-init --grace 15s -- make",
          .options = {{"grace", "TIME", "between TERM and KILL when the job must end"}},
          .min_operands = 1,
          .max_operands = -1,
          .run = &run_sandbox_init,
          .hidden = true};
}

}  // namespace bowsprit::cli
