// SPDX-License-Identifier: Apache-2.0
#include "kernel/build_log.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace bowsprit::kernel {
namespace {

using Kind = BuildMessage::Kind;

/// "NUMBER:" at the front of `text`, taken off it.
std::optional<int> take_number(std::string_view& text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 9) return std::nullopt;
  const auto value = parse_int(text.substr(0, colon));
  if (!value || *value < 0) return std::nullopt;
  text.remove_prefix(colon + 1);
  return static_cast<int>(*value);
}

struct Severity {
  std::string_view word;
  Kind kind;
};
constexpr std::array kSeverities{
    Severity{"fatal error:", Kind::error}, Severity{"internal compiler error:", Kind::error},
    Severity{"error:", Kind::error},       Severity{"Error:", Kind::error},
    Severity{"warning:", Kind::warning},   Severity{"Warning:", Kind::warning},
};

/// The severity word at the front of `text`, taken off it.
std::optional<Kind> take_severity(std::string_view& text) {
  text = trim(text);
  for (const auto& [word, kind] : kSeverities) {
    if (!text.starts_with(word)) continue;
    // "fatal error" and the like stay in the text, since they tell more than the kind does.
    if (word == "error:" || word == "Error:" || word == "warning:" || word == "Warning:")
      text = trim(text.substr(word.size()));
    return kind;
  }
  return std::nullopt;
}

bool is_path(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t'\"`(") == std::string_view::npos;
}

/// A line that speaks of the machine and not of the source.
bool is_machine_fault(std::string_view text) {
  constexpr std::array kSigns{
      ": No space left on device", "Disk quota exceeded", "Cannot allocate memory", "virtual memory exhausted",
      "Killed signal terminated program", "out of memory allocating", ": Read-only file system",
      // Kbuild's own tools of x86 want it: Debian's libelf-dev.
      "fatal error: gelf.h: No such file or directory", "fatal error: libelf.h: No such file or directory"};
  if (std::ranges::any_of(kSigns, [&](const char* sign) { return text.find(sign) != std::string_view::npos; }))
    return true;
  if (text.find("fork: ") != std::string_view::npos &&
      text.find("Resource temporarily unavailable") != std::string_view::npos)
    return true;
  // "/bin/sh: 1: flex: not found", "make: gcc: No such file or directory", "bash: line 1: bison: command not found"
  const bool shell = text.starts_with("/bin/sh: ") || text.starts_with("sh: ") || text.starts_with("bash: ");
  if (shell && (text.ends_with(": not found") || text.ends_with(": command not found"))) {
    const auto name = text.substr(0, text.rfind(": "));
    return name.substr(name.rfind(' ') + 1).find('/') == std::string_view::npos;
  }
  return false;
}

}  // namespace

void BuildLog::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    if (!overlong_) partial_.append(bytes.substr(0, std::min(end, kMaxLine - std::min(kMaxLine, partial_.size()))));
    if (partial_.size() >= kMaxLine) overlong_ = true;
    if (end == std::string_view::npos) return;
    line(partial_);
    partial_.clear();
    overlong_ = false;
    bytes.remove_prefix(end + 1);
  }
}

void BuildLog::finish() {
  if (!partial_.empty()) line(partial_);
  partial_.clear();
}

std::string BuildLog::tree_path(std::string_view path) const {
  if (path.empty() || path.front() == '<') return std::string(path);  // <stdin>, <command-line>
  const fs::path full = (fs::path(path).is_absolute() ? fs::path(path) : build_ / path).lexically_normal();
  // The build folder first: it may be below the tree's parent, and its generated files have names relative to it.
  for (const auto& root : {tree_, build_}) {
    const auto relative = full.lexically_relative(root);
    if (!relative.empty() && *relative.begin() != "..") return relative.string();
  }
  return full.string();
}

void BuildLog::add(BuildMessage message) {
  message.text = printable(shorten(trim(message.text), 2000));
  // The same header warns once for each file that includes it; once is enough.
  if (!seen_.insert(fmt::format("{}:{}:{}:{}", message.file, message.line, message.column, message.text)).second)
    return;
  auto& list = message.kind == Kind::error ? errors_ : warnings_;
  if (list.size() < kMaxMessages) list.push_back(std::move(message));
  if (seen_.size() > 20 * kMaxMessages) seen_.clear();
}

/// "FILE:LINE:COLUMN: error: text", also without column; Kconfig's "FILE:LINE: text"; ld's "FILE:(.text+0x1): undefined
/// ...".
std::optional<BuildMessage> BuildLog::compiler_message(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto path = text.substr(0, colon);
  if (!is_path(path)) return std::nullopt;
  auto rest = text.substr(colon + 1);
  BuildMessage message;
  message.file = tree_path(path);
  if (const auto number = take_number(rest)) message.line = *number;
  if (message.line > 0)
    if (const auto number = take_number(rest)) message.column = *number;
  if (const auto kind = take_severity(rest)) {
    message.kind = *kind;
    message.text = rest;
    if (path == "ld" || path.ends_with("/ld") || path == "collect2" || path == "cc1" || path == "gcc" || path == "make")
      message.file.clear();
    return message;
  }
  const bool kconfig = fs::path(path).filename().string().starts_with("Kconfig");
  if (kconfig && message.line > 0) {
    message.text = trim(rest);
    return message;
  }
  constexpr std::array kLinker{"undefined reference to", "multiple definition of", "relocation truncated to fit",
                               "undefined symbol"};
  if (std::ranges::any_of(kLinker, [&](const char* words) { return rest.find(words) != std::string_view::npos; })) {
    // "lib/x.o: in function `f':" stands before it; the place itself is "x.c:(.text+0x5): undefined reference to `g'",
    // or with ld in front: "ld: lib/x.o: in function ...".
    const auto words = rest.find(": ");
    message.text = words == std::string_view::npos ? rest : rest.substr(words + 2);
    if (path == "ld" || path.ends_with("/ld")) {
      auto after = trim(rest);
      const auto next = after.find(':');
      if (next != std::string_view::npos && is_path(after.substr(0, next)))
        message.file = tree_path(after.substr(0, next));
    }
    return message;
  }
  return std::nullopt;
}

/// modpost, objtool's and make's own words.
std::optional<BuildMessage> BuildLog::tool_message(std::string_view text) {
  if (text.starts_with("ERROR: modpost: ")) return BuildMessage{Kind::error, "", 0, 0, std::string(text.substr(7))};
  if (text.starts_with("WARNING: modpost: ")) return BuildMessage{Kind::warning, "", 0, 0, std::string(text.substr(9))};
  if (text.starts_with("***") && text.find("Error") == std::string_view::npos &&
      text.find("configuration") == std::string_view::npos &&
      text.find("The source tree is not clean") != std::string_view::npos)
    return BuildMessage{Kind::error, "", 0, 0,
                        "the source tree is not clean: it was built in; run 'make mrproper' in it"};
  const auto stars = text.find("*** ");
  if (stars == std::string_view::npos) return std::nullopt;
  // "make[3]: *** No rule to make target 'lib/x.o', needed by 'lib/built-in.a'.  Stop."
  const auto rest = text.substr(stars + 4);
  if (!text.starts_with("make") && text.find(": *** ") == std::string_view::npos) return std::nullopt;
  BuildMessage message{Kind::error, "", 0, 0, std::string(rest)};
  if (!text.starts_with("make")) {  // "scripts/Makefile.build:41: *** missing separator.  Stop."
    auto place = text.substr(0, stars);
    const auto colon = place.find(':');
    if (colon == std::string_view::npos || !is_path(place.substr(0, colon))) return std::nullopt;
    message.file = tree_path(place.substr(0, colon));
    place.remove_prefix(colon + 1);
    if (const auto number = take_number(place)) message.line = *number;
    return message;
  }
  if (rest.starts_with(
          "[")) {  // "[../scripts/Makefile.build:229: lib/kunit/test.o] Error 1": only says that something failed
    if (make_errors_.size() < 20) {
      const auto close = rest.find(']');
      const auto space = rest.rfind(' ', close);
      if (close != std::string_view::npos && space != std::string_view::npos && space < close)
        message.file = tree_path(rest.substr(space + 1, close - space - 1));
      make_errors_.push_back(std::move(message));
    }
    return std::nullopt;
  }
  return message;
}

void BuildLog::line(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  // "  CC      lib/kunit/test.o": two spaces, upper-case word, padding, object.
  if (text.starts_with("  ") && text.size() > 10 && text[2] >= 'A' && text[2] <= 'Z') {
    const auto space = text.find(' ', 2);
    const auto object = trim(text.substr(std::min(space, text.size())));
    if (on_object && (object.ends_with(".o") || object.ends_with(".a"))) on_object(std::string(object));
    return;
  }
  if (machine_fault_.empty() && is_machine_fault(text)) machine_fault_ = printable(shorten(text, 300));
  if (auto message = tool_message(text)) {
    add(*std::move(message));
  } else if (auto other = compiler_message(text)) {
    add(*std::move(other));
  }
}

std::vector<BuildMessage> BuildLog::take_messages() {
  auto messages = std::move(errors_);
  if (messages.empty() && !make_errors_.empty()) messages.push_back(make_errors_.front());
  messages.insert(messages.end(), warnings_.begin(), warnings_.end());
  return messages;
}

}  // namespace bowsprit::kernel
