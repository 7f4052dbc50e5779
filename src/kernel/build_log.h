// SPDX-License-Identifier: Apache-2.0
/// Make's output, line by line: errors and warnings as file, line, column and text, and the objects made.
///
/// Knows the words of gcc, clang, GNU as and ld, modpost, objtool, Kconfig and make itself. Paths are turned to be
/// relative to the tree where they are in it. Pure: no I/O. Memory is bounded: at most kMaxMessages are kept. Does not:
/// know whether the build succeeded. Threads: one owner.
///
///   BuildLog log(tree, build);
///   log.feed(bytes);  log.finish();  auto messages = log.take_messages();
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "os/files.h"

namespace bowsprit::kernel {

struct BuildMessage {
  enum class Kind { error, warning } kind = Kind::error;
  std::string file;  ///< relative to the tree where it is in it; empty: not known
  int line = 0;
  int column = 0;
  std::string text;
};

class BuildLog {
 public:
  static constexpr std::size_t kMaxMessages = 200;  ///< per kind
  static constexpr std::size_t kMaxLine = 16384;    ///< bytes of a line that are looked at

  BuildLog(fs::path tree, fs::path build) : tree_(std::move(tree)), build_(std::move(build)) {}

  void feed(std::string_view bytes);
  void finish();
  /// Called for each object that make names ("  CC      lib/x.o").
  std::function<void(const std::string& object)> on_object;

  /// Errors first, each in the order they came. Make's own "*** ... Error 1" lines count only where nothing better was
  /// said.
  std::vector<BuildMessage> take_messages();
  /// The machine's fault, if a line says so ("no space left on device"); else empty.
  [[nodiscard]] const std::string& machine_fault() const { return machine_fault_; }

 private:
  void line(std::string_view text);
  void add(BuildMessage message);
  [[nodiscard]] std::string tree_path(std::string_view path) const;
  std::optional<BuildMessage> compiler_message(std::string_view text);
  std::optional<BuildMessage> tool_message(std::string_view text);

  fs::path tree_;
  fs::path build_;
  std::string partial_;
  bool overlong_ = false;
  std::vector<BuildMessage> errors_;
  std::vector<BuildMessage> warnings_;
  std::vector<BuildMessage> make_errors_;
  std::set<std::string> seen_;
  std::string machine_fault_;
};

}  // namespace bowsprit::kernel
