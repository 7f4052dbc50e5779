// SPDX-License-Identifier: Apache-2.0
#include "kernel/saved_command.h"

#include "base/strings.h"

namespace bowsprit::kernel {
namespace {

/// Words of a command that has no quoting in it.
std::vector<std::string> words_of(std::string_view text) {
  auto words = split(text, ' ');
  std::erase(words, "");
  return words;
}

/// Make's quoting undone: "$$" is a dollar sign and "$(pound)" a hash sign; nothing else may be left to expand.
Result<std::string> for_shell(std::string_view target, std::string_view saved) {
  constexpr std::string_view kPound = "$(pound)";
  std::string out;
  while (!saved.empty()) {
    if (saved.starts_with(kPound)) {
      out += '#';
      saved.remove_prefix(kPound.size());
    } else if (saved.starts_with("$$")) {
      out += '$';
      saved.remove_prefix(2);
    } else if (saved.front() == '$') {
      return fail(ErrorKind::bad_data, "command of '{}': it has a variable of make's in it", target);
    } else {
      out += saved.front();
      saved.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace

Result<SavedCommand> parse_saved_command(std::string_view text) {
  SavedCommand out;
  constexpr std::string_view kCommand = "savedcmd_";
  constexpr std::string_view kSource = "source_";
  constexpr std::string_view kDeps = "deps_";
  bool inside = false;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (inside) {
      line = trim(line);
      if (line.ends_with('\\')) line = trim(line.substr(0, line.size() - 1));
      inside = !line.empty();
      if (inside && !line.starts_with("$(wildcard ")) out.prerequisites.push_back(line);
      continue;
    }
    const auto assign = line.find(" := ");
    if (assign == std::string_view::npos) continue;
    const auto value = line.substr(assign + 4);
    if (line.starts_with(kCommand) && out.target.empty()) {
      out.target = line.substr(kCommand.size(), assign - kCommand.size());
      out.saved = value;
    } else if (line.starts_with(kSource)) {
      out.source = trim(value);
    } else if (line.starts_with(kDeps)) {
      inside = true;
    }
  }
  if (out.target.empty()) return fail(ErrorKind::bad_data, "not a saved command of Kbuild");
  TRY_ASSIGN(out.command, for_shell(out.target, out.saved));
  return out;
}

std::optional<std::string> dependency_file_of_compile(const SavedCommand& command) {
  if (command.source.empty() || command.source.find_first_of(" '\"\\") != std::string::npos) return std::nullopt;
  const std::string_view text = trim(command.command);
  if (!text.ends_with(fmt::format(" -c -o {} {}", command.target, command.source))) return std::nullopt;
  // One command: nothing that a shell would take for a second one. Definitions have quotes and brackets in them.
  if (text.find_first_of(";|&<>`\n") != std::string_view::npos) return std::nullopt;
  const auto slash = command.target.rfind('/');
  const auto name = slash == std::string::npos ? 0 : slash + 1;
  const std::string file = fmt::format("{}.{}.d", command.target.substr(0, name), command.target.substr(name));
  if (text.find(fmt::format(" -Wp,-MMD,{} ", file)) == std::string_view::npos &&
      text.find(fmt::format(" -Wp,-MD,{} ", file)) == std::string_view::npos)
    return std::nullopt;
  return file;
}

std::optional<std::vector<std::string>> archive_members(const SavedCommand& command) {
  std::string_view text = command.command;
  const std::string remove = fmt::format("rm -f {};", command.target);
  if (!command.target.ends_with(".a") || !text.starts_with(remove)) return std::nullopt;
  text = trim(text.substr(remove.size()));
  std::vector<std::string> members;
  if (constexpr std::string_view kPrintf = "printf \""; text.starts_with(kPrintf)) {
    // printf "lib/%s " a.o b.o | xargs ar cDPrST lib/built-in.a
    text.remove_prefix(kPrintf.size());
    const auto format = text.find("%s \" ");
    const auto pipe = text.find(" | xargs ");
    if (format == std::string_view::npos || pipe == std::string_view::npos || pipe < format) return std::nullopt;
    std::string prefix(text.substr(0, format));
    if (prefix == "./") prefix.clear();
    for (const auto& word : words_of(text.substr(format + 5, pipe - format - 5))) members.push_back(prefix + word);
    const auto last = words_of(text.substr(pipe + 9));
    if (last.size() != 3 || last[2] != command.target || !last[1].starts_with("cDPr")) return std::nullopt;
    return members;
  }
  // ar cDPrsT lib/lib.a a.o b.o;  and vmlinux.a, whose members are then put into order
  const auto words = words_of(text.substr(0, text.find(';')));
  if (words.size() < 3 || !words[1].starts_with("cDPr") || words[2] != command.target) return std::nullopt;
  for (std::size_t i = 3; i < words.size(); ++i)
    members.push_back(words[i].starts_with("./") ? words[i].substr(2) : words[i]);
  return members;
}

}  // namespace bowsprit::kernel
