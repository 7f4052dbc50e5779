// SPDX-License-Identifier: Apache-2.0
/// Which options a run asks of the kernel's configuration: finding the kunitconfig, reading it, merging several, and
/// telling afterwards which of them the configuration lost (kernel/lost_option.h tells why).
///
/// The format is the kernel's own (Documentation/kbuild/kconfig.rst): `CONFIG_X=value`, `# CONFIG_X is not set`,
/// comments. Does not: run Kconfig (kernel/kbuild.h does), or read the meaning of an expression beyond the words in it.
/// Threads: any.
///
///   TRY_ASSIGN(const auto wanted, load_kunitconfig({.tree = tree}));       // error: which places were looked at
///   for (const auto& lost : lost_options(wanted.options, resulting)) ...
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/files.h"

namespace bowsprit::kernel {

struct ConfigOption {
  std::string name;   ///< with "CONFIG_"
  std::string value;  ///< as written: y, m, 42, 0x10, "text" with its quotes; "n" for "is not set"
  SourceMark where;
  /// The line that asks for it.
  [[nodiscard]] std::string text() const;
};

/// Reads a kunitconfig or a .config; `file` is used in marks only.
/// @error bad_config  a line is neither an option nor a comment, or one option has two values; the mark says where. The
///                    blame is the change's, since the file is part of the tree
Result<std::vector<ConfigOption>> parse_config(std::string_view text, const std::string& file);

struct KunitConfigSearch {
  fs::path tree;
  std::vector<fs::path> given =
      {};                  ///< files, or folders with .kunitconfig; relative to the current folder, else to the tree
  fs::path fallback = {};  ///< used where the tree has none; empty: not allowed
};

struct KunitConfig {
  std::vector<ConfigOption> options;
  std::vector<fs::path> files;  ///< what was read
  /// All options, one a line: what goes to Kconfig.
  [[nodiscard]] std::string text() const;
};

/// The files given, merged; else TREE/kunitconfig; else TREE/.kunitconfig; else the fallback.
/// @error not_found  none is there; the message has every place looked at
/// @error bad_config  a bad line, or two files want different values of one option; the message has both places
Result<KunitConfig> load_kunitconfig(const KunitConfigSearch& search);

/// `base` with the options of `over` put in its place or behind it.
std::vector<ConfigOption> override_options(std::vector<ConfigOption> base, const std::vector<ConfigOption>& over);
std::string config_text(const std::vector<ConfigOption>& options);

struct LostOption {
  ConfigOption wanted;
  std::string got;  ///< the value in the result; "n" where it is not set or not there
  /// "CONFIG_X=y was asked for, but is not set"
  [[nodiscard]] std::string text() const;
};
/// What was wanted and is not so in `resulting` (the .config). A wanted "n" is kept where the option is absent.
std::vector<LostOption> lost_options(const std::vector<ConfigOption>& wanted,
                                     const std::vector<ConfigOption>& resulting);

}  // namespace bowsprit::kernel
