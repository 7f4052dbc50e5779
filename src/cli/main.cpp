// SPDX-License-Identifier: Apache-2.0
/// The program: finds the subcommand in the table of cli/commands.h and runs it.
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "cli/commands.h"

namespace bowsprit::cli {
namespace {

constexpr const char* kVersion = BOWSPRIT_VERSION;

void print_overview(std::FILE* to) {
  fmt::print(to,
             "bowsprit {} judges Linux kernel changes with KUnit before they merge\n\nusage: bowsprit COMMAND ...\n\n",
             kVersion);
  for (const auto& command : commands())
    if (!command.hidden) fmt::print(to, "  {:<14} {}\n", command.name, command.summary);
  fmt::print(to,
             "\n`bowsprit COMMAND --help` explains one, with an example. --verbose and --quiet set the log's level.\n");
}

/// The subcommand that the program's own name asks for, as in Prow's images: a link or copy called "sidecar".
std::optional<std::string> named_command(std::string_view program) {
  const auto name = program.substr(program.rfind('/') + 1);
  for (const auto& command : commands())
    if (!command.options_variable.empty() && command.name == name) return command.name;
  return std::nullopt;
}

int dispatch(std::vector<std::string> words) {
  // What follows "--", or the words of a wrapped program, is not ours.
  const bool wraps = !words.empty() && named_command(words[0]).has_value();
  const auto own_end = wraps ? words.begin() : std::ranges::find(words, "--");
  const auto kept = std::remove_if(words.begin(), own_end, [](const std::string& word) {
    if (word == "--verbose") set_log_level(LogLevel::debug);
    if (word == "--quiet") set_log_level(LogLevel::warn);
    return word == "--verbose" || word == "--quiet";
  });
  words.erase(kept, own_end);
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_overview(words.empty() ? stderr : stdout);
    return words.empty() ? 2 : 0;
  }
  if (words[0] == "--version" || words[0] == "version") {
    fmt::print("bowsprit {}\n", kVersion);
    return 0;
  }
  const Command* found = nullptr;
  std::size_t used = 0;
  for (const auto& command : commands()) {
    const auto name = split(command.name, ' ');  // "config check" is two words
    if (name.size() <= words.size() && std::equal(name.begin(), name.end(), words.begin()) && name.size() > used) {
      found = &command;
      used = name.size();
    }
  }
  if (found == nullptr) {
    std::vector<std::string> known;
    for (const auto& command : commands())
      if (!command.hidden) known.push_back(command.name);
    const auto near = nearest_word(words[0], known);
    fmt::print(stderr, "bowsprit: unknown command '{}'{}\n", words[0],
               near ? fmt::format("; did you mean '{}'?", *near) : "");
    return 2;
  }
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(used));
  for (const auto& word : words) {
    if (word == "--" || (found->go_flags && !word.starts_with('-'))) break;
    if (word == "--help" || word == "-h") {
      fmt::print("{}", help_text(*found));
      return 0;
    }
  }
  // A pod utility gets its options from the environment, and Prow's controller may add words that then don't count.
  const bool given = !found->options_variable.empty() && std::getenv(found->options_variable.c_str()) != nullptr;
  const auto arguments = given ? Arguments() : parse_arguments(*found, words);
  if (!arguments) {
    report_error(arguments.error());
    fmt::print(stderr, "see: bowsprit {} --help\n", found->name);
    return 2;
  }
  return found->run(*arguments);
}

}  // namespace
}  // namespace bowsprit::cli

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of that write, not our end
  try {
    std::vector<std::string> words(argv + 1, argv + argc);
    if (auto name = bowsprit::cli::named_command(argv[0])) words.insert(words.begin(), *std::move(name));
    return bowsprit::cli::dispatch(std::move(words));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bowsprit: bug: %s\nplease report this with the command that you ran\n", e.what());
    return 3;
  }
}
