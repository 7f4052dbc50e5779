// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/server_client.h"

namespace bowsprit::cli {
namespace {

Result<int> run(const Arguments& arguments) {
  TRY(wants_json(arguments));
  TRY_ASSIGN(const auto client, ServerClient::create(arguments));
  TRY_ASSIGN(const auto number, run_number(arguments.positionals[0]));
  TRY_ASSIGN(const auto answer, client.post(fmt::format("/api/v1/runs/{}/abort", number)));
  return print_answer(arguments, answer,
                      [number](const Json&) { return fmt::format("run {} is being aborted\n", number); });
}

}  // namespace

Command abort_command() {
  return {.name = "abort",
          .operands = "RUN",
          .summary = "ends a waiting or running run",
          .details = R"(
Asks a running server to end RUN (its number, or the address of its page): its processes get TERM, then KILL. An aborted
run costs no vote. Needs the server's token, from --token-file or $BOWSPRIT_TOKEN.

  bowsprit abort 17 --token-file ~/.bowsprit-token)",
          .options = server_options(),
          .min_operands = 1,
          .max_operands = 1,
          .run = [](const Arguments& arguments) {
            const auto code = run(arguments);
            return code ? *code : report_error(code.error());
          }};
}

}  // namespace bowsprit::cli
