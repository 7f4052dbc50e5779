// SPDX-License-Identifier: Apache-2.0
#include "app/server.h"
#include "base/log.h"
#include "base/strings.h"
#include "cli/ci_options.h"
#include "cli/commands.h"

namespace bowsprit::cli {
namespace {

int run(const Arguments& arguments) {
  const auto config = ci_config(arguments);
  if (!config) return report_error(config.error());
  const auto served = app::serve({.config = *config, .port_file = arguments.get("port-file", "")});
  return served ? 0 : report_error(served.error());
}

}  // namespace

Command serve_command() {
  std::vector<Option> options = ci_options();
  options.push_back({"port-file", "FILE", "write the web server's port to FILE once it listens"});
  return {.name = "serve",
          .operands = "",
          .summary = "the server: watch Gerrit, run jobs, comment and vote",
          .details = R"(
Watches projects of a Gerrit, starts the jobs of their changes in sandboxes on this machine, and answers on each change with a comment, a vote
and a page that shows why. Needs no configuration: with --gerrit and --repo every patch set is built and its KUnit tests run.
With --config, bowsprit.yaml names Prow's job files and everything else; options given here win over it.

    bowsprit serve --gerrit https://gerrit.example --repo linux --user kunit --password-file /etc/bowsprit/password
    bowsprit serve --config /etc/bowsprit/bowsprit.yaml

The account needs the right to vote on --label; with --ssh also the global capability Stream Events, by which a push starts its job at once
instead of at the next poll. Ends on SIGTERM; runs that were under way start again with the next start.
)",
          .options = std::move(options),
          .run = run};
}

}  // namespace bowsprit::cli
