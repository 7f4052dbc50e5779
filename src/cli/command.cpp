// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <algorithm>
#include <cstdio>

#include "base/strings.h"

namespace bowsprit::cli {

bool Arguments::has(std::string_view name) const { return values_.find(name) != values_.end(); }

std::optional<std::string> Arguments::get(std::string_view name) const {
  const auto [first, last] = values_.equal_range(name);
  if (first == last) return std::nullopt;
  return std::prev(last)->second;
}

std::string Arguments::get(std::string_view name, std::string_view fallback) const {
  return get(name).value_or(std::string(fallback));
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  std::vector<std::string> out;
  const auto [first, last] = values_.equal_range(name);
  for (auto it = first; it != last; ++it) out.push_back(it->second);
  return out;
}

bool Arguments::flag(std::string_view name, bool fallback) const {
  const auto text = get(name);
  if (!text) return fallback;
  return !(*text == "false" || *text == "f" || *text == "0" || *text == "FALSE" || *text == "F" || *text == "False");
}

Result<std::optional<milliseconds>> Arguments::duration(std::string_view name) const {
  const auto text = get(name);
  if (!text) return std::nullopt;
  // A bare number means seconds, as in kunit.py's --timeout.
  if (const auto whole = parse_int(*text); whole && *whole >= 0) return milliseconds(*whole * 1000);
  const auto value = parse_duration(*text);
  if (!value || value->count() < 0)
    return fail(ErrorKind::usage, "--{}: expected a duration such as 90s or 5m, got '{}'", name, *text);
  return value;
}

Result<std::optional<std::int64_t>> Arguments::number(std::string_view name) const {
  const auto text = get(name);
  if (!text) return std::nullopt;
  const auto value = parse_int(*text);
  if (!value) return fail(ErrorKind::usage, "--{}: expected a whole number, got '{}'", name, *text);
  return value;
}

Result<Arguments> parse_arguments(const Command& command, const std::vector<std::string>& words) {
  Arguments arguments;
  bool options_ended = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (options_ended || word.size() < 2 || word[0] != '-') {
      arguments.positionals.push_back(word);
      options_ended = options_ended || command.go_flags;
      continue;
    }
    if (word == "--") {
      options_ended = true;
      continue;
    }
    const std::size_t dashes = word.starts_with("--") ? 2 : 1;
    if (dashes == 1 && !command.go_flags) return fail(ErrorKind::usage, "unknown option '{}'", word);
    const auto equals = word.find('=');
    const std::string name = word.substr(dashes, equals == std::string::npos ? equals : equals - dashes);
    const auto option = std::ranges::find(command.options, name, &Option::name);
    if (option == command.options.end()) {
      std::vector<std::string> known{"help"};
      for (const auto& candidate : command.options) known.push_back(candidate.name);
      const auto near = nearest_word(name, known);
      return fail(ErrorKind::usage, "unknown option '--{}'{}", name,
                  near ? fmt::format("; did you mean '--{}'?", *near) : "");
    }
    if (!option->repeats && arguments.has(name)) return fail(ErrorKind::usage, "--{} is given twice", name);
    if (option->value.empty()) {
      if (equals != std::string::npos && !command.go_flags) return fail(ErrorKind::usage, "--{} takes no value", name);
      arguments.values_.emplace(name, equals == std::string::npos ? "" : word.substr(equals + 1));
    } else if (equals != std::string::npos) {
      arguments.values_.emplace(name, word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      arguments.values_.emplace(name, words[++i]);
    } else {
      return fail(ErrorKind::usage, "--{} needs a value: {}", name, option->value);
    }
  }
  const auto count = static_cast<int>(arguments.positionals.size());
  if (count < command.min_operands || (command.max_operands >= 0 && count > command.max_operands))
    return fail(ErrorKind::usage, "expected {} {}, got {} operand{}", command.name, command.operands, count,
                count == 1 ? "" : "s");
  return arguments;
}

std::string help_text(const Command& command) {
  std::string out = fmt::format("usage: bowsprit {} {}{}\n\n{}\n", command.name,
                                command.options.empty() ? "" : "[options] ", command.operands, trim(command.details));
  if (!command.options.empty()) out += "\noptions:\n";
  for (const auto& option : command.options) {
    const std::string left = fmt::format("--{}{}{}", option.name, option.value.empty() ? "" : " ", option.value);
    out += fmt::format("  {:<26} {}{}\n", left, option.help, option.repeats ? " (may repeat)" : "");
  }
  return out;
}

int report_error(const Error& error) {
  fmt::print(stderr, "bowsprit: {}\n", error.text());
  if (error.blame == Blame::configuration) return 2;
  return error.blame == Blame::change ? 1 : 3;
}

}  // namespace bowsprit::cli
