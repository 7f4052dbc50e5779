// SPDX-License-Identifier: Apache-2.0
/// What a tree's Kconfig files declare (the kernel's Documentation/kbuild/kconfig-language.rst), as far as it is needed to tell why an option is
/// off: options with their conditions, prompts, choices, and who selects whom. Read as Kconfig reads them: from the file `Kconfig` at the
/// top along its `source` lines, so that what only another architecture declares is not there.
/// Does not: expand macros, know defaults and ranges, or judge; what it does not understand it passes over.
/// Threads: any.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/kunitconfig.h"
#include "os/files.h"

namespace bowsprit::kernel {

struct KconfigCondition {
  std::string expression;  ///< blanks as one space
  std::string file;
  int line = 0;
};

struct KconfigDeclaration {
  std::string file;
  int line = 0;
  std::vector<KconfigCondition> depends;  ///< its own, and those of all ifs, menus and choices around it
  bool prompt = false;
  std::vector<KconfigCondition> prompt_ifs;  ///< of the prompt, and "visible if" of menus around it
  int choice = 0;                            ///< number of the choice that it is a member of; 0: none
};

struct KconfigSelector {
  std::string option;
  KconfigCondition condition;  ///< empty expression: always
  bool imply = false;          ///< can be overruled
};

struct Kconfig {
  std::string architecture = "um";                                              ///< make's ARCH
  std::map<std::string, std::vector<KconfigDeclaration>, std::less<>> options;  ///< by name without CONFIG_
  std::map<std::string, std::vector<KconfigSelector>, std::less<>> selectors;   ///< of the option, by its name
};

/// As make reads it with this ARCH. Links are not followed, and no file outside of the tree is read.
Kconfig read_kconfig(const fs::path& tree, std::string_view architecture = "um");

/// A symbol that keeps an expression from a value.
struct KconfigBlocker {
  std::string name;   ///< without CONFIG_
  std::string value;  ///< that it has
  bool off = false;   ///< it is n, and would have to be on
};
struct KconfigValue {
  int value = 0;                         ///< 0 = n, 1 = m, 2 = y
  std::vector<KconfigBlocker> blockers;  ///< why it is not y; empty where it is
  bool unsure = false;                   ///< a macro is in it, which was taken for y
};
using KconfigValues = std::map<std::string_view, std::string_view>;

/// Values by name without CONFIG_; they live as long as `options`.
KconfigValues kconfig_values(const std::vector<ConfigOption>& options);
/// An expression of "depends on" or "if". Unknown words are n; nonsense gives nullopt.
std::optional<KconfigValue> evaluate_kconfig(std::string_view expression, const KconfigValues& values);

}  // namespace bowsprit::kernel
