// SPDX-License-Identifier: Apache-2.0
#include "kernel/kconfig.h"

#include <algorithm>

#include "base/strings.h"

namespace bowsprit::kernel {
namespace {

constexpr std::size_t kMaxFile = 4U << 20U;
constexpr int kMaxDepth = 50;  // of files that source each other

std::string_view first_word(std::string_view line) {
  const auto end = line.find_first_of(" \t\"");
  return line.substr(0, end);
}

/// Blanks as Kconfig counts them: a tab goes to the next column that eight divides.
std::size_t indent_of(std::string_view line) {
  std::size_t column = 0;
  for (const char c : line) {
    if (c == '\t')
      column += 8 - column % 8;
    else if (c == ' ')
      ++column;
    else
      break;
  }
  return column;
}

/// Without a "# comment" at its end.
std::string_view without_comment(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == '#' && !quoted && i > 0 && (line[i - 1] == ' ' || line[i - 1] == '\t'))
      return trim(line.substr(0, i));
  }
  return line;
}

std::string unquote(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return std::string(text);
}

std::string one_space(std::string_view text) {
  std::string out;
  for (const char c : trim(text)) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank || out.back() != ' ') out += blank ? ' ' : c;
  }
  return out;
}

/// What follows " if " outside of quotes; empty: nothing.
std::string_view after_if(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i + 3 < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    const bool blank_before = text[i] == ' ' || text[i] == '\t' || text[i] == '"';
    if (!quoted && blank_before && text.substr(i + 1, 2) == "if" && (text[i + 3] == ' ' || text[i + 3] == '\t'))
      return trim(text.substr(i + 4));
  }
  return {};
}

/// Reads files line by line, keeping which ifs, menus and choices are open, also around a file's `source` line.
class Reader {
 public:
  Reader(const fs::path& tree, Kconfig& out) : tree_(tree), out_(out) {}

  void file(const std::string& name) {
    const fs::path path = (tree_ / name).lexically_normal();
    const auto inside = path.lexically_relative(tree_);
    std::error_code failed;
    if (depth_ >= kMaxDepth || inside.empty() || *inside.begin() == ".." || fs::is_symlink(path, failed)) return;
    const auto text = read_file(path, kMaxFile);
    if (!text) return;
    ++depth_;
    std::string joined;
    int number = 0;
    std::optional<std::size_t> help;  // indentation of the help text that is being passed over; 0: not known yet
    for (const auto& raw : split_lines(*text)) {
      ++number;
      if (help) {
        if (trim(raw).empty()) continue;
        const auto indent = indent_of(raw);
        if (*help == 0) help = indent;
        if (indent >= *help && indent > 0) continue;
        help.reset();
      }
      joined += raw;
      if (joined.ends_with('\\')) {
        joined.back() = ' ';
        continue;
      }
      const auto line = trim(joined);
      if (first_word(line) == "help")
        help = 0;
      else if (!line.empty() && line.front() != '#')
        statement(without_comment(line), name, number);
      joined.clear();
    }
    --depth_;
  }

 private:
  struct Block {
    std::vector<KconfigCondition> depends;
    std::vector<KconfigCondition> visible;
    int choice = 0;
  };

  void statement(std::string_view line, const std::string& file, int number) {
    const auto word = first_word(line);
    const auto rest = trim(line.substr(word.size()));
    const auto condition = [&](std::string_view expression) {
      return KconfigCondition{one_space(expression), file, number};
    };
    if (word == "config" || word == "menuconfig") {
      start_option(std::string(rest), file, number);
    } else if (word == "if" || word == "menu" || word == "choice") {
      entry_ = Entry::block;
      blocks_.emplace_back();
      if (word == "if") blocks_.back().depends.push_back(condition(rest));
      if (word == "choice") blocks_.back().choice = ++choices_;
    } else if (word == "endif" || word == "endmenu" || word == "endchoice") {
      entry_ = Entry::other;
      if (!blocks_.empty()) blocks_.pop_back();
    } else if (word == "comment") {
      entry_ = Entry::other;  // the conditions that follow are its own
    } else if (word == "source") {
      entry_ = Entry::other;
      this->file(replace_all(replace_all(unquote(rest), "$(SRCARCH)", source_folder()), "$(HEADER_ARCH)", "x86"));
    } else if (word == "depends" && rest.starts_with("on")) {
      if (entry_ == Entry::option) current().depends.push_back(condition(rest.substr(2)));
      if (entry_ == Entry::block && !blocks_.empty()) blocks_.back().depends.push_back(condition(rest.substr(2)));
    } else if (word == "visible" && rest.starts_with("if")) {
      if (entry_ == Entry::block && !blocks_.empty()) blocks_.back().visible.push_back(condition(rest.substr(2)));
    } else if (entry_ == Entry::option && (word == "select" || word == "imply")) {
      out_.selectors[std::string(first_word(rest))].push_back({option_, condition(after_if(rest)), word == "imply"});
    } else if (entry_ == Entry::option && (word == "prompt" || word == "bool" || word == "tristate" ||
                                           word == "string" || word == "int" || word == "hex")) {
      if (rest.empty()) return;  // only the type
      current().prompt = true;
      if (const auto when = after_if(rest); !when.empty()) current().prompt_ifs.push_back(condition(when));
    }
  }

  void start_option(std::string name, const std::string& file, int number) {
    entry_ = Entry::option;
    option_ = std::move(name);
    KconfigDeclaration declaration{.file = file, .line = number};
    for (const auto& block : blocks_) {
      declaration.depends.insert(declaration.depends.end(), block.depends.begin(), block.depends.end());
      declaration.prompt_ifs.insert(declaration.prompt_ifs.end(), block.visible.begin(), block.visible.end());
      if (block.choice > 0) declaration.choice = block.choice;
    }
    out_.options[option_].push_back(std::move(declaration));
  }

  /// Below arch/; the top Makefile's SRCARCH.
  [[nodiscard]] std::string_view source_folder() const {
    return out_.architecture == "x86_64" || out_.architecture == "i386" ? "x86" : std::string_view(out_.architecture);
  }

  KconfigDeclaration& current() { return out_.options[option_].back(); }

  fs::path tree_;
  Kconfig& out_;
  enum class Entry { other, option, block } entry_ = Entry::other;  ///< what attributes belong to
  std::string option_;
  std::vector<Block> blocks_;
  int choices_ = 0;
  int depth_ = 0;
};

}  // namespace

Kconfig read_kconfig(const fs::path& tree, std::string_view architecture) {
  Kconfig out{.architecture = std::string(architecture)};
  Reader(tree, out).file("Kconfig");
  return out;
}

}  // namespace bowsprit::kernel
