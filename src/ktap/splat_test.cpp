// SPDX-License-Identifier: Apache-2.0
#include "ktap/splat.h"

#include <gtest/gtest.h>

#include "ktap/console.h"

namespace bowsprit::ktap {
namespace {

struct Known {
  Splat::Kind kind;
  std::string title;
  std::string file;
  int line;
  std::string function;
};

TEST(Splat, KindPlaceAndFunctionOfEachKernelReport) {
  using enum Splat::Kind;
  const std::vector<Known> reports{
      {panic, "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b", "", 0, ""},
      {oops, "BUG: kernel NULL pointer dereference, address: 0000000000000008", "", 0, ""},
      {oops, "BUG: unable to handle page fault for address: ffffc90000000000", "", 0, ""},
      {oops, "general protection fault, probably for non-canonical address 0xdead: 0000 [#1] PREEMPT SMP", "", 0, ""},
      {oops, "Oops: general protection fault, probably for non-canonical address 0xdffffc0000000000: 0000 [#1]", "", 0,
       ""},
      {oops, "Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP", "", 0, ""},
      {oops, "divide error: 0000 [#1] SMP", "", 0, ""},
      {bug, "kernel BUG at lib/list_debug.c:56!", "lib/list_debug.c", 56, ""},
      {bug, "BUG: failure at mm/slub.c:12/kfree()!", "mm/slub.c", 12, "kfree"},
      {bug, "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:585",
       "kernel/locking/mutex.c", 585, ""},
      {bug, "BUG: scheduling while atomic: kunit_try_catch/31/0x00000002", "", 0, ""},
      {bug, "BUG kmalloc-64 (Tainted: G                 N): Right Redzone overwritten", "", 0, ""},
      {warning, "WARNING: CPU: 0 PID: 1 at kernel/time/clockevents.c:458 clockevents_register_device+0x143/0x160",
       "kernel/time/clockevents.c", 458, "clockevents_register_device"},
      {warning, "WARNING: lib/x.c:12 at broken.isra.0+0x1/0x2, CPU#0: kunit_try_catch/31", "lib/x.c", 12, "broken"},
      {warning, "WARNING: at foo.c:12 f()", "foo.c", 12, "f"},
      {soft_lockup, "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [kunit_try_catch:31]", "", 0, ""},
      {soft_lockup, "rcu: INFO: rcu_sched self-detected stall on CPU", "", 0, ""},
      {hung_task, "INFO: task kunit_try_catch:31 blocked for more than 120 seconds.", "", 0, ""},
      {kasan, "BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0x1a5/0x2d0", "", 0, "kmalloc_oob_right"},
      {ubsan, "UBSAN: array-index-out-of-bounds in lib/x.c:99:14", "lib/x.c", 99, ""},
      {kcsan, "BUG: KCSAN: data-race in writer+0x1/0x2 / reader+0x3/0x4", "", 0, "writer"},
      {kfence, "BUG: KFENCE: use-after-free read in test_uaf+0xb3/0x143", "", 0, "test_uaf"},
      {lockdep, "WARNING: possible circular locking dependency detected", "", 0, ""},
      {lockdep, "WARNING: suspicious RCU usage", "", 0, ""},
      {lockdep, "INFO: trying to register non-static key.", "", 0, ""},
      {kmemleak, "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)", "", 0, ""},
      {kmemleak, "unreferenced object 0xffff888004a3c000 (size 64):", "", 0, ""},
  };
  for (const auto& known : reports) {
    const ConsoleReport report = read_console(known.title + "\n");
    ASSERT_EQ(report.splats.size(), 1U) << known.title;
    const Splat& splat = report.splats[0];
    EXPECT_EQ(to_string(splat.kind), to_string(known.kind)) << known.title;
    EXPECT_EQ(splat.file, known.file) << known.title;
    EXPECT_EQ(splat.line, known.line) << known.title;
    EXPECT_EQ(splat.function, known.function) << known.title;
  }
}

TEST(Splat, OrdinaryMessagesAreNone) {
  for (const std::string_view line :
       {"foo: WARNING: the cable is loose", "WARNING: this driver is old", "debug: DEBUG: x",
        "INFO: lockdep is turned off.", "    # case: BUG in the test's own words",
        "cpu: general protection fault handling enabled", "Oopsy", "panic=1",
        "kmemleak: Kernel memory leak detector initialized", "rcu: INFO: all is well", "error: 0000"})
    EXPECT_FALSE(find_splat(line)) << line;
}

TEST(Splat, FingerprintIsTheSameForTheSameFaultInTwoRuns) {
  const auto fingerprint = [](const std::string& text) { return read_console(text).splats.at(0).fingerprint; };
  EXPECT_EQ(fingerprint("WARNING: CPU: 0 PID: 31 at lib/x.c:12 f+0x3/0x9\n"),
            fingerprint("WARNING: CPU: 3 PID: 99 at lib/x.c:14 f+0x7/0x9\n"));
  EXPECT_EQ(fingerprint("Kernel panic - not syncing: Kernel mode fault at addr 0x0, ip 0x6003aa12\n [<6003>] ? "
                        "panic+0x1/0x2\n [<6004>] ? broken+0x1/0x2\n"),
            fingerprint("Kernel panic - not syncing: Kernel mode fault at addr 0x8, ip 0x6007bb00\n [<6009>] ? "
                        "panic+0x1/0x2\n [<6001>] ? broken+0x9/0x10\n"));
  EXPECT_EQ(fingerprint("Kernel panic - not syncing: Kernel mode signal 4\n"),
            fingerprint("Kernel panic - not syncing: Kernel mode signal 11\n"));
  EXPECT_NE(fingerprint("WARNING: CPU: 0 PID: 31 at lib/x.c:12 f+0x3/0x9\n"),
            fingerprint("WARNING: CPU: 0 PID: 31 at lib/x.c:12 g+0x3/0x9\n"));
}

TEST(Splat, OneReportIsOneEntryThoughItHasSeveralHeadlines) {
  const ConsoleReport report = read_console(
      "------------[ cut here ]------------\nkernel BUG at lib/x.c:12!\nOops: invalid opcode: 0000 [#1] PREEMPT SMP\n"
      "RIP: 0010:broken+0x3/0x9\n---[ end trace 0000000000000000 ]---\nKernel panic - not syncing: Fatal exception\n");
  ASSERT_EQ(report.splats.size(), 2U);
  EXPECT_EQ(report.splats[0].kind, Splat::Kind::bug);
  EXPECT_EQ(report.splats[0].function, "broken");
  EXPECT_EQ(report.splats[1].kind, Splat::Kind::panic);
}

TEST(Splat, AWarningInALoopIsKeptOnce) {
  std::string input = "KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n";
  for (int i = 0; i < 50; ++i) input += "WARNING: CPU: 0 PID: 1 at lib/x.c:12 f+0x1/0x2\n---[ end trace 0 ]---\n";
  const ConsoleReport report = read_console(input + "    ok 1 a\nok 1 s\n");
  ASSERT_EQ(report.splats.size(), 1U);
  EXPECT_EQ(report.splats[0].test, "s.a");
}

TEST(Splat, TheEndOfAKernelWithoutRootFileSystemIsNoFault) {
  const std::string end = "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(98,0)\n";
  const std::string start = "KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n    ok 1 a\n";
  EXPECT_TRUE(read_console(start + "ok 1 s\n" + end).splats.empty());
  EXPECT_EQ(read_console(start + end).splats.size(), 1U);
}

}  // namespace
}  // namespace bowsprit::ktap
