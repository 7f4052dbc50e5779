// SPDX-License-Identifier: Apache-2.0
#include "kernel/saved_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::kernel {
namespace {

using ::testing::ElementsAre;

// As Linux 6.12 writes it, shortened.
constexpr std::string_view kCompile =
    "savedcmd_lib/kunit/test.o := gcc -Wp,-MMD,lib/kunit/.test.o.d -nostdinc -DKBUILD_MODNAME='\"kunit\"' "
    "-D'pr_fmt(x)=$(pound) x' -c -o lib/kunit/test.o /tree/lib/kunit/test.c \n"
    "\n"
    "source_lib/kunit/test.o := /tree/lib/kunit/test.c\n"
    "\n"
    "deps_lib/kunit/test.o := \\\n"
    "    $(wildcard include/config/KUNIT) \\\n"
    "  /tree/include/kunit/test.h \\\n"
    "  include/generated/bounds.h \\\n"
    "\n"
    "lib/kunit/test.o: $(deps_lib/kunit/test.o)\n"
    "\n"
    "$(deps_lib/kunit/test.o):\n";

SavedCommand parsed(std::string_view text) {
  auto command = parse_saved_command(text);
  EXPECT_TRUE(command) << command.error().text();
  return command.value_or(SavedCommand{});
}

TEST(SavedCommand, TellsWhatACompilerMadeOfWhat) {
  const auto command = parsed(kCompile);
  EXPECT_EQ(command.target, "lib/kunit/test.o");
  EXPECT_EQ(command.source, "/tree/lib/kunit/test.c");
  EXPECT_THAT(command.prerequisites, ElementsAre("/tree/include/kunit/test.h", "include/generated/bounds.h"));
  EXPECT_NE(command.command.find("-D'pr_fmt(x)=# x' "), std::string::npos) << command.command;
  EXPECT_NE(command.saved.find("$(pound)"), std::string::npos) << "for the next make as it was";
  EXPECT_EQ(dependency_file_of_compile(command), "lib/kunit/.test.o.d");
}

TEST(SavedCommand, IsNoPlainCompileWhereMoreIsDone) {
  auto more = parsed(kCompile);
  more.command += "; ./tools/objtool/objtool lib/kunit/test.o";
  EXPECT_EQ(dependency_file_of_compile(more), std::nullopt);
  more = parsed(kCompile);
  more.command.replace(0, 3, "true; gcc");
  EXPECT_EQ(dependency_file_of_compile(more), std::nullopt);
  more = parsed(kCompile);
  more.command = "gcc -E -Wp,-MMD,arch/um/kernel/.vmlinux.lds.d -o arch/um/kernel/vmlinux.lds /tree/vmlinux.lds.S";
  EXPECT_EQ(dependency_file_of_compile(more), std::nullopt);
}

TEST(SavedCommand, ListsTheMembersOfEachKindOfArchive) {
  EXPECT_THAT(*archive_members(parsed("savedcmd_lib/built-in.a := rm -f lib/built-in.a;  printf \"lib/%s \" a.o "
                                      "kunit/built-in.a | xargs ar cDPrST lib/built-in.a\n")),
              ElementsAre("lib/a.o", "lib/kunit/built-in.a"));
  EXPECT_THAT(*archive_members(parsed("savedcmd_built-in.a := rm -f built-in.a;  printf \"./%s \" init/built-in.a | "
                                      "xargs ar cDPrST built-in.a\n")),
              ElementsAre("init/built-in.a"));
  EXPECT_THAT(*archive_members(parsed("savedcmd_lib/lib.a := rm -f lib/lib.a; ar cDPrsT lib/lib.a lib/x.o lib/y.o\n")),
              ElementsAre("lib/x.o", "lib/y.o"));
  EXPECT_THAT(
      *archive_members(parsed("savedcmd_vmlinux.a := rm -f vmlinux.a; ar cDPrST vmlinux.a ./built-in.a; ar mPiT "
                              "$$(ar t vmlinux.a | sed -n 1p) vmlinux.a $$(ar t vmlinux.a | grep -F -f /tree/list)\n")),
      ElementsAre("built-in.a"));
  EXPECT_THAT(*archive_members(parsed("savedcmd_virt/built-in.a := rm -f virt/built-in.a;  ar cDPrST "
                                      "virt/built-in.a\n")),
              ElementsAre());
  EXPECT_EQ(archive_members(parsed("savedcmd_vmlinux.o := ld -r -o vmlinux.o --whole-archive vmlinux.a\n")),
            std::nullopt);
}

TEST(SavedCommand, RefusesWhatItCanNotExpand) {
  EXPECT_FALSE(parse_saved_command("savedcmd_x.o := $(CC) -c -o x.o x.c\n"));
  EXPECT_FALSE(parse_saved_command("deps_config := \\\n  Kconfig\n"));
}

}  // namespace
}  // namespace bowsprit::kernel
