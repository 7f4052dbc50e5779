// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/strings.h"
#include "kernel/kconfig.h"

namespace bowsprit::kernel {
namespace {

constexpr int kMaxDepth = 50;  // of parentheses

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

using Blockers = std::vector<KconfigBlocker>;

/// A value with the symbols that keep it from y and from n: `!` only turns it over.
struct Term {
  int value = 0;
  Blockers not_y;
  Blockers not_n;
};

void append(Blockers& to, Blockers from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// Kconfig's "||", the greater of both; with not_y and not_n exchanged it is "&&".
Term either_of(Term left, Term right) {
  Term out{std::max(left.value, right.value), {}, {}};
  if (out.value < 2) {
    out.not_y = std::move(left.not_y);
    append(out.not_y, std::move(right.not_y));
  }
  if (left.value > 0) append(out.not_n, std::move(left.not_n));
  if (right.value > 0) append(out.not_n, std::move(right.not_n));
  return out;
}

Term negate(Term term) { return {2 - term.value, std::move(term.not_n), std::move(term.not_y)}; }

/// By de Morgan.
Term both_of(Term left, Term right) { return negate(either_of(negate(std::move(left)), negate(std::move(right)))); }

/// Recursive descent over "A && (B || !C) && D=y".
class Expression {
 public:
  Expression(std::string_view text, const KconfigValues& values) : text_(text), values_(values) {}

  std::optional<KconfigValue> value() {
    Term term = either();
    skip();
    if (!good_ || !text_.empty()) return std::nullopt;
    return KconfigValue{term.value, std::move(term.not_y), unsure_};
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

  Term either() {
    Term left = both();
    while (take("||")) left = either_of(std::move(left), both());
    return left;
  }
  Term both() {
    Term left = negation();
    while (take("&&")) left = both_of(std::move(left), negation());
    return left;
  }
  Term negation() {
    if (++depth_ > kMaxDepth) good_ = false;
    Term result;
    if (!good_) {
    } else if (take("!")) {
      result = negate(negation());
    } else if (take("$(")) {
      result = macro();
    } else if (take("(")) {
      result = either();
      good_ = good_ && take(")");
    } else {
      result = comparison();
    }
    --depth_;
    return result;
  }

  /// "$(cc-option,-fno-x)": only a run of the compiler tells, so the best is assumed.
  Term macro() {
    int open = 1;
    while (!text_.empty() && open > 0) {
      open += text_[0] == '(' ? 1 : text_[0] == ')' ? -1 : 0;
      text_.remove_prefix(1);
    }
    good_ = good_ && open == 0;
    unsure_ = true;
    return {2, {}, {}};
  }

  Term comparison() {
    const auto left = word();
    for (const std::string_view sign : {"!=", "<=", ">=", "=", "<", ">"}) {
      if (!take(sign)) continue;
      const auto right = word();
      const int order = compare(value_of(left), value_of(right));
      const bool holds = sign == "!="   ? order != 0
                         : sign == "="  ? order == 0
                         : sign == "<=" ? order <= 0
                         : sign == ">=" ? order >= 0
                         : sign == "<"  ? order < 0
                                        : order > 0;
      Blockers why;
      for (const auto name : {left, right})
        if (!is_constant(name))
          why.push_back({std::string(name), std::string(value_of(name)), sign == "=" && value_of(name) == "n"});
      return holds ? Term{2, {}, std::move(why)} : Term{0, std::move(why), {}};
    }
    const auto value = value_of(left);
    Term term{value == "y" ? 2 : value == "m" ? 1 : 0, {}, {}};
    if (is_constant(left)) return term;
    const KconfigBlocker blocker{std::string(left), std::string(value), term.value == 0};
    if (term.value < 2) term.not_y.push_back(blocker);
    if (term.value > 0) term.not_n.push_back(blocker);
    return term;
  }

  /// Numbers by value, all else as text, as Kconfig does.
  static int compare(std::string_view left, std::string_view right) {
    const auto a = parse_int(left);
    const auto b = parse_int(right);
    if (a && b) return *a < *b ? -1 : *a > *b ? 1 : 0;
    return left.compare(right);
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
  [[nodiscard]] bool is_constant(std::string_view word) const {
    return word == "y" || word == "m" || word == "n" || word.starts_with('"') ||
           (!values_.contains(word) && parse_int(word));
  }
  [[nodiscard]] std::string_view value_of(std::string_view word) const {
    if (is_constant(word)) return word;
    const auto found = values_.find(word);
    return found == values_.end() ? "n" : found->second;
  }

  std::string_view text_;
  const KconfigValues& values_;
  bool good_ = true;
  bool unsure_ = false;
  int depth_ = 0;
};

}  // namespace

KconfigValues kconfig_values(const std::vector<ConfigOption>& options) {
  KconfigValues values;
  for (const auto& option : options) values[std::string_view(option.name).substr(7)] = option.value;
  return values;
}

std::optional<KconfigValue> evaluate_kconfig(std::string_view expression, const KconfigValues& values) {
  return Expression(expression, values).value();
}

}  // namespace bowsprit::kernel
