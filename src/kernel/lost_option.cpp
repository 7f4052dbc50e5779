// SPDX-License-Identifier: Apache-2.0
#include "kernel/lost_option.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/strings.h"

namespace bowsprit::kernel {
namespace {

constexpr std::size_t kMaxFile = 4U << 20U;
constexpr int kMaxDepth = 50;  // of parentheses, of files that source each other

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// Recursive descent over "A && (B || !C) && D=y", with Kconfig's three values: or = max, and = min, not = 2 - x.
class Expression {
 public:
  Expression(std::string_view text, const std::map<std::string_view, std::string_view>& values)
      : text_(text), values_(values) {}
  std::optional<int> value() {
    const int result = either();
    skip();
    return good_ && text_.empty() ? std::optional(result) : std::nullopt;
  }

 private:
  void skip() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\t')) text_.remove_prefix(1);
  }
  bool take(std::string_view sign) {
    skip();
    if (!text_.starts_with(sign)) return false;
    text_.remove_prefix(sign.size());
    return true;
  }
  int either() {
    int left = both();
    while (take("||")) left = std::max(left, both());
    return left;
  }
  int both() {
    int left = negation();
    while (take("&&")) left = std::min(left, negation());
    return left;
  }
  int negation() {
    if (++depth_ > kMaxDepth) good_ = false;
    int result = 0;
    if (!good_) {
    } else if (take("!")) {
      result = 2 - negation();
    } else if (take("(")) {
      result = either();
      good_ = good_ && take(")");
    } else {
      result = comparison();
    }
    --depth_;
    return result;
  }
  int comparison() {
    const auto left = word();
    if (take("!=")) return symbol(left) != symbol(word()) ? 2 : 0;
    if (take("=")) return symbol(left) == symbol(word()) ? 2 : 0;
    skip();
    if (!text_.empty() && (text_[0] == '<' || text_[0] == '>'))
      good_ = false;  // numbers of compiler versions: not worth it
    const auto value = symbol(left);
    return value == "y" ? 2 : value == "m" ? 1 : 0;
  }
  std::string_view word() {
    skip();
    std::size_t end = 0;
    if (text_.starts_with('"')) {
      end = text_.find('"', 1);
      end = end == std::string_view::npos ? text_.size() : end + 1;
    } else {
      while (end < text_.size() && is_word(text_[end])) ++end;
    }
    if (end == 0) good_ = false;
    const auto found = text_.substr(0, end);
    text_.remove_prefix(end);
    return found;
  }
  [[nodiscard]] std::string_view symbol(std::string_view word) const {
    if (word == "y" || word == "m" || word == "n" || word.starts_with('"')) return word;
    const auto found = values_.find(word);
    return found == values_.end() ? "n" : found->second;
  }

  std::string_view text_;
  const std::map<std::string_view, std::string_view>& values_;
  bool good_ = true;
  int depth_ = 0;
};

/// Values by name without CONFIG_.
std::map<std::string_view, std::string_view> by_name(const std::vector<ConfigOption>& options) {
  std::map<std::string_view, std::string_view> values;
  for (const auto& option : options) values[std::string_view(option.name).substr(7)] = option.value;
  return values;
}

struct Condition {
  std::string expression;
  std::string file;
  int line = 0;
};

struct Declaration {
  std::vector<Condition> conditions;  ///< its own, and those of the ifs and menus around it in its file
  std::string file;
  int line = 0;
  bool prompt = false;
};

/// What the tree's Kconfig files say about one option.
struct Findings {
  std::vector<Declaration> declarations;
  std::map<std::string, std::vector<Condition>>
      sourced;  ///< file -> around its `source` line, the includer's own excluded
  std::map<std::string, std::string> includer;
  std::vector<std::pair<std::string, Condition>> selectors;  ///< option -> condition and place of its `select`
  std::set<std::string> names;
};

std::string_view first_word(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && is_word(line[end])) ++end;
  return line.substr(0, end);
}

std::string unquote(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return std::string(text);
}

/// Reads one Kconfig file line by line, keeping which ifs and menus are open.
class Scanner {
 public:
  Scanner(Findings& findings, std::string_view name, std::string file)
      : findings_(findings), name_(name), file_(std::move(file)) {}

  void read(std::string_view text) {
    std::string joined;
    for (const auto& raw : split_lines(text)) {
      ++number_;
      joined += raw;
      if (joined.ends_with('\\')) {
        joined.back() = ' ';
        continue;
      }
      statement(joined);
      joined.clear();
    }
  }

 private:
  struct Block {
    std::string word;
    std::vector<Condition> conditions;
  };

  void statement(std::string_view raw) {
    const auto indent = raw.find_first_not_of(" \t");
    if (indent == std::string_view::npos) return;
    const auto line = trim(raw);
    if (in_help_) {
      if (indent > 0) return;  // help text is indented; what follows it in the file starts at the margin
      in_help_ = false;
    }
    if (line.front() == '#') return;
    const auto word = first_word(line);
    const auto rest = trim(line.substr(word.size()));
    if (word == "help" || line == "---help---") {
      in_help_ = true;
    } else if (word == "config" || word == "menuconfig") {
      start_option(rest);
    } else if (word == "if") {
      open("if", std::string(rest));
    } else if (word == "menu" || word == "choice") {
      open(std::string(word), "");
    } else if (word == "endif" || word == "endmenu" || word == "endchoice") {
      current_ = nullptr;
      in_option_ = false;
      if (!blocks_.empty()) blocks_.pop_back();
    } else if (word == "source") {
      const auto target = replace_all(replace_all(unquote(rest), "$(SRCARCH)", "um"), "$(HEADER_ARCH)", "x86");
      findings_.sourced[target] = around();
      findings_.includer[target] = file_;
    } else if (word == "depends" && rest.starts_with("on")) {
      depends(trim(rest.substr(2)));
    } else if (word == "select" || word == "imply") {
      select(rest);
    } else if (current_ != nullptr && (word == "prompt" || word == "bool" || word == "tristate" || word == "string" ||
                                       word == "int" || word == "hex")) {
      current_->prompt = current_->prompt || rest.find('"') != std::string_view::npos;
    }
  }

  void start_option(std::string_view option) {
    findings_.names.emplace(option);
    option_ = option;
    in_option_ = true;
    current_ = nullptr;
    if (option != name_) return;
    findings_.declarations.push_back({around(), file_, number_, false});
    current_ = &findings_.declarations.back();
  }

  void open(std::string word, std::string expression) {
    current_ = nullptr;
    in_option_ = false;
    blocks_.push_back({std::move(word), {}});
    if (!expression.empty()) blocks_.back().conditions.push_back({std::move(expression), file_, number_});
  }

  void depends(std::string_view expression) {
    Condition condition{std::string(expression), file_, number_};
    if (current_ != nullptr) {
      current_->conditions.push_back(std::move(condition));
    } else if (!in_option_ && !blocks_.empty()) {
      blocks_.back().conditions.push_back(std::move(condition));  // of the menu or choice itself
    }
  }

  void select(std::string_view rest) {
    if (first_word(rest) != name_ || !in_option_) return;
    const auto condition = rest.find(" if ");
    findings_.selectors.emplace_back(
        option_, Condition{condition == std::string_view::npos ? "" : std::string(trim(rest.substr(condition + 4))),
                           file_, number_});
  }

  [[nodiscard]] std::vector<Condition> around() const {
    std::vector<Condition> all;
    for (const auto& block : blocks_) all.insert(all.end(), block.conditions.begin(), block.conditions.end());
    return all;
  }

  Findings& findings_;
  std::string_view name_;
  std::string file_;
  std::string option_;
  std::vector<Block> blocks_;
  Declaration* current_ = nullptr;
  bool in_option_ = false;
  bool in_help_ = false;
  int number_ = 0;
};

/// The words of an expression with their values: "UML is y, CONFIG_PCI is not set".
std::string values_of(std::string_view expression, const std::map<std::string_view, std::string_view>& values) {
  std::vector<std::string> out;
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < expression.size();) {
    const auto word = first_word(expression.substr(i));
    i += std::max<std::size_t>(word.size(), 1);
    if (word.size() < 2 || !seen.insert(word).second) continue;
    const auto found = values.find(word);
    const auto value = found == values.end() ? "n" : found->second;
    out.push_back(value == "n" ? fmt::format("CONFIG_{} is not set", word)
                               : fmt::format("CONFIG_{} is {}", word, value));
  }
  return join(out, ", ");
}

}  // namespace

std::optional<int> evaluate_kconfig(std::string_view expression, const std::vector<ConfigOption>& values) {
  const auto named = by_name(values);
  return Expression(expression, named).value();
}

std::vector<fs::path> find_kconfig_files(const fs::path& tree, std::string_view architecture) {
  std::vector<fs::path> files;
  std::error_code code;
  for (fs::recursive_directory_iterator it(tree, code), end; !code && it != end; it.increment(code)) {
    const auto name = it->path().filename().string();
    std::error_code ignored;
    if (it->is_symlink(ignored)) continue;
    if (it->is_directory(ignored)) {
      // Of arch/ only its own, and x86, which UML includes too; and nothing hidden, such as .git.
      const bool other_arch =
          it.depth() == 1 && it->path().parent_path().filename() == "arch" && name != architecture && name != "x86";
      if (other_arch || name.starts_with('.') || (it.depth() == 0 && (name == "Documentation" || name == "tools")))
        it.disable_recursion_pending();
    } else if (name.starts_with("Kconfig")) {
      files.push_back(it->path());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string why_lost(const fs::path& tree, const std::vector<fs::path>& files, const LostOption& lost,
                     const std::vector<ConfigOption>& resulting) {
  const std::string name = lost.wanted.name.substr(7);
  const auto values = by_name(resulting);
  Findings findings;
  for (const auto& path : files) {
    const auto text = read_file(path, kMaxFile);
    if (text) Scanner(findings, name, path.lexically_relative(tree).string()).read(*text);
  }
  if (findings.declarations.empty()) {
    const auto near = nearest_word(name, {findings.names.begin(), findings.names.end()});
    return fmt::format("no Kconfig file of this tree declares it for this ARCH{}",
                       near ? fmt::format("; did you mean CONFIG_{}?", *near) : "");
  }
  if (lost.wanted.value == "n") {
    for (const auto& [option, condition] : findings.selectors) {
      const auto value = values.find(option);
      if (value == values.end() || value->second == "n") continue;
      if (!condition.expression.empty() && Expression(condition.expression, values).value() == 0) continue;
      return fmt::format("CONFIG_{} is {} and selects it ({}:{})", option, value->second, condition.file,
                         condition.line);
    }
    return "";
  }
  std::vector<std::string> reasons;
  for (auto& declaration : findings.declarations) {
    auto conditions = declaration.conditions;
    std::string file = declaration.file;
    for (int depth = 0; depth < kMaxDepth && findings.includer.contains(file); ++depth) {
      const auto& outer = findings.sourced[file];
      conditions.insert(conditions.end(), outer.begin(), outer.end());
      file = findings.includer[file];
    }
    for (const auto& condition : conditions) {
      if (Expression(condition.expression, values).value().value_or(2) > 0) continue;
      reasons.push_back(fmt::format("it depends on {} ({}:{}), but {}", condition.expression, condition.file,
                                    condition.line, values_of(condition.expression, values)));
    }
  }
  if (!reasons.empty()) return join(reasons, "; ");
  const auto& first = findings.declarations.front();
  if (std::ranges::none_of(findings.declarations, &Declaration::prompt)) {
    std::vector<std::string> options;
    for (const auto& [option, condition] : findings.selectors)
      if (options.size() < 5) options.push_back("CONFIG_" + option);
    return fmt::format("it has no prompt ({}:{}), so only another option can set it{}", first.file, first.line,
                       options.empty() ? "" : ": " + join(options, ", "));
  }
  return "";
}

}  // namespace bowsprit::kernel
