// SPDX-License-Identifier: Apache-2.0
#include "kernel/replay.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/strings.h"
#include "kernel/build_state.h"
#include "kernel/saved_command.h"

namespace bowsprit::kernel {
namespace {

constexpr std::size_t kMaxConfig = 8U << 20U;
/// Raised when what is noted or how it is read changes.
constexpr int kVersion = 1;

/// Options whose build has steps that save no command, or that read more than the saved commands tell of.
constexpr std::string_view kRefused[] = {"MODVERSIONS",
                                         "OBJTOOL",
                                         "LTO",
                                         "LTO_CLANG",
                                         "DEBUG_INFO_BTF",
                                         "TRIM_UNUSED_KSYMS",
                                         "RUST",
                                         "GCC_PLUGINS",
                                         "IKHEADERS",
                                         "HEADERS_INSTALL",
                                         "UAPI_HEADER_TEST",
                                         "FTRACE_MCOUNT_USE_RECORDMCOUNT",
                                         "BUILTIN_MODULE_RANGES",
                                         "VMLINUX_MAP",
                                         "X86_KERNEL_IBT",
                                         "KCOV_INSTRUMENT_ALL",
                                         "GDB_SCRIPTS"};
/// Options that name files outside the tree.
constexpr std::string_view kMustBeEmpty[] = {"INITRAMFS_SOURCE", "EXTRA_FIRMWARE", "SYSTEM_TRUSTED_KEYS",
                                             "SYSTEM_REVOCATION_KEYS"};

std::string refused_option(const fs::path& build) {
  const auto config = read_file(build / "include/config/auto.conf", kMaxConfig);
  if (!config) return "include/config/auto.conf is not there";
  for (const auto& line : split_lines(*config)) {
    if (line.ends_with("=m")) return "the kernel has modules";
    for (const auto option : kRefused)
      if (line == fmt::format("CONFIG_{}=y", option)) return line;
    for (const auto option : kMustBeEmpty)
      if (const auto name = fmt::format("CONFIG_{}=", option); line.starts_with(name)) {
        const auto value = std::string_view(line).substr(name.size());
        if (!value.empty() && value != "\"\"") return line;  // auto.conf has strings without quotes since Linux 5.17
      }
  }
  return "";
}

/// Size and time of the files that only a build by us may have changed since.
std::string stamp(const fs::path& build) {
  std::string text;
  for (const char* name : {"vmlinux", "linux", "vmlinux.o", "vmlinux.a"}) {
    struct stat info{};
    if (::stat((build / name).c_str(), &info) != 0) return "";
    text += fmt::format("{} {} {}.{:09}\n", name, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }
  return text;
}

bool plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-+/,").find(c) != std::string_view::npos;
  });
}

/// Times of files, each asked for once.
class Times {
 public:
  explicit Times(const fs::path& build) : build_(build.string() + "/") {}

  /// Nanoseconds; nullopt where the file is not there.
  std::optional<std::int64_t> of(std::string_view path) {
    if (const auto found = known_.find(path); found != known_.end()) return found->second;
    struct stat info{};
    const std::string whole = path.starts_with('/') ? std::string(path) : build_ + std::string(path);
    std::optional<std::int64_t> time;
    if (::stat(whole.c_str(), &info) == 0)
      time = static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec;
    known_.emplace(path, time);
    return time;
  }

 private:
  std::string build_;
  std::unordered_map<std::string_view, std::optional<std::int64_t>> known_;  ///< views into texts that outlive this
};

/// All saved commands of a build folder. `texts` owns what they look into.
struct Commands {
  std::vector<std::unique_ptr<std::string>> texts;
  std::map<std::string, SavedCommand, std::less<>> by_target;
};

Result<Commands> read_commands(const fs::path& build) {
  Commands out;
  std::error_code code;
  fs::recursive_directory_iterator it(build, code);
  for (const fs::recursive_directory_iterator end; !code && it != end; it.increment(code)) {
    const auto& path = it->path();
    const auto name = path.filename().string();
    if (it->is_directory(code)) {
      // include/config has thousands of empty files, one for each option; a folder with a configuration is another build.
      if ((name == "config" && path.parent_path() == build / "include") || fs::exists(path / ".config", code))
        it.disable_recursion_pending();
      continue;
    }
    if (!name.starts_with('.') || !name.ends_with(".cmd") || name == "auto.conf.cmd") continue;
    TRY_ASSIGN(auto text, read_file(path, kMaxConfig));
    out.texts.push_back(std::make_unique<std::string>(std::move(text)));
    TRY_ASSIGN(auto command, parse_saved_command(*out.texts.back()));
    auto target = command.target;
    out.by_target.insert_or_assign(std::move(target), std::move(command));
  }
  if (code) return fail(ErrorKind::os, "read '{}': {}", build.string(), code.message());
  return out;
}

/// A line that make would print for a step.
std::string announcement(std::string_view word, std::string_view target) {
  return fmt::format("@echo '  {:<7} {}'", word, target);
}

/// Writes the makefile. Each target depends on FORCE, so that all in it is made, whatever the times say; being no
/// phony targets, make removes them where their command fails or is killed.
class Makefile {
 public:
  void rule(const std::string& target, const std::vector<std::string>& needs, std::string_view word,
            const std::string& shell) {
    text_ += fmt::format("{}: {} FORCE\n\t{}; set -e; {}\n", target, join(needs, " "), announcement(word, target),
                         replace_all(shell, "$", "$$"));
  }
  [[nodiscard]] std::string text() const {
    return "all: linux\n.PHONY: all FORCE\n.DELETE_ON_ERROR:\nFORCE:\n" + text_;
  }

 private:
  std::string text_;
};

class Planner {
 public:
  Planner(const fs::path& tree, const fs::path& build) : tree_(tree), build_(build), times_(build) {}

  ReplayPlan plan() {
    auto commands = read_commands(build_);
    if (!commands) return no(commands.error().text());
    commands_ = std::move(*commands);
    if (auto why = find_stale(); !why.empty()) return no(std::move(why));
    ReplayPlan out;
    out.objects = {stale_.begin(), stale_.end()};
    if (stale_.empty()) return out;
    if (auto why = compile_rules(); !why.empty()) return no(std::move(why));
    if (auto why = archive_rules(); !why.empty()) return no(std::move(why));
    if (auto why = link_rules(); !why.empty()) return no(std::move(why));
    out.makefile = makefile_.text();
    return out;
  }

 private:
  static ReplayPlan no(std::string reason) { return {.reason = std::move(reason)}; }

  /// Targets of which a prerequisite is newer, by make's own rule.
  std::string find_stale() {
    for (const auto& [target, command] : commands_.by_target) {
      if (command.source.empty() && command.prerequisites.empty()) continue;
      const auto made = times_.of(target);
      if (!made) return fmt::format("{} is gone", target);
      bool stale = false;
      const auto look_at = [&](std::string_view path) -> bool {
        const auto written = times_.of(path);
        stale = stale || (written && *written > *made);
        return written.has_value();
      };
      if (!command.source.empty() && !look_at(command.source)) return fmt::format("{} is gone", command.source);
      for (const auto path : command.prerequisites)
        if (!look_at(path)) return fmt::format("{} is gone", path);
      if (stale) stale_.insert(target);
    }
    return "";
  }

  std::string compile_rules() {
    for (const auto& target : stale_) {
      const auto& command = commands_.by_target.find(target)->second;
      const auto depfile = dependency_file_of_compile(command);
      if (!depfile || !target.ends_with(".o") || !plain_name(target))
        return fmt::format("{} is to be made anew, which is not just a compiler's work", target);
      const auto cmd_file = depfile->substr(0, depfile->size() - 2) + ".cmd";
      makefile_.rule(target, {}, command.source.ends_with(".S") ? "AS" : "CC",
                     fmt::format("{}; scripts/basic/fixdep {} {} {} > {}; rm -f {}", trim(command.command), *depfile,
                                 target, shell_quote(command.saved), cmd_file, *depfile));
    }
    return "";
  }

  /// Every archive above a stale object is made anew, up to vmlinux.a or a library that is linked beside it.
  std::string archive_rules() {
    std::map<std::string, std::vector<std::string>> users;  // of a member
    std::map<std::string, std::vector<std::string>> members;
    for (const auto& [target, command] : commands_.by_target) {
      auto list = archive_members(command);
      if (!list) continue;
      for (const auto& member : *list) users[member].push_back(target);
      members[target] = std::move(*list);
    }
    const auto* object = saved("vmlinux.o");
    if (object == nullptr) return "the command of vmlinux.o is not saved";
    const auto linked = split(object->command, ' ');
    std::set<std::string> dirty(stale_.begin(), stale_.end());
    std::vector<std::string> open(stale_.begin(), stale_.end());
    while (!open.empty()) {
      const auto file = std::move(open.back());
      open.pop_back();
      const auto above = users.find(file);
      if (above == users.end()) {
        if (std::ranges::find(linked, file) == linked.end())
          return fmt::format("{} goes into nothing that is known", file);
        continue;
      }
      for (const auto& user : above->second)
        if (dirty.insert(user).second) open.push_back(user);
    }
    if (auto why = used_elsewhere(dirty); !why.empty()) return why;
    for (const auto& target : dirty) {
      const auto list = members.find(target);
      if (list == members.end()) continue;
      std::vector<std::string> needs;
      std::ranges::copy_if(list->second, std::back_inserter(needs),
                           [&](const std::string& member) { return dirty.contains(member); });
      if (!plain_name(target)) return fmt::format("{} has a name that make would read otherwise", target);
      makefile_.rule(target, needs, "AR", std::string(trim(commands_.by_target.find(target)->second.command)));
      archives_.push_back(target);
    }
    return "";
  }

  /// A step that is neither a compiler's nor an archive's and names what is made anew has to be understood.
  std::string used_elsewhere(const std::set<std::string>& dirty) const {
    for (const auto& [target, command] : commands_.by_target) {
      if (target == "vmlinux.o" || target == "vmlinux.symvers" || target == "Module.symvers") continue;
      if (dependency_file_of_compile(command) || archive_members(command)) continue;
      for (const auto& word : split(command.command, ' '))
        if (dirty.contains(word.starts_with("./") ? word.substr(2) : word))
          return fmt::format("{} is made of {}", target, word);
    }
    return "";
  }

  const SavedCommand* saved(std::string_view target) const {
    const auto found = commands_.by_target.find(target);
    return found == commands_.by_target.end() ? nullptr : &found->second;
  }

  std::string link_rules() {
    const auto* object = saved("vmlinux.o");
    const auto* link = saved("vmlinux");
    const auto* symbols = saved("vmlinux.symvers");
    if (object == nullptr || link == nullptr) return "the commands of the link are not saved";
    // With CONFIG_MODULES the exports that modpost writes are compiled and linked, too; that chain is left to make.
    if (symbols == nullptr || saved("Module.symvers") != nullptr || saved(".vmlinux.export.o") != nullptr)
      return "the kernel can load modules";
    if (link->command.find(tree_.string() + "/scripts/link-vmlinux.sh ") == std::string::npos)
      return "the link is not by scripts/link-vmlinux.sh";
    makefile_.rule("vmlinux.o", archives_, "LD", std::string(trim(object->command)));
    makefile_.rule("vmlinux.symvers", {"vmlinux.o"}, "MODPOST", std::string(trim(symbols->command)));
    const auto* info = saved("modules.builtin.modinfo");
    const auto* list = saved("modules.builtin");
    if (info == nullptr || list == nullptr) return "the list of built-in modules is not saved";
    makefile_.rule("modules.builtin.modinfo", {"vmlinux.o"}, "OBJCOPY", std::string(trim(info->command)));
    makefile_.rule("modules.builtin", {"modules.builtin.modinfo"}, "GEN", std::string(trim(list->command)));
    // vmlinux is linked of the archives and not of vmlinux.o, so both can be made at once.
    makefile_.rule("vmlinux", archives_, "LD", std::string(trim(link->command)));
    makefile_.rule("linux", {"vmlinux", "vmlinux.symvers", "modules.builtin"}, "LINK", "ln -f vmlinux linux");
    return "";
  }

  const fs::path& tree_;
  const fs::path& build_;
  Commands commands_;
  Times times_;
  std::set<std::string> stale_;
  std::vector<std::string> archives_;
  Makefile makefile_;
};

}  // namespace

ReplayPlan plan_replay(const fs::path& tree, const fs::path& build, const Json& note, const Environment& env) {
  if (!note.is_object() || json_int(note, "version") != kVersion) return {.reason = "no build before was noted"};
  if (const auto now = stamp(build); now.empty() || json_string(note, "stamp") != now)
    return {.reason = "the build folder was changed by something else"};
  std::set<std::string> named;
  for (const auto& name : json_get(note, "named"))
    if (name.is_string()) named.insert(name.get<std::string>());
  if (json_string(note, "state") != build_state(tree, build, named, env))
    return {.reason = "a makefile, a script, the configuration, a tool or the set of files changed"};
  auto plan = Planner(tree, build).plan();
  plan.env = env;
  for (const auto& [name, value] : json_get(note, "env").items())
    if (value.is_string()) plan.env[name] = value.get<std::string>();
  // link-vmlinux.sh asks make for one object that depends on nothing but what is in the state.
  plan.env["MAKE"] = "true";
  return plan;
}

Json replay_note(const fs::path& tree, const fs::path& build, const Environment& kbuild_env, const Environment& env) {
  if (!refused_option(build).empty()) return nullptr;
  std::error_code code;
  if (!fs::equivalent(build / "vmlinux", build / "linux", code) || code) return nullptr;
  const auto named = named_sources(tree, build);
  Json added = Json::object();
  for (const auto& [name, value] : kbuild_env) {
    // Make's own words are of a make that has ended.
    if (name.starts_with("MAKE") || name == "MFLAGS" || name == "VPATH" || name == "PWD" || name == "OLDPWD" ||
        name == "SHLVL" || name == "_" || name == "SHELL")
      continue;
    if (const auto ours = env.find(name); ours == env.end() || ours->second != value) added[name] = value;
  }
  Json note{{"version", kVersion}, {"env", std::move(added)}, {"named", named}};
  note["state"] = build_state(tree, build, named, env);
  renew_replay_note(note, build);
  return note;
}

void renew_replay_note(Json& note, const fs::path& build) { note["stamp"] = stamp(build); }

Environment parse_environment(std::string_view zero_separated) {
  Environment env;
  for (const auto& entry : split(zero_separated, '\0'))
    if (const auto equals = entry.find('='); equals != std::string::npos && equals > 0)
      env[entry.substr(0, equals)] = entry.substr(equals + 1);
  return env;
}

}  // namespace bowsprit::kernel
