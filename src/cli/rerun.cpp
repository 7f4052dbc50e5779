// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/server_client.h"

namespace bowsprit::cli {
namespace {

Result<int> run(const Arguments& arguments) {
  TRY(wants_json(arguments));
  TRY_ASSIGN(const auto client, ServerClient::create(arguments));
  TRY_ASSIGN(const auto number, run_number(arguments.positionals[0]));
  TRY_ASSIGN(const auto answer, client.post(fmt::format("/api/v1/runs/{}/rerun", number)));
  return print_answer(arguments, answer, [&](const Json& json) {
    return fmt::format("run {} queued: {}\n", json_int(json, "run"), client.absolute(json_string(json, "page")));
  });
}

}  // namespace

Command rerun_command() {
  return {.name = "rerun",
          .operands = "RUN",
          .summary = "queues a run's job again on the same patch set",
          .details = R"(
Asks a running server to run the job of RUN (its number, or the address of its page) once more. Needs the server's
token, from --token-file or $BOWSPRIT_TOKEN. It does not wait for the end; without a token, comment "/retest" on the
change instead.

  bowsprit rerun 17 --token-file ~/.bowsprit-token)",
          .options = server_options(),
          .min_operands = 1,
          .max_operands = 1,
          .run = [](const Arguments& arguments) {
            const auto code = run(arguments);
            return code ? *code : report_error(code.error());
          }};
}

}  // namespace bowsprit::cli
