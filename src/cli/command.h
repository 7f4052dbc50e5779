// SPDX-License-Identifier: Apache-2.0
/// The shape of a subcommand: one file per command in cli/, one table in cli/main.cpp.
///
/// Options are declared once; the declaration gives parsing, errors and `--help`. "--name value" and "--name=value"
/// both work,
/// "--" ends options. Exit codes are the project's: 0 done, 1 the change is at fault, 2 usage or configuration, 3
/// infrastructure. Does not: read files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace bowsprit::cli {

struct Option {
  std::string name;   ///< without dashes
  std::string value;  ///< name of its value in the help, "DIR"; empty: a switch
  std::string help;
  bool repeats = false;
};

class Arguments {
 public:
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const;  ///< the last one given
  [[nodiscard]] std::string get(std::string_view name, std::string_view fallback) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  /// A switch of a command with `go_flags`, which may be given as "--name=false".
  [[nodiscard]] bool flag(std::string_view name, bool fallback) const;
  /// @error usage  given, and not a duration ("90s", "5m") or not a whole number
  [[nodiscard]] Result<std::optional<milliseconds>> duration(std::string_view name) const;
  [[nodiscard]] Result<std::optional<std::int64_t>> number(std::string_view name) const;
  std::vector<std::string> positionals;

 private:
  friend Result<Arguments> parse_arguments(const struct Command& command, const std::vector<std::string>& words);
  std::multimap<std::string, std::string, std::less<>> values_;
};

struct Command {
  std::string name;      ///< "run", "config check"
  std::string operands;  ///< "[TREE]"
  std::string summary;   ///< one line, for the list of commands
  std::string details;   ///< what it does and does not do, with at least one example; printed by --help
  std::vector<Option> options;
  int min_operands = 0;
  int max_operands = 0;  ///< negative: any number
  int (*run)(const Arguments& arguments) = nullptr;
  bool hidden = false;  ///< not in the overview: other parts of bowsprit start it
  bool go_flags =
      false;  ///< as Go's package flag reads words: also "-name", "--switch=false", ends at the first operand
  std::string options_variable = {};  ///< environment variable; where it is set, the words are not read at all
};

/// @error usage  unknown option (with the nearest known one), missing value, wrong number of operands
Result<Arguments> parse_arguments(const Command& command, const std::vector<std::string>& words);
std::string help_text(const Command& command);

/// Prints "bowsprit: ..." on stderr and gives the exit code of the error: 2 for usage and configuration, 1 where the
/// change is to blame, 3 else.
int report_error(const Error& error);

}  // namespace bowsprit::cli
