// SPDX-License-Identifier: Apache-2.0
#include "kernel/kunitconfig.h"

#include <algorithm>
#include <map>

#include "base/strings.h"

namespace bowsprit::kernel {
namespace {

constexpr std::size_t kMaxConfigBytes = 4U << 20U;
constexpr std::string_view kPrefix = "CONFIG_";
constexpr std::string_view kNotSet = " is not set";

bool is_name(std::string_view name) {
  return name.starts_with(kPrefix) && name.size() > kPrefix.size() && std::ranges::all_of(name, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

bool is_value(std::string_view value) {
  if (value.empty()) return false;
  if (value.front() == '"') return value.size() >= 2 && value.back() == '"';
  return value.find_first_of(" \t\"") == std::string_view::npos;
}

/// An option, nothing (comment, empty line), or an error text.
Result<std::optional<ConfigOption>> parse_line(std::string_view line, SourceMark mark) {
  line = trim(line);
  if (line.empty()) return std::nullopt;
  if (line.front() == '#') {
    const auto rest = trim(line.substr(1));
    if (!rest.ends_with(kNotSet)) return std::nullopt;
    const auto name = rest.substr(0, rest.size() - kNotSet.size());
    if (!is_name(name)) return std::nullopt;
    return ConfigOption{std::string(name), "n", std::move(mark)};
  }
  const auto equals = line.find('=');
  const auto name = line.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view() : line.substr(equals + 1);
  if (is_name(name) && is_value(value)) return ConfigOption{std::string(name), std::string(value), std::move(mark)};
  auto error = fail_by(Blame::change, ErrorKind::bad_config,
                       "expected CONFIG_NAME=value, '# CONFIG_NAME is not set' or a comment, got '{}'",
                       printable(shorten(line, 120)));
  error.error().mark = std::move(mark);
  return error;
}

std::string place(const SourceMark& mark) { return fmt::format("{}:{}", mark.file, mark.line); }

/// Adds `option`, or says that an earlier line wants another value.
Result<> add_option(std::map<std::string, std::size_t>& index, std::vector<ConfigOption>& options,
                    ConfigOption option) {
  const auto [it, added] = index.try_emplace(option.name, options.size());
  if (added) {
    options.push_back(std::move(option));
    return {};
  }
  const auto& earlier = options[it->second];
  if (earlier.value == option.value) return {};
  auto error = fail_by(Blame::change, ErrorKind::bad_config, "'{}' here, but '{}' at {}; one of the two has to go",
                       option.text(), earlier.text(), place(earlier.where));
  error.error().mark = option.where;
  return error;
}

/// The file meant by `path`: itself, or its .kunitconfig where it is a folder.
fs::path config_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? path / ".kunitconfig" : path;
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

}  // namespace

std::string ConfigOption::text() const {
  return value == "n" ? fmt::format("# {} is not set", name) : fmt::format("{}={}", name, value);
}

std::string config_text(const std::vector<ConfigOption>& options) {
  std::string out;
  for (const auto& option : options) out += option.text() + "\n";
  return out;
}

std::string KunitConfig::text() const { return config_text(options); }

Result<std::vector<ConfigOption>> parse_config(std::string_view text, const std::string& file) {
  std::vector<ConfigOption> options;
  std::map<std::string, std::size_t> index;
  int number = 0;
  for (const auto& line : split_lines(text)) {
    TRY_ASSIGN(auto option, parse_line(line, {file, ++number, 0}));
    if (option) TRY(add_option(index, options, *std::move(option)));
  }
  return options;
}

Result<KunitConfig> load_kunitconfig(const KunitConfigSearch& search) {
  std::vector<fs::path> files;
  for (const auto& given : search.given) {
    const fs::path here = config_file(given);
    const fs::path in_tree = config_file(search.tree / given);
    if (!is_file(here) && !is_file(in_tree))
      return fail(ErrorKind::not_found, "no kunitconfig at '{}'{}", here.string(),
                  given.is_absolute() ? "" : fmt::format(" or '{}'", in_tree.string()));
    files.push_back(is_file(here) ? here : in_tree);
  }
  if (files.empty()) {
    std::vector<fs::path> places{search.tree / "kunitconfig", search.tree / ".kunitconfig"};
    if (!search.fallback.empty()) places.push_back(config_file(search.fallback));
    const auto found = std::ranges::find_if(places, is_file);
    if (found == places.end()) {
      std::vector<std::string> names;
      for (const auto& path : places) names.push_back("'" + path.string() + "'");
      return fail_by(Blame::change, ErrorKind::not_found, "no kunitconfig found; looked for {}{}", join(names, ", "),
                     search.fallback.empty() ? "; there is no default one (--default-kunitconfig)" : "");
    }
    files.push_back(*found);
  }
  KunitConfig config;
  std::map<std::string, std::size_t> index;
  for (const auto& file : files) {
    TRY_ASSIGN(const auto text, read_file(file, kMaxConfigBytes));
    // Marks below the tree are given relative to it: that is how reviewers know the file.
    const auto relative = file.lexically_normal().lexically_relative(search.tree.lexically_normal());
    const bool inside = !relative.empty() && *relative.begin() != "..";
    TRY_ASSIGN(auto options, parse_config(text, inside ? relative.string() : file.string()));
    for (auto& option : options) TRY(add_option(index, config.options, std::move(option)));
  }
  config.files = std::move(files);
  return config;
}

std::vector<ConfigOption> override_options(std::vector<ConfigOption> base, const std::vector<ConfigOption>& over) {
  for (const auto& option : over) {
    const auto found = std::ranges::find(base, option.name, &ConfigOption::name);
    if (found == base.end()) {
      base.push_back(option);
    } else {
      *found = option;
    }
  }
  return base;
}

std::string LostOption::text() const {
  const std::string state = got == "n" ? "it is not set" : fmt::format("it is {}", got);
  return fmt::format("{} was asked for{}, but {} in the result", wanted.text(),
                     wanted.where.file.empty() ? "" : " at " + place(wanted.where), state);
}

std::vector<LostOption> lost_options(const std::vector<ConfigOption>& wanted,
                                     const std::vector<ConfigOption>& resulting) {
  std::map<std::string_view, std::string_view> values;
  for (const auto& option : resulting) values[option.name] = option.value;
  std::vector<LostOption> lost;
  for (const auto& option : wanted) {
    const auto found = values.find(option.name);
    const std::string_view got = found == values.end() ? "n" : found->second;
    if (got != option.value) lost.push_back({option, std::string(got)});
  }
  return lost;
}

}  // namespace bowsprit::kernel
