// SPDX-License-Identifier: Apache-2.0
#include "kernel/build_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "base/strings.h"

namespace bowsprit::kernel {
namespace {

constexpr std::size_t kMaxMakefile = 1U << 20U;

bool is_source(std::string_view name) { return name.ends_with(".c") || name.ends_with(".h") || name.ends_with(".S"); }

/// Makefiles, and what else says how something is generated.
bool gives_orders(std::string_view name) {
  return name.starts_with("Makefile") || name.starts_with("Kbuild") || name.ends_with(".include") ||
         name.ends_with(".sh") || name.ends_with(".mk");
}

bool always_visited(std::string_view folder) {
  constexpr std::string_view kTops[] = {"scripts", "include", "arch/um", "arch/x86"};
  return std::ranges::any_of(kTops, [&](std::string_view top) {
    return folder == top || (folder.starts_with(top) && folder.substr(top.size()).starts_with('/'));
  });
}

std::string text_of(const struct stat& info) {
  return fmt::format("{} {}.{:09} {:o}", info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_mode);
}

/// Whether a folder ("include/asm-generic/") is one of those whose headers Kbuild files below include/ list by name.
bool has_asm_headers(std::string_view folder) {
  return folder.starts_with("asm") || folder.find("/asm") != std::string_view::npos;
}

/// How a name out of such a list is noted: it means no file of another folder.
std::string asm_name(std::string_view name) { return fmt::format("asm/{}", name); }

bool is_named(const std::set<std::string>& named, const std::string& folder, const std::string& name) {
  return named.contains(name) || (has_asm_headers(folder) && named.contains(asm_name(name)));
}

struct Visited {
  std::string folder;  ///< relative to the tree, "" or ending with a slash
  std::string name;
  int folder_fd = -1;
};

/// Calls `visit` for each file of the folders that count, in a fixed order.
void walk(const fs::path& tree, const fs::path& build, const std::string& folder,
          const std::function<void(const Visited&)>& visit) {
  const auto place = tree / folder;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(place.c_str()), &::closedir);
  if (!dir) return;
  std::vector<std::string> files;
  std::vector<std::string> folders;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with('.') || name.ends_with('~')) continue;
    bool is_folder = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat info{};
      is_folder =
          ::fstatat(::dirfd(dir.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
    }
    (is_folder ? folders : files).emplace_back(name);
  }
  std::ranges::sort(files);
  std::ranges::sort(folders);
  for (auto& file : files) visit({folder, std::move(file), ::dirfd(dir.get())});
  std::error_code code;
  for (const auto& name : folders) {
    const auto inner = folder + name;
    // A folder with none of its own in the build folder can have no makefile that was read, but "arch" leads to some.
    if (inner == "arch" || always_visited(inner) || fs::is_directory(build / inner, code))
      walk(tree, build, inner + "/", visit);
  }
}

std::string tool_text(const std::string& name, const Environment& env) {
  const auto path = env.find("PATH");
  if (path == env.end()) return name;
  for (const auto& folder : split(path->second, ':')) {
    struct stat info{};
    std::error_code code;
    if (::stat((fs::path(folder) / name).c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    return fs::canonical(fs::path(folder) / name, code).string() + " " + text_of(info);
  }
  return name;
}

/// What the environment holds for make and compilers: everything but what is known to differ from job to job.
bool concerns_a_build(std::string_view name) {
  constexpr std::string_view kOwn[] = {"ARTIFACTS", "HOSTNAME", "PWD",      "OLDPWD", "SHLVL",   "_",       "TERM",
                                       "COLUMNS",   "LINES",    "BUILD_ID", "USER",   "LOGNAME", "DISPLAY", "TMPDIR"};
  constexpr std::string_view kOwnPrefixes[] = {"PULL_",   "JOB_",      "PROW_",        "REPO_",     "SSH_",
                                               "XDG_",    "DBUS_",     "BUILD_NUMBER", "BOWSPRIT_", "COLORTERM",
                                               "CCACHE_", "LS_COLORS", "PYTEST_",      "LESS"};
  return std::ranges::find(kOwn, name) == std::end(kOwn) &&
         std::ranges::none_of(kOwnPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace

std::set<std::string> named_sources(const fs::path& tree, const fs::path& build) {
  std::set<std::string> names;
  walk(tree, build, "", [&](const Visited& file) {
    if (!gives_orders(file.name)) return;
    const auto text = read_file(tree / (file.folder + file.name), kMaxMakefile);
    if (!text) return;
    // generic-y and mandatory-y of the asm folders: half of all names, and many of them are names elsewhere, too.
    const bool is_list = file.name == "Kbuild" && ("/" + file.folder).find("/include/") != std::string::npos;
    const auto is_part = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
             c == '.' || c == '+';
    };
    for (std::size_t at = 0; at < text->size();) {
      if (!is_part((*text)[at])) {
        ++at;
        continue;
      }
      auto end = at;
      while (end < text->size() && is_part((*text)[end])) ++end;
      const auto word = std::string_view(*text).substr(at, end - at);
      if (is_source(word) && word.size() > 2) names.emplace(is_list ? asm_name(word) : std::string(word));
      at = end;
    }
  });
  return names;
}

std::string build_state(const fs::path& tree, const fs::path& build, const std::set<std::string>& named,
                        const Environment& env) {
  std::string text;
  text.reserve(1U << 20U);
  walk(tree, build, "", [&](const Visited& file) {
    text += file.folder;
    text += file.name;
    if (!is_source(file.name) || is_named(named, file.folder, file.name)) {
      struct stat info{};
      const bool there = ::fstatat(file.folder_fd, file.name.c_str(), &info, 0) == 0;
      text += " " + (there ? text_of(info) : std::string("gone"));
    }
    text += '\n';
  });
  for (const char* tool :
       {"cc", "gcc", "ld", "as", "ar", "nm", "objcopy", "make", "sh", "sed", "awk", "perl", "python3"})
    text += tool_text(tool, env) + "\n";
  for (const auto& [name, value] : env)
    if (concerns_a_build(name)) text += fmt::format("{}={}\n", name, value);
  for (const char* file : {".config", "include/config/auto.conf", "include/generated/autoconf.h"}) {
    struct stat info{};
    text += ::stat((build / file).c_str(), &info) == 0 ? text_of(info) : std::string("gone");
    text += '\n';
  }
  return sha256_hex(text);
}

}  // namespace bowsprit::kernel
