// SPDX-License-Identifier: Apache-2.0
#include "kernel/orphan_targets.h"

#include <gmock/gmock.h>

#include <optional>

namespace bowsprit::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OrphanTargets : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create("orphan-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    put(tree() / "lib/a.c", "");
    put(tree() / "lib/b.c", "");
    made("lib/a.o", (tree() / "lib/a.c").string());
    made("lib/b.o", (tree() / "lib/b.c").string());
    made("lib/made.o", "lib/made.c");
    put(build() / "lib/.built-in.a.cmd", "savedcmd_lib/built-in.a := rm -f lib/built-in.a\n");
    put(build() / "lib/built-in.a", "");
  }
  [[nodiscard]] fs::path tree() const { return dir_->path() / "tree"; }
  [[nodiscard]] fs::path build() const { return dir_->path() / "build"; }
  static void put(const fs::path& path, const std::string& text) {
    ASSERT_TRUE(make_dirs(path.parent_path()));
    ASSERT_TRUE(write_file(path, text));
  }
  void made(const std::string& target, const std::string& source) const {
    const auto path = build() / target;
    put(path, "object");
    put(path.parent_path() / ("." + path.filename().string() + ".cmd"),
        "savedcmd_" + target + " := gcc -c -o " + target + " " + source + "\n\nsource_" + target + " := " + source +
            "\n\ndeps_" + target + " := \\\n  include/x.h \\\n");
  }

  std::optional<TempDir> dir_;
};

TEST_F(OrphanTargets, RemovesWhatWasMadeOfASourceThatIsGone) {
  fs::remove(tree() / "lib/a.c");
  const auto removed = remove_orphan_targets(tree(), build());
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_THAT(*removed, ElementsAre("lib/a.o"));
  EXPECT_FALSE(fs::exists(build() / "lib/a.o"));
  EXPECT_TRUE(fs::exists(build() / "lib/b.o"));
  EXPECT_TRUE(fs::exists(build() / "lib/made.o")) << "its source is made, too";
}

TEST_F(OrphanTargets, LeavesAFolderAloneWhoseSourcesAreThere) {
  const auto removed = remove_orphan_targets(tree(), build());
  ASSERT_TRUE(removed);
  EXPECT_THAT(*removed, IsEmpty());
}

TEST_F(OrphanTargets, DoesNotEnterABuildFolderInside) {
  put(build() / "base/.config", "CONFIG_UML=y\n");
  put(build() / "base/lib/.c.o.cmd", "source_lib/c.o := /no/such/c.c\n");
  put(build() / "base/lib/c.o", "object");
  ASSERT_TRUE(remove_orphan_targets(tree(), build()));
  EXPECT_TRUE(fs::exists(build() / "base/lib/c.o"));
}

}  // namespace
}  // namespace bowsprit::kernel
