// SPDX-License-Identifier: Apache-2.0
#include "podutils/censor.h"

#include <unistd.h>
#include <cstring>

#include <algorithm>

#include "base/strings.h"
#include "os/fd.h"

namespace bowsprit::podutils {
namespace {

constexpr std::size_t kStep = 1U << 20U;
constexpr std::size_t kLargestSecret = 16U << 20U;

bool is_truth_value(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower == "true" || lower == "false";
}

/// Adds what a registry's credentials file holds: {"host": {"auth": ..., "password": ...}}.
Result<> add_registries(const Json& hosts, const std::string& file, std::vector<std::string>& out) {
  if (!hosts.is_object())
    return fail(ErrorKind::bad_data, "read the secret '{}': expected a registry's credentials in JSON", file);
  for (const auto& [host, entry] : hosts.items())
    for (const char* key : {"auth", "password"})
      if (const std::string value = json_string(entry, key); !value.empty()) out.push_back(value);
  return {};
}

Result<> add_ini_values(std::string_view text, const std::string& file, std::vector<std::string>& out) {
  for (const std::string& whole : split_lines(text)) {
    const std::string_view line = trim(whole);
    if (line.empty() || line[0] == ';' || line[0] == '#' || line[0] == '[') continue;
    const auto separator = line.find_first_of("=:");
    if (separator == std::string_view::npos)
      return fail(ErrorKind::bad_data, "read the secret '{}': a line is no KEY = VALUE", file);
    std::string_view value = trim(line.substr(separator + 1));
    if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
      value = value.substr(1, value.size() - 2);
    if (!value.empty()) out.emplace_back(value);
  }
  return {};
}

Result<> add_secret_file(const fs::path& path, const CensoringOptions& options, std::vector<std::string>& out) {
  const std::string name = path.filename().string();
  TRY_ASSIGN(const std::string text, read_file(path, kLargestSecret));
  out.push_back(text);
  if (name == ".dockercfg") {
    TRY_ASSIGN(const Json parsed, parse_json(text));
    TRY(add_registries(parsed, path.string(), out));
  } else if (name == ".dockerconfigjson") {
    TRY_ASSIGN(const Json parsed, parse_json(text));
    TRY(add_registries(json_get(parsed, "auths"), path.string(), out));
  } else if (std::ranges::find(options.ini_filenames, name) != options.ini_filenames.end()) {
    TRY(add_ini_values(text, path.string(), out));
  }
  return {};
}

/// Names that begin with ".." are the machinery of a mounted secret; its plain names are links into it.
Result<> add_secret_folder(const fs::path& folder, const CensoringOptions& options, std::vector<std::string>& out) {
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (it->path().filename().string().starts_with("..")) continue;
    std::error_code ignored;
    if (it->symlink_status(ignored).type() == fs::file_type::directory)
      TRY(add_secret_folder(it->path(), options, out));
    else
      TRY(add_secret_file(it->path(), options, out));
  }
  if (code) return fail(ErrorKind::os, "read the secrets in '{}': {}", folder.string(), code.message());
  return {};
}

bool match_class(std::string_view& pattern, char c) {
  const auto end = pattern.find(']', 1);
  std::string_view body = pattern.substr(1, end - 1);
  const bool negated = body.starts_with('!') || body.starts_with('^');
  if (negated) body.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const bool range = i + 2 < body.size() && body[i + 1] == '-';
    found = found || (range ? c >= body[i] && c <= body[i + 2] : c == body[i]);
    if (range) i += 2;
  }
  pattern.remove_prefix(end + 1);
  return found != negated && c != '/';
}

bool match_here(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    if (pattern.starts_with("**")) {
      std::string_view rest = pattern.substr(2);
      if (rest.starts_with('/') && match_here(rest.substr(1), path)) return true;  // no folder at all
      for (std::size_t i = 0; i <= path.size(); ++i)
        if (match_here(rest, path.substr(i))) return true;
      return false;
    }
    if (pattern[0] == '*') {
      for (std::size_t i = 0; i <= path.size(); ++i) {
        if (match_here(pattern.substr(1), path.substr(i))) return true;
        if (i < path.size() && path[i] == '/') break;
      }
      return false;
    }
    if (path.empty()) return false;
    if (pattern[0] == '[' && pattern.find(']', 1) != std::string_view::npos) {
      if (!match_class(pattern, path[0])) return false;
    } else {
      if (pattern[0] == '?' ? path[0] == '/' : pattern[0] != path[0]) return false;
      pattern.remove_prefix(1);
    }
    path.remove_prefix(1);
  }
  return path.empty();
}

}  // namespace

Censor::Censor(const std::vector<std::string>& secrets, std::int64_t minimum_length) {
  for (const std::string& secret : secrets) {
    const std::string trimmed(trim(secret));
    if (trimmed.empty() || is_truth_value(trimmed) || static_cast<std::int64_t>(trimmed.size()) < minimum_length)
      continue;
    needles_.push_back(trimmed);
    needles_.push_back(base64_encode(secret));
    if (trimmed != secret) needles_.push_back(base64_encode(trimmed));
  }
  std::ranges::sort(needles_);
  const auto doubles = std::ranges::unique(needles_);
  needles_.erase(doubles.begin(), doubles.end());
  for (const std::string& needle : needles_) longest_ = std::max(longest_, needle.size());
}

Result<Censor> Censor::load(const CensoringOptions& options) {
  std::vector<std::string> secrets;
  for (const std::string& folder : options.secret_directories) {
    std::error_code code;
    if (fs::is_directory(folder, code))
      TRY(add_secret_folder(folder, options, secrets));
    else
      TRY(add_secret_file(folder, options, secrets));
  }
  return Censor(secrets, options.minimum_secret_length);
}

bool Censor::mask(std::string& text) const {
  // All places are found before any is overwritten, so that secrets that overlap are both covered.
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const std::string& needle : needles_)
    for (std::size_t at = text.find(needle); at != std::string::npos; at = text.find(needle, at + 1))
      places.emplace_back(at, needle.size());
  for (const auto& [at, size] : places) std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at), size, 'X');
  return !places.empty();
}

Result<bool> Censor::mask_file(const fs::path& file) const {
  if (empty()) return false;
  TRY_ASSIGN(const Fd fd, Fd::open(file.string(), O_RDWR | O_NOFOLLOW));
  std::vector<std::pair<std::uint64_t, std::size_t>> places;
  std::string window;
  std::uint64_t start = 0;  // of the window in the file
  while (true) {
    const std::size_t old = window.size();
    window.resize(old + kStep);
    TRY_ASSIGN(const std::size_t count, fd.read(window.data() + old, kStep));
    window.resize(old + count);
    if (count == 0) break;
    for (const std::string& needle : needles_)
      for (std::size_t at = window.find(needle); at != std::string::npos; at = window.find(needle, at + 1))
        places.emplace_back(start + at, needle.size());
    const std::size_t keep = std::min(window.size(), longest_ - 1);
    start += window.size() - keep;
    window.erase(0, window.size() - keep);
  }
  for (const auto& [at, size] : places)
    if (const std::string cover(size, 'X');
        ::pwrite(fd.get(), cover.data(), size, static_cast<off_t>(at)) != static_cast<ssize_t>(size))
      return fail_errno(fmt::format("overwrite a secret in '{}'", file.string()));
  return !places.empty();
}

void MaskStream::feed(std::string_view bytes) {
  if (found_ || censor_.empty()) return;
  window_ += bytes;
  found_ = std::ranges::any_of(censor_.needles_,
                               [&](const std::string& needle) { return window_.find(needle) != std::string::npos; });
  if (window_.size() >= censor_.longest_) window_.erase(0, window_.size() - (censor_.longest_ - 1));
}

bool is_censored(const CensoringOptions& options, std::string_view path) {
  const auto any = [&](const std::vector<std::string>& globs) {
    return std::ranges::any_of(globs, [&](const std::string& glob) { return glob_matches(glob, path); });
  };
  if (any(options.exclude_directories)) return false;
  return options.include_directories.empty() || any(options.include_directories);
}

bool glob_matches(std::string_view pattern, std::string_view path) {
  const auto open = pattern.find('{');
  const auto close = pattern.find('}', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return match_here(pattern, path);
  return std::ranges::any_of(split(pattern.substr(open + 1, close - open - 1), ','), [&](const std::string& word) {
    return glob_matches(fmt::format("{}{}{}", pattern.substr(0, open), word, pattern.substr(close + 1)), path);
  });
}

}  // namespace bowsprit::podutils
