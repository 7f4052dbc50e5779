// SPDX-License-Identifier: Apache-2.0
/// The log: logfmt lines on stderr, `time=... level=info part=gerrit msg="..."`.
///
/// Levels: info = rare events of life, debug = each step, warn = the operator should look, error = somebody has to act.
/// Does not: write secrets; a Secret has no formatter, so it does not compile.
/// Threads: any; a line is written by one write(2).
///
///   log_info("gerrit", "change {}: new patch set {}", number, patchset);
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace bowsprit {

enum class LogLevel { debug, info, warn, error };

/// The lowest level that is written; info at first. Call before threads start.
void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);
void write_log(LogLevel level, std::string_view part, std::string_view message);

template <class... Args>
void log_debug(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::debug)) write_log(LogLevel::debug, part, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::info)) write_log(LogLevel::info, part, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warn(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::warn)) write_log(LogLevel::warn, part, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
  write_log(LogLevel::error, part, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace bowsprit
