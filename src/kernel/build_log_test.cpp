// SPDX-License-Identifier: Apache-2.0
#include "kernel/build_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bowsprit::kernel {
namespace {

using Kind = BuildMessage::Kind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<BuildMessage> read(std::string_view text) {
  BuildLog log("/src/linux", "/var/build");
  log.feed(text);
  log.finish();
  return log.take_messages();
}

std::string show(const std::vector<BuildMessage>& messages) {
  std::string out;
  for (const auto& m : messages)
    out += fmt::format("{} {}:{}:{} {}\n", m.kind == Kind::error ? "E" : "W", m.file, m.line, m.column, m.text);
  return out;
}

TEST(BuildLog, ReadsCompilerMessagesWithPathsOfTheTree) {
  EXPECT_EQ(show(read("/src/linux/lib/kunit/test.c:10:5: error: 'x' undeclared (first use in this function)\n"
                      "   10 |     x = 1;\n"
                      "      |     ^\n"
                      "/src/linux/lib/kunit/test.c:9:6: warning: unused variable 'y' [-Wunused-variable]\n"
                      "../../src/linux/mm/slab.c:3: error: no column\n"
                      "./include/generated/bounds.h:1:2: error: in a made file\n"
                      "/src/linux/lib/a.c:1:10: fatal error: none.h: No such file or directory\n"
                      "/src/linux/lib/a.c:7:1: note: declared here\n"
                      "cc1: error: unrecognized command-line option '-fx'\n")),
            "E lib/kunit/test.c:10:5 'x' undeclared (first use in this function)\n"
            "E mm/slab.c:3:0 no column\n"
            "E include/generated/bounds.h:1:2 in a made file\n"
            "E lib/a.c:1:10 fatal error: none.h: No such file or directory\n"
            "E :0:0 unrecognized command-line option '-fx'\n"
            "W lib/kunit/test.c:9:6 unused variable 'y' [-Wunused-variable]\n");
}

TEST(BuildLog, ReadsTheToolsBehindTheCompiler) {
  EXPECT_EQ(
      show(read("/src/linux/arch/um/x.S: Assembler messages:\n"
                "/src/linux/arch/um/x.S:4: Error: no such instruction: `foo'\n"
                "ld: vmlinux.o: in function `f':\n"
                "kunit-test.c:(.text+0x1b): undefined reference to `no_such_symbol'\n"
                "/usr/bin/ld: lib/kunit/test.o:/src/linux/lib/kunit/test.c:5: multiple definition of `f'; lib/a.o:1: "
                "first here\n"
                "collect2: error: ld returned 1 exit status\n"
                "ERROR: modpost: \"g\" [lib/m.ko] undefined!\n"
                "WARNING: modpost: missing MODULE_DESCRIPTION() in lib/m.o\n"
                "lib/x.o: warning: objtool: f()+0x12: unreachable instruction\n"
                "lib/kunit/Kconfig:12: syntax error\n"
                "/src/linux/lib/Makefile:7: *** missing separator.  Stop.\n"
                "make[3]: *** No rule to make target 'lib/kunit/none.o', needed by 'lib/kunit/built-in.a'.  Stop.\n")),
      "E arch/um/x.S:4:0 no such instruction: `foo'\n"
      "E kunit-test.c:0:0 undefined reference to `no_such_symbol'\n"
      "E lib/kunit/test.o:0:0 multiple definition of `f'; lib/a.o:1: first here\n"
      "E :0:0 ld returned 1 exit status\n"
      "E :0:0 modpost: \"g\" [lib/m.ko] undefined!\n"
      "E lib/kunit/Kconfig:12:0 syntax error\n"
      "E lib/Makefile:7:0 missing separator.  Stop.\n"
      "E :0:0 No rule to make target 'lib/kunit/none.o', needed by 'lib/kunit/built-in.a'.  Stop.\n"
      "W :0:0 modpost: missing MODULE_DESCRIPTION() in lib/m.o\n"
      "W lib/x.o:0:0 objtool: f()+0x12: unreachable instruction\n");
}

TEST(BuildLog, TakesMakesOwnErrorOnlyWhereNothingBetterWasSaid) {
  const std::string failed = "make[4]: *** [/src/linux/scripts/Makefile.build:229: lib/kunit/test.o] Error 1\n";
  EXPECT_EQ(show(read(failed)),
            "E lib/kunit/test.o:0:0 [/src/linux/scripts/Makefile.build:229: lib/kunit/test.o] Error 1\n");
  EXPECT_EQ(show(read("/src/linux/a.c:1:1: error: x\n" + failed)), "E a.c:1:1 x\n");
}

TEST(BuildLog, TellsAnUncleanTree) {
  EXPECT_THAT(
      show(read("***\n*** The source tree is not clean, please run 'make ARCH=um mrproper'\n*** in /src/linux\n***\n"
                "make[1]: *** [/src/linux/Makefile:593: outputmakefile] Error 1\n")),
      HasSubstr("the source tree is not clean"));
}

TEST(BuildLog, CountsObjectsAndIgnoresPlainLines) {
  BuildLog log("/src/linux", "/var/build");
  std::vector<std::string> objects;
  log.on_object = [&](const std::string& object) { objects.push_back(object); };
  log.feed("  CC      lib/kunit/te");
  log.feed(
      "st.o\n  AR      lib/built-in.a\n  HOSTCC  scripts/basic/fixdep\n  UPD     include/generated/compile.h\n  CC     "
      " last.o");
  log.finish();
  EXPECT_THAT(objects, ::testing::ElementsAre("lib/kunit/test.o", "lib/built-in.a", "last.o"));
  EXPECT_THAT(log.take_messages(), IsEmpty());
}

TEST(BuildLog, SaysTheSameThingOnce) {
  EXPECT_EQ(read("/src/linux/a.h:1:1: warning: w\n/src/linux/a.h:1:1: warning: w\n").size(), 1U);
}

TEST(BuildLog, KnowsTheMachinesFaults) {
  const auto fault = [](std::string_view text) {
    BuildLog log("/src/linux", "/var/build");
    log.feed(text);
    log.finish();
    return log.machine_fault();
  };
  EXPECT_EQ(fault("/src/linux/a.c:1:1: fatal error: error writing to /tmp/x.s: No space left on device\n"),
            "/src/linux/a.c:1:1: fatal error: error writing to /tmp/x.s: No space left on device");
  EXPECT_NE(fault("gcc: fatal error: Killed signal terminated program cc1\n"), "");
  EXPECT_NE(fault("/bin/sh: 1: flex: not found\n"), "");
  EXPECT_EQ(fault("/bin/sh: 1: ./scripts/gone.sh: not found\n"), "");
  EXPECT_EQ(fault("/src/linux/a.c:1:1: error: 'y' not found\n"), "");
}

TEST(BuildLog, StaysSmallUnderHostileOutput) {
  BuildLog log("/src/linux", "/var/build");
  const std::string chunk(1U << 20U, 'x');
  for (int i = 0; i < 20; ++i) log.feed(chunk);
  for (int i = 0; i < 10'000; ++i) log.feed(fmt::format("\n/src/linux/a.c:{}:1: error: e", i + 1));
  log.finish();
  EXPECT_EQ(log.take_messages().size(), BuildLog::kMaxMessages);
}

}  // namespace
}  // namespace bowsprit::kernel
