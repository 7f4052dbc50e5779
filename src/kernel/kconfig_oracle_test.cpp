// SPDX-License-Identifier: Apache-2.0
/// The explanations of lost options on the real kernel, against another reader of its Kconfig files: kconfiglib. The tree is that of
/// tools/test-kernel, Python with kconfiglib is $BOWSPRIT_KCONFIG_PYTHON.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/json.h"
#include "base/strings.h"
#include "kernel/lost_option.h"

namespace bowsprit::kernel {
namespace {

/// Configures the tree in the current folder as a small UML kernel with KUnit, asks for each test and for a sample of all other options
/// beside that, and writes what came of it: the .config, the options that fell out, and of every option its value, the symbols
/// of its conditions, whether it has a prompt, and whether that can be answered.
constexpr const char* kOracle = R"py(
import json, os, pathlib, sys
os.environ.update(srctree=".", ARCH="um", SRCARCH="um", HEADER_ARCH="x86", SUBARCH="x86", CC="gcc", LD="ld", HOSTCC="gcc", NM="nm",
                  OBJCOPY="objcopy", RUSTC="rustc", BINDGEN="bindgen", PAHOLE="pahole", KERNELVERSION="6.12.0")
import kconfiglib
modules = pathlib.Path("kernel/module/Kconfig")  # a word that is younger than kconfiglib
modules.write_text(modules.read_text().replace("\tmodules\n", "\toption modules\n"))
kconfig = kconfiglib.Kconfig("Kconfig", warn=False)
kconfig.load_config("kunitconfig")
kconfig.write_config("made.config")
symbols = {}
for symbol in kconfig.unique_defined_syms:
    items, visible = set(), 0
    for node in symbol.nodes:
        conditions = [node.dep] + ([node.prompt[1]] if node.prompt else [])
        for condition in conditions:
            items |= {item.name for item in kconfiglib.expr_items(condition) if isinstance(item, kconfiglib.Symbol)}
    prompts = [node for node in symbol.nodes if node.prompt]
    symbols[symbol.name] = {"value": symbol.str_value, "items": sorted(items), "prompt": bool(prompts), "visible": symbol.visibility}
lost = []
switches = [s for s in kconfig.unique_defined_syms if s.type in (kconfiglib.BOOL, kconfiglib.TRISTATE) and s.choice is None]
for number, symbol in enumerate(switches):
    if symbol.str_value == "y" or not ("KUNIT" in symbol.name or number % 40 == 0):
        continue
    symbol.set_value("y")
    if symbol.str_value != "y":
        lost.append(symbol.name)
    symbol.unset_value()
pathlib.Path("oracle.json").write_text(json.dumps({"symbols": symbols, "lost": lost}))
)py";

struct Answer {
  std::vector<std::string> wrong;
  int named = 0;
};

/// "CONFIG_B: it depends on ..." -> subject B; the first sentence is about the lost option itself.
void check_sentence(const std::string& subject, std::string_view text, const Json& symbols, Answer& answer) {
  const Json& about = json_get(symbols, subject);
  const auto wrong = [&](std::string_view why) {
    answer.wrong.push_back(fmt::format("{}: {}: {}", subject, why, text));
  };
  if (text.starts_with("no Kconfig file")) {
    if (!about.is_null()) wrong("it is declared");
    return;
  }
  if (about.is_null()) return wrong("it is not declared");
  const bool prompt = json_bool(about, "prompt");
  if ((text.find("has no prompt") != std::string_view::npos) == prompt) wrong("the prompt");
  if (text.starts_with("it can be asked for too") != (prompt && json_int(about, "visible") > 0))
    wrong("can be asked for");
  bool names = text.find("which the tools of this machine decide") != std::string_view::npos;
  for (auto at = text.find("but CONFIG_"); at != std::string_view::npos; at = text.find("but CONFIG_", at + 1)) {
    auto list = text.substr(at + 4);
    list = list.substr(0, list.find(", and it "));
    for (const auto& claim : split(replace_all(std::string(list), ", ", "|"), '|')) {
      const auto space = claim.find(' ');
      const std::string name = claim.substr(7, space - 7);
      const std::string value = claim.ends_with(" is not set") ? "n" : claim.substr(std::min(claim.size(), space + 4));
      const Json& items = json_get(about, "items");
      if (std::ranges::none_of(items, [&](const Json& item) { return item == name; }))
        wrong(name + " is no condition of it");
      const Json& blocker = json_get(symbols, name);
      if (!blocker.is_null() && json_string(blocker, "value") != value) wrong(name + " has another value");
      names = true;
      ++answer.named;
    }
  }
  if (prompt && json_int(about, "visible") == 0 && !names) wrong("names nothing");
}

TEST(KconfigOracle, AgreesOnWhatKeepsOptionsOfTheRealKernelOff) {
  const char* python = std::getenv("BOWSPRIT_KCONFIG_PYTHON");
  const char* cache = std::getenv("BOWSPRIT_CACHE");
  const char* home = std::getenv("HOME");
  const fs::path repository =
      (cache != nullptr ? fs::path(cache) : fs::path(home != nullptr ? home : "/") / ".cache/bowsprit") /
      "kernel/linux.git";
  if (python == nullptr)
    GTEST_SKIP() << "no kconfiglib: `./dev test` makes a venv with it and sets BOWSPRIT_KCONFIG_PYTHON";
  // Who sets that variable wants the comparison: `./dev test` makes the kernel before.
  ASSERT_TRUE(fs::exists(repository)) << "no kernel in " << repository << ": run tools/test-kernel";
  const auto dir = TempDir::create("bowsprit-kconfig-oracle");
  ASSERT_TRUE(dir) << dir.error().text();
  ASSERT_TRUE(write_file(dir->path() / "oracle.py", kOracle));
  const std::string command = fmt::format(
      "cd '{0}' && mkdir tree && git -C '{1}' archive -o '{0}/tree.tar' master -- ':(glob)**/Kconfig*' scripts "
      "kunitconfig && "
      "tar -xf tree.tar -C tree && cd tree && '{2}' ../oracle.py > oracle.log 2>&1 || {{ cat oracle.log; exit 1; }}",
      dir->path().string(), repository.string(), python);
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const fs::path tree = dir->path() / "tree";
  const auto oracle = parse_json(read_file(tree / "oracle.json").value_or(""));
  ASSERT_TRUE(oracle) << oracle.error().text();
  const auto resulting = parse_config(read_file(tree / "made.config").value_or(""), "made.config");
  ASSERT_TRUE(resulting) << resulting.error().text();

  const Kconfig kconfig = read_kconfig(tree);
  const Json& symbols = json_get(*oracle, "symbols");
  EXPECT_EQ(kconfig.options.size(), symbols.size());
  Answer answer;
  int explained = 0;
  for (const auto& name : json_get(*oracle, "lost")) {
    const std::string option = name.get<std::string>();
    const LostOption lost{{"CONFIG_" + option, "y", {}}, "n"};
    const std::string text = why_lost(kconfig, lost, *resulting);
    if (text.empty()) answer.wrong.push_back(option + ": no reason");
    const auto sentences = split(replace_all(text, "; CONFIG_", "\n"), '\n');
    check_sentence(option, sentences[0], symbols, answer);
    for (std::size_t i = 1; i < sentences.size(); ++i) {
      const auto colon = std::min(sentences[i].find(": "), sentences[i].size() - 2);
      check_sentence(sentences[i].substr(0, colon), std::string_view(sentences[i]).substr(colon + 2), symbols, answer);
    }
    ++explained;
  }
  EXPECT_GE(explained, 30);
  EXPECT_GE(answer.named, explained / 2);
  EXPECT_TRUE(answer.wrong.empty()) << answer.wrong.size() << " wrong, of " << explained << ":\n"
                                    << join(answer.wrong, "\n").substr(0, 6000);
  RecordProperty("explained", explained);
  RecordProperty("named", answer.named);
}

}  // namespace
}  // namespace bowsprit::kernel
