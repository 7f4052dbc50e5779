// SPDX-License-Identifier: Apache-2.0
/// The program `entrypoint` alone, linked statically: it runs in a job's image, which has none of our libraries.
#include <signal.h>

#include <cstdio>
#include <cstdlib>

#include "cli/commands.h"

int main(int argc, char** argv) {
  using namespace bowsprit::cli;
  ::signal(SIGPIPE, SIG_IGN);
  const Command command = entrypoint_command();
  const bool given = std::getenv(command.options_variable.c_str()) != nullptr;
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!given && !words.empty() && words[0] == "--help") {
    std::fputs(help_text(command).c_str(), stdout);
    return 0;
  }
  const auto arguments = given ? Arguments() : parse_arguments(command, words);
  if (!arguments) return report_error(arguments.error());
  return command.run(*arguments);
}
