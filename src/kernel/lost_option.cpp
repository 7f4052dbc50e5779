// SPDX-License-Identifier: Apache-2.0
#include "kernel/lost_option.h"

#include <algorithm>
#include <deque>
#include <set>

#include "base/strings.h"

namespace bowsprit::kernel {
namespace {

constexpr std::size_t kMostSentences = 8;
constexpr std::size_t kMostNames = 5;
constexpr std::size_t kMostReasons = 3;  // of one option

class Explainer {
 public:
  Explainer(const Kconfig& kconfig, const KconfigValues& values) : kconfig_(kconfig), values_(values) {}

  /// What keeps the option from `wanted`; empty: nothing that is known.
  std::string sentence(const std::string& name, int wanted) {
    const auto found = kconfig_.options.find(name);
    if (found == kconfig_.options.end())
      return fmt::format("no Kconfig file of this tree declares it for ARCH={}", kconfig_.architecture);
    std::vector<std::string> reasons;
    const auto& declarations = found->second;
    const bool prompt = std::ranges::any_of(declarations, &KconfigDeclaration::prompt);
    if (!prompt) reasons.push_back(no_prompt(name, declarations.front()));
    std::vector<std::string> unmet;
    std::vector<std::string> off;
    for (const auto& declaration : declarations) {
      if (prompt && !declaration.prompt) continue;
      const auto missing = unmet_of(declaration, wanted, off);
      if (missing.empty()) {  // this declaration would do; the conditions of others are no reason
        unmet = undecided_of(declaration);
        off.clear();
        if (auto other = set_in_choice(name, declaration); !other.empty()) reasons.push_back(std::move(other));
        break;
      }
      unmet.insert(unmet.end(), missing.begin(), missing.end());
    }
    for (auto& blocker : off)
      if (seen_.insert(blocker).second) next_.push_back(std::move(blocker));
    if (unmet.size() > kMostReasons) unmet.resize(kMostReasons);
    reasons.insert(reasons.end(), unmet.begin(), unmet.end());
    return join(reasons, ", and ");
  }

  /// "CONFIG_B: ..." for the options that were named as off, and for those that keep these off, and so on.
  std::vector<std::string> chain() {
    std::vector<std::string> sentences;
    while (!next_.empty() && sentences.size() < kMostSentences) {
      const std::string name = std::move(next_.front());
      next_.pop_front();
      auto why = sentence(name, 1);
      if (why.empty()) {
        const auto& declaration = kconfig_.options.find(name)->second.front();
        why = fmt::format("it can be asked for too ({}:{})", declaration.file, declaration.line);
      }
      sentences.push_back(fmt::format("CONFIG_{}: {}", name, why));
    }
    return sentences;
  }

  void seen(const std::string& name) { seen_.insert(name); }

 private:
  /// Conditions that do not hold; the options that are off in them are added to `off`.
  [[nodiscard]] std::vector<std::string> unmet_of(const KconfigDeclaration& declaration, int wanted,
                                                  std::vector<std::string>& off) const {
    std::vector<std::string> out;
    const auto look = [&](const std::vector<KconfigCondition>& conditions, std::string_view words) {
      for (const auto& condition : conditions) {
        const auto value = evaluate_kconfig(condition.expression, values_);
        if (!value || value->value >= wanted) continue;
        std::vector<std::string> blockers;
        for (const auto& blocker : value->blockers) {
          auto text = blocker.value == "n" ? fmt::format("CONFIG_{} is not set", blocker.name)
                                           : fmt::format("CONFIG_{} is {}", blocker.name, blocker.value);
          if (std::ranges::find(blockers, text) != blockers.end()) continue;
          blockers.push_back(std::move(text));
          if (blocker.off) off.push_back(blocker.name);
        }
        out.push_back(fmt::format("it {} {} ({}:{}), but {}", words, condition.expression, condition.file,
                                  condition.line, join(blockers, ", ")));
      }
    };
    look(declaration.depends, "depends on");
    if (declaration.prompt) look(declaration.prompt_ifs, "can only be set if");
    return out;
  }

  /// Conditions that hold if the tools that build the kernel can do something.
  [[nodiscard]] std::vector<std::string> undecided_of(const KconfigDeclaration& declaration) const {
    std::vector<std::string> out;
    for (const auto* conditions : {&declaration.depends, &declaration.prompt_ifs})
      for (const auto& condition : *conditions)
        if (const auto value = evaluate_kconfig(condition.expression, values_); value && value->unsure)
          out.push_back(fmt::format("it depends on {} ({}:{}), which the tools of this machine decide",
                                    condition.expression, condition.file, condition.line));
    return out;
  }

  std::string no_prompt(const std::string& name, const KconfigDeclaration& declaration) {
    std::vector<std::string> options;
    if (const auto selectors = kconfig_.selectors.find(name); selectors != kconfig_.selectors.end())
      for (const auto& selector : selectors->second) {
        const auto option = "CONFIG_" + selector.option;
        if (options.size() < kMostNames && std::ranges::find(options, option) == options.end())
          options.push_back(option);
      }
    return fmt::format("it has no prompt ({}:{}), so only another option can set it{}", declaration.file,
                       declaration.line, options.empty() ? "" : ": " + join(options, ", "));
  }

  [[nodiscard]] std::string set_in_choice(const std::string& name, const KconfigDeclaration& declaration) const {
    if (declaration.choice == 0) return {};
    for (const auto& [other, declarations] : kconfig_.options)
      for (const auto& one : declarations)
        if (other != name && one.choice == declaration.choice)
          if (const auto value = values_.find(other); value != values_.end() && value->second == "y")
            return fmt::format("CONFIG_{} of the same choice is set ({}:{})", other, one.file, one.line);
    return {};
  }

  const Kconfig& kconfig_;
  const KconfigValues& values_;
  std::deque<std::string> next_;
  std::set<std::string> seen_;
};

std::string who_selects(const Kconfig& kconfig, const std::string& name, const KconfigValues& values) {
  const auto selectors = kconfig.selectors.find(name);
  if (selectors == kconfig.selectors.end()) return {};
  for (const auto& [option, condition, imply] : selectors->second) {
    const auto value = values.find(option);
    if (imply || value == values.end() || value->second == "n") continue;
    if (!condition.expression.empty()) {
      const auto holds = evaluate_kconfig(condition.expression, values);
      if (holds && holds->value == 0) continue;
    }
    return fmt::format("CONFIG_{} is {} and selects it ({}:{})", option, value->second, condition.file, condition.line);
  }
  return {};
}

}  // namespace

std::string why_lost(const Kconfig& kconfig, const LostOption& lost, const std::vector<ConfigOption>& resulting) {
  const std::string name = lost.wanted.name.substr(7);
  const auto values = kconfig_values(resulting);
  if (!kconfig.options.contains(name)) {
    std::vector<std::string> names;
    for (const auto& [known, declarations] : kconfig.options) names.push_back(known);
    const auto near = nearest_word(name, names);
    return fmt::format("no Kconfig file of this tree declares it for ARCH={}{}", kconfig.architecture,
                       near ? fmt::format("; did you mean CONFIG_{}?", *near) : "");
  }
  if (lost.wanted.value == "n") return who_selects(kconfig, name, values);
  Explainer explainer(kconfig, values);
  explainer.seen(name);
  std::vector<std::string> sentences{explainer.sentence(name, lost.wanted.value == "y" ? 2 : 1)};
  const auto chain = explainer.chain();
  sentences.insert(sentences.end(), chain.begin(), chain.end());
  return join(sentences, "; ");
}

}  // namespace bowsprit::kernel
