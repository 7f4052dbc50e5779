// SPDX-License-Identifier: Apache-2.0
#include "app/source_lines.h"

#include <gtest/gtest.h>

namespace bowsprit::app {
namespace {

TEST(SourceLines, AreThoseOfTheTreeAndOfNothingElse) {
  const auto dir = TempDir::create("bowsprit-source-lines");
  ASSERT_TRUE(dir) << dir.error().text();
  const fs::path tree = dir->path() / "tree";
  ASSERT_TRUE(make_dirs(tree / "lib"));
  ASSERT_TRUE(write_file(tree / "lib/x.c", "one\n\t two;\r\n"));
  ASSERT_TRUE(write_file(dir->path() / "secret", "not for a result\n"));
  fs::create_symlink("../../secret", tree / "lib/link.c");
  RunResult result;
  for (const auto& [file, line] : std::vector<std::pair<std::string, int>>{{"lib/x.c", 2},
                                                                           {"lib/x.c", 3},
                                                                           {"lib/x.c", 0},
                                                                           {"lib", 1},
                                                                           {"", 1},
                                                                           {"lib/gone.c", 1},
                                                                           {"../secret", 1},
                                                                           {"lib/link.c", 1},
                                                                           {(dir->path() / "secret").string(), 1}}) {
    result.failures.push_back({.test = "s.t", .file = file, .line = line});
    result.diagnostics.push_back({.kind = Diagnostic::Kind::error, .file = file, .line = line});
  }
  add_source_lines(result, tree);
  for (std::size_t i = 0; i < result.failures.size(); ++i) {
    EXPECT_EQ(result.failures[i].source, i == 0 ? "two;" : "") << result.failures[i].file;
    EXPECT_EQ(result.diagnostics[i].source, result.failures[i].source);
  }
}

}  // namespace
}  // namespace bowsprit::app
