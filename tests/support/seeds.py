# SPDX-License-Identifier: Apache-2.0
"""Changes to the real kernel whose verdict is known beforehand: what `./dev truth` and tests/functional/test_truth.py judge.

A faulty seed must be refused, with the failures it names and none beside them; a harmless one must pass. A seed edits files of the kernel tree of
tests/support/tree.py: a text, a function of the old text, or None for "delete"."""
import contextlib
import dataclasses
import subprocess
import time
import typing

from .kernel import EXAMPLE_TEST, with_test
from .tree import KUNITCONFIG

SUITE = "lib/kunit/seed-test.c"
MAKEFILE = "lib/kunit/Makefile"
KCONFIG = "lib/kunit/Kconfig"
STREAM = "lib/kunit/string-stream.c"
ASSERT = "lib/kunit/assert.c"
HEADER = "lib/kunit/seed.h"


@dataclasses.dataclass(frozen=True)
class Seed:
    name: str
    edits: dict
    verdicts: tuple  # any of them is right
    blames: tuple = ()  # tests that must be among the new failures
    within: tuple = ()  # beginnings of the names of all that may be; empty: `blames` and nothing else
    excused: dict = dataclasses.field(default_factory=dict)  # test: origin, of failures that must not count
    base: dict = dataclasses.field(default_factory=dict)  # the base's own edits; the change's come on top
    options: tuple = ()

    @property
    def harmless(self):
        return self.verdicts[0] in ("passed", "no_new_failures")


def texts(tree_text, *layers):
    """{path: text} of layers of edits, one on top of the other; `tree_text` gives a file's text in the tree or None."""
    out = {}
    for layer in layers:
        for path, edit in layer.items():
            old = out[path] if path in out else tree_text(path)
            out[path] = edit(old or "") if callable(edit) else edit
    return out


def sub(old, new):
    """Replaces one place of a file, which must be there."""

    def edit(text):
        assert old in text, f"the kernel has no {old!r} here any more"
        return text.replace(old, new, 1)

    return edit


def case(body, name="judged_test", before=""):
    """One more case of the example suite."""

    def edit(text):
        text = with_test(text, "\t" + body, name)[0]
        return text.replace("#include <kunit/test.h>\n", f"#include <kunit/test.h>\n{before}", 1)

    return {EXAMPLE_TEST: edit}


PARAMETERS = """
struct seed_parameter { int value; };
static const struct seed_parameter seed_parameters[] = { {1}, {2}, {3} };
static void seed_describe(const struct seed_parameter *p, char *text) { sprintf(text, "value %d", p->value); }
KUNIT_ARRAY_PARAM(seed, seed_parameters, seed_describe);
"""
INCLUDES = """// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/reboot.h>
#include <linux/workqueue.h>
"""


def suite_text(cases, before="", members="", name="seed", params=()):
    """A test file with one suite; cases: {name: body}."""
    text = INCLUDES + before
    for one, body in cases.items():
        text += f"static void {one}(struct kunit *test)\n{{\n\t{body}\n}}\n"
    entries = "".join(f"\t{f'KUNIT_CASE_PARAM({one}, seed_gen_params)' if one in params else f'KUNIT_CASE({one})'},\n" for one in cases)
    return (text + f"static struct kunit_case {name}_cases[] = {{\n{entries}\t{{}}\n}};\n"
            f'static struct kunit_suite {name}_suite = {{ .name = "{name}", .test_cases = {name}_cases, {members} }};\n'
            f"kunit_test_suite({name}_suite);\n")


def add_object(text):
    return text + "\nobj-y += seed-test.o\n"


def suite(cases, **how):
    """A suite of its own, seed-test.c."""
    return {SUITE: suite_text(cases, **how), MAKEFILE: add_object}


GOOD = "KUNIT_EXPECT_EQ(test, 1, 1);"
BAD = "KUNIT_EXPECT_EQ(test, 2, 3);"
HANG = ("--suite-timeout", "4s", "--timeout", "40s")
SUITE_LINE = "kunit_test_suites(&example_test_suite);\n"
PRIV = "\tKUNIT_CASE(example_priv_test),\n"
FAILED, CRASHED, HUNG, MISSING = ("failed",), ("crashed",), ("timed_out",), ("missing_tests",)
BUILD, CONFIG, PASSED, OLD = ("build_error",), ("config_error",), ("passed",), ("no_new_failures",)
JUDGED = ("example.judged_test",)
THREAD = "static int seed_thread(void *unused) { msleep(%d); %s return 0; }\n"


def initcall(level, body):
    return suite({"a": GOOD}, before=f"static int __init seed_init(void) {{ {body} return 0; }}\n{level}(seed_init);\n")


def notifier(body):
    return suite({"a": GOOD}, before=f"""static int seed_notify(struct notifier_block *b, unsigned long e, void *v) {{ {body} return 0; }}
static struct notifier_block seed_block = {{ .notifier_call = seed_notify }};
static int __init seed_init(void) {{ return register_reboot_notifier(&seed_block); }}
late_initcall(seed_init);
""")


def faulty():
    one = [
        # --- what a test says
        Seed("expectation", case(BAD), FAILED, JUDGED),
        Seed("assertion", case("KUNIT_ASSERT_NOT_NULL(test, NULL);"), FAILED, JUDGED),
        Seed("strings", case('KUNIT_EXPECT_STREQ(test, "a", "b");'), FAILED, JUDGED),
        Seed("memory", case('KUNIT_EXPECT_MEMEQ(test, "ab", "ac", 2);'), FAILED, JUDGED),
        Seed("kunit-fail", case('KUNIT_FAIL(test, "on purpose");'), FAILED, JUDGED),
        Seed("fail-after-pass", case(GOOD + "\n\t" + GOOD + "\n\t" + BAD), FAILED, JUDGED),
        Seed("skip-after-failure", case(BAD + '\n\tkunit_skip(test, "too late");'), FAILED, JUDGED),
        Seed("one-parameter", suite({"a": "KUNIT_EXPECT_NE(test, ((const struct seed_parameter *)test->param_value)->value, 2);"},
                                    before=PARAMETERS, params=("a",)), FAILED, within=("seed.a",)),
        Seed("only-the-second-time", suite({"a": "static int runs;\n\tKUNIT_EXPECT_LT(test, runs++, 1);"}, before=PARAMETERS, params=("a",)), FAILED,
             within=("seed.a",)),
        Seed("init-of-each-case", suite({"a": GOOD, "b": GOOD}, before="static int seed_case_init(struct kunit *test) { return -ENOMEM; }\n",
                                        members=".init = seed_case_init"), FAILED, ("seed.a", "seed.b")),
        Seed("exit-of-each-case", suite({"a": GOOD}, before="static void seed_case_exit(struct kunit *test) { KUNIT_EXPECT_TRUE(test, false); }\n",
                                        members=".exit = seed_case_exit"), FAILED, ("seed.a",)),
        Seed("suite-init", suite({"a": GOOD}, before="static int seed_suite_init(struct kunit_suite *suite) { return -ENODEV; }\n",
                                 members=".suite_init = seed_suite_init"), ("failed", "missing_tests"), within=("seed",)),
        Seed("state-left-behind", suite({"a": "seed_state = 1;", "b": "KUNIT_EXPECT_EQ(test, seed_state, 0);"}, before="static int seed_state;\n"),
             FAILED, ("seed.b",)),
        # --- code under test
        Seed("code-is-empty", {STREAM: sub("return list_empty(&stream->fragments);", "return !list_empty(&stream->fragments);")}, FAILED,
             within=("string-stream-test", "kunit")),
        Seed("code-compares-wrongly", {ASSERT: sub("ret = strncmp(buffer, text, len) == 0;", "ret = strncmp(buffer, text, len) != 0;")}, FAILED, within=("kunit-assert", "kunit_assert")),
        # --- build
        Seed("compile-error", case("int x = no_such_name;"), BUILD),
        Seed("syntax-error", case("if ("), BUILD),
        Seed("missing-header", {EXAMPLE_TEST: sub("#include <kunit/test.h>", "#include <kunit/test.h>\n#include <kunit/no-such.h>")}, BUILD),
        Seed("broken-header", {**suite({"a": GOOD}, before='#include "seed.h"\n'), HEADER: "int x = ;\n"}, BUILD),
        Seed("undefined-reference", case("extern int seed_nowhere(void);\n\tKUNIT_EXPECT_EQ(test, seed_nowhere(), 0);"), BUILD),
        Seed("defined-twice", suite({"a": GOOD}, before="int kunit_run_tests(struct kunit_suite *suite);\nint kunit_run_tests(struct kunit_suite *suite) { return 0; }\n"),
             BUILD),
        Seed("no-such-object", {MAKEFILE: lambda text: text + "\nobj-y += no-such-file.o\n"}, BUILD),
        Seed("makefile-syntax", {MAKEFILE: lambda text: text + "\nifeq (a,b)\n"}, ("build_error", "config_error")),
        Seed("static-assert", case('static_assert(1 == 2, "on purpose");'), BUILD),
        Seed("source-deleted", {EXAMPLE_TEST: None}, BUILD),
        Seed("implicit-declaration", case("no_such_function();"), BUILD),
        # --- configuration
        Seed("option-lost", {KCONFIG: sub("config KUNIT_EXAMPLE_TEST\n", "config KUNIT_EXAMPLE_TEST\n\tdepends on BROKEN\n")}, CONFIG),
        Seed("option-gone", {KCONFIG: sub("config KUNIT_EXAMPLE_TEST\n", "config KUNIT_OTHER_TEST\n")}, CONFIG),
        Seed("kconfig-syntax", {KCONFIG: lambda text: text + "\nconfig BROKEN_SEED\n\tbool bool\n"}, CONFIG),
        Seed("unknown-option", {"kunitconfig": lambda text: text + "CONFIG_NO_SUCH_KUNIT_TEST=y\n"}, CONFIG),
        Seed("no-kunitconfig", {"kunitconfig": None}, CONFIG),
        Seed("nothing-asked-for", {"kunitconfig": "CONFIG_KUNIT=y\n"}, ("no_tests", "missing_tests"), within=("",)),
        # --- what is gone
        Seed("suite-not-registered", {EXAMPLE_TEST: sub(SUITE_LINE, "__attribute__((unused)) static void *seed_unused = &example_test_suite;\n")}, MISSING,
             within=("example",)),
        Seed("suite-not-built", {MAKEFILE: sub("obj-$(CONFIG_KUNIT_EXAMPLE_TEST) +=	kunit-example-test.o", "")}, MISSING, within=("example",)),
        Seed("case-not-listed", {EXAMPLE_TEST: sub(PRIV, "")}, MISSING, ("example.example_priv_test",)),
        Seed("case-listed-twice", {EXAMPLE_TEST: sub(PRIV, "\tKUNIT_CASE(example_simple_test),\n")}, MISSING, ("example.example_priv_test",)),
        Seed("option-not-asked-for", {"kunitconfig": sub("CONFIG_KUNIT_EXAMPLE_TEST=y\n", "")}, MISSING, within=("example",)),
        # --- the kernel dies
        Seed("panic", case('panic("on purpose");'), CRASHED, JUDGED),
        Seed("null", case("*(volatile int *)8 = 1;"), CRASHED, JUDGED),
        Seed("bug", case("BUG();"), CRASHED, JUDGED),
        Seed("null-in-a-parameter", suite({"a": "if (((const struct seed_parameter *)test->param_value)->value == 2)\n\t\t*(volatile int *)8 = 1;"},
                                          before=PARAMETERS, params=("a",)), CRASHED, within=("seed.a",)),
        Seed("jump-to-nowhere", case("((void (*)(void))16)();"), CRASHED, JUDGED),
        Seed("panic-in-suite-init", suite({"a": GOOD}, before='static int seed_suite_init(struct kunit_suite *suite) { panic("in init"); }\n',
                                          members=".suite_init = seed_suite_init"), CRASHED, within=("seed",)),
        Seed("panic-in-suite-exit", suite({"a": GOOD}, before='static void seed_suite_exit(struct kunit_suite *suite) { panic("in exit"); }\n',
                                          members=".suite_exit = seed_suite_exit"), CRASHED, within=("seed",)),
        Seed("panic-in-case-exit", suite({"a": GOOD}, before='static void seed_case_exit(struct kunit *test) { panic("in exit"); }\n',
                                         members=".exit = seed_case_exit"), CRASHED, within=("seed",)),
        Seed("panic-after-the-tests", notifier('panic("after");'), CRASHED, within=("",)),
        Seed("panic-at-boot", initcall("core_initcall", 'panic("early");'), ("boot_error", "crashed"), within=("",)),
        Seed("null-at-boot", initcall("late_initcall", "*(volatile int *)8 = 1;"), ("boot_error", "crashed"), within=("",)),
        Seed("reboot-in-a-case", case("emergency_restart();", before="#include <linux/reboot.h>\n"), ("crashed", "missing_tests", "failed"),
             within=("example", "")),
        Seed("halt-in-a-case", case("kernel_halt();", before="#include <linux/reboot.h>\n"), ("crashed", "missing_tests", "failed"), within=("",)),
        Seed("thread-dies-later", suite({"a": 'kthread_run(seed_thread, NULL, "seed");', "b": "msleep(200);"},
                                        before=THREAD % (50, "*(volatile int *)8 = 1;")), CRASHED, within=("seed",)),
        Seed("thread-panics-in-the-next-suite", suite({"a": 'kthread_run(seed_thread, NULL, "seed");'}, before=THREAD % (20, 'panic("leaked");')), CRASHED,
             within=("",)),
        # --- the kernel complains
        Seed("warning-in-a-passing-case", case("WARN_ON(1);"), FAILED, within=("example.judged_test",)),
        Seed("warning-in-suite-init", suite({"a": GOOD}, before="static int seed_suite_init(struct kunit_suite *suite) { WARN_ON(1); return 0; }\n",
                                            members=".suite_init = seed_suite_init"), FAILED, within=("seed",)),
        Seed("warning-at-boot", initcall("late_initcall", "WARN_ON(1);"), FAILED, within=("",)),
        Seed("warning-after-the-tests", notifier("WARN_ON(1);"), FAILED, within=("",)),
        Seed("bails-out", case('pr_info("Bail out! no sense in going on\\n");\n\t' + BAD), ("failed", "crashed"), JUDGED, within=("",)),
        # --- the kernel does not come back
        Seed("loop", case("for (;;)\n\t\tcpu_relax();"), HUNG, JUDGED, options=HANG),
        Seed("loop-without-interrupts", case("local_irq_disable();\n\tfor (;;)\n\t\tbarrier();"), HUNG, JUDGED, options=HANG),
        Seed("waits-for-ever", case("DECLARE_COMPLETION_ONSTACK(never);\n\n\twait_for_completion(&never);", before="#include <linux/completion.h>\n"), HUNG,
             JUDGED, options=HANG),
        Seed("locks-twice", case("DEFINE_MUTEX(lock);\n\n\tmutex_lock(&lock);\n\tmutex_lock(&lock);", before="#include <linux/mutex.h>\n"), HUNG, JUDGED,
             options=HANG),
        Seed("hangs-in-suite-init", suite({"a": GOOD}, before="static int seed_suite_init(struct kunit_suite *suite) { for (;;) barrier(); }\n",
                                          members=".suite_init = seed_suite_init"), HUNG, within=("seed",), options=HANG),
        Seed("hangs-at-boot", initcall("late_initcall", "for (;;) barrier();"), ("timed_out", "boot_error"), within=("",), options=HANG),
        Seed("hangs-after-the-tests", notifier("for (;;) barrier();"), HUNG, within=("",), options=HANG),
        # --- the console lies
        Seed("no-newline", case('pr_info("glued");\n\t' + BAD), FAILED, JUDGED),
        Seed("glued-to-the-result", case(BAD + '\n\tpr_info("glued");'), FAILED, JUDGED),
        Seed("flood", case('int i;\n\n\tfor (i = 0; i < 20000; i++)\n\t\tpr_info("flood %d\\n", i);\n\t' + BAD), FAILED, JUDGED),
        Seed("says-ok-itself", case(BAD + '\n\tpr_info("    ok 2 judged_test\\n");'), ("failed", "crashed"), JUDGED, within=("",)),
        Seed("says-plan-of-none", case(BAD + '\n\tpr_info("1..0\\n");'), ("failed", "crashed"), JUDGED, within=("",)),
        Seed("says-system-halted", case('pr_info("reboot: System halted\\n");\n\t' + BAD), ("failed", "crashed", "missing_tests"), JUDGED, within=("",)),
        Seed("no-utf8", case('pr_info("\\xff\\xfe\\x1b[31m\\r\\n");\n\t' + BAD), FAILED, JUDGED),
        # --- beside what is broken on the base
        Seed("new-beside-old", case(BAD, "new_test"), FAILED, ("example.new_test",), excused={"example.old_test": "also_on_base"}, base=case(BAD, "old_test")),
        Seed("worse-than-the-base", {EXAMPLE_TEST: sub(BAD, 'panic("worse");')}, CRASHED, ("example.old_test",), base=case(BAD, "old_test")),
        Seed("another-warning", case("WARN_ON(2);", "new_test"), FAILED, within=("example.new_test",), excused={"example.old_test": "also_on_base"},
             base=case("WARN_ON(1);", "old_test")),
    ]
    return one


def harmless():
    many = {f"case_{number}": GOOD for number in range(300)}
    own = suite({"a": GOOD, "b": GOOD})
    return [
        Seed("comment", {EXAMPLE_TEST: lambda text: text + "/* seen */\n"}, PASSED),
        Seed("new-case", case(GOOD), PASSED),
        Seed("new-suite", own, PASSED),
        Seed("renamed-case", {EXAMPLE_TEST: lambda text: text.replace("example_priv_test", "example_private_test")}, PASSED),
        Seed("deleted-case", {SUITE: suite_text({"a": GOOD})}, PASSED, base=own),
        Seed("deleted-suite", {SUITE: None, MAKEFILE: sub("\nobj-y += seed-test.o\n", "")}, PASSED, base=own),
        Seed("moved-case", {SUITE: suite_text({"a": GOOD}), "lib/kunit/seed2-test.c": suite_text({"b": GOOD}, name="seed2"),
                            MAKEFILE: sub("obj-y += seed-test.o", "obj-y += seed-test.o seed2-test.o")}, PASSED, base=own),
        Seed("another-order", {EXAMPLE_TEST: sub("\tKUNIT_CASE(example_simple_test),\n\tKUNIT_CASE(example_skip_test),\n",
                                                 "\tKUNIT_CASE(example_skip_test),\n\tKUNIT_CASE(example_simple_test),\n")}, PASSED),
        Seed("skips", case('kunit_skip(test, "not here");'), PASSED),
        Seed("all-skipped", suite({"a": 'kunit_skip(test, "not here");'}), PASSED),
        Seed("parameters", suite({"a": GOOD}, before=PARAMETERS, params=("a",)), PASSED),
        Seed("no-newline-passing", case('pr_info("glued");\n\t' + GOOD), PASSED),
        Seed("flood-passing", case('int i;\n\n\tfor (i = 0; i < 20000; i++)\n\t\tpr_info("flood %d\\n", i);'), PASSED),
        Seed("speaks-of-panic", case('pr_info("no panic, no BUG, and not ok is a word too\\n");'), PASSED),
        Seed("speaks-of-warnings", case('kunit_info(test, "a warning at line 12 would be bad");'), PASSED),
        Seed("many-cases", suite(many), PASSED),
        Seed("documentation", {"Documentation/dev-tools/kunit/seed.rst": "Seed\n====\n"}, PASSED),
        Seed("makefile-comment", {MAKEFILE: lambda text: text + "# seen\n"}, PASSED),
        Seed("kconfig-help", {KCONFIG: sub("\t  Enables support for kernel unit tests (KUnit)", "\t  It enables support for kernel unit tests (KUnit)")}, PASSED),
        Seed("new-header", {**suite({"a": "KUNIT_EXPECT_EQ(test, SEED, 7);"}, before='#include "seed.h"\n'), HEADER: "#define SEED 7\n"}, PASSED),
        Seed("kunitconfig-order", {"kunitconfig": lambda text: "".join(sorted(text.splitlines(keepends=True), reverse=True))}, PASSED),
        Seed("slow-case", case("msleep(1500);", before="#include <linux/delay.h>\n"), PASSED),
        Seed("worker-in-time", suite({"a": "seed_done = 0;\n\tschedule_work(&seed_work);\n\tflush_work(&seed_work);\n\tKUNIT_EXPECT_EQ(test, seed_done, 1);"},
                                     before="static int seed_done;\nstatic void seed_do(struct work_struct *w) { seed_done = 1; }\n"
                                            "static DECLARE_WORK(seed_work, seed_do);\n"), PASSED),
        Seed("old-failure", {EXAMPLE_TEST: lambda text: text + "/* seen */\n"}, OLD, excused={"example.old_test": "also_on_base"}, base=case(BAD, "old_test")),
        Seed("old-warning", {EXAMPLE_TEST: lambda text: text + "/* seen */\n"}, OLD, base=case("WARN_ON(1);", "old_test")),
        Seed("old-panic", {EXAMPLE_TEST: lambda text: text + "/* seen */\n"}, OLD, excused={"example.old_test": "also_on_base"},
             base=case('panic("old");', "old_test")),
        Seed("mended", {EXAMPLE_TEST: sub(BAD, GOOD)}, PASSED, base=case(BAD, "old_test")),
    ]


def all_seeds():
    return faulty() + harmless()


class Judgement(typing.NamedTuple):
    kind: str  # "hit", "false green", "false blame", "another verdict"
    text: str  # what is not as it must be


def judgement(seed, code, result):
    """What bowsprit's exit code and result.json are worth, given what the seed is."""
    verdict = result["verdict"]
    blamed = [failure["test"] for failure in result["failures"] if failure["origin"] not in ("also_on_base", "flaky")]
    if not seed.harmless and code == 0:
        return Judgement("false green", f"{verdict}, must be {' or '.join(seed.verdicts)}")
    if seed.harmless and code != 0:
        return Judgement("false blame", f"{verdict}: {result['summary']}")
    innocent = [test for test in blamed if not (test in seed.blames or any(test.startswith(one) for one in seed.within))]
    if innocent:
        return Judgement("false blame", f"blames {', '.join(innocent[:5])}")
    missed = [test for test in seed.blames if not any(one == test or one.startswith(test + ".") for one in blamed)]
    origins = {failure["test"]: failure["origin"] for failure in result["failures"]}
    wrong = [f"{test} is {origins.get(test)}, must be {origin}" for test, origin in seed.excused.items() if origins.get(test) != origin]
    if verdict not in seed.verdicts or missed or wrong:
        return Judgement("another verdict", "; ".join([f"{verdict}, must be {' or '.join(seed.verdicts)}"] * (verdict not in seed.verdicts) +
                                                      [f"{test} is not named" for test in missed] + wrong))
    return Judgement("hit", "")


def text_of(tree, path):
    """A file as the tree has it without a seed; None: it has none."""
    if path == "kunitconfig":
        return KUNITCONFIG
    shown = subprocess.run(["git", "-C", str(tree.path), "show", f"HEAD:{path}"], capture_output=True, text=True)
    return shown.stdout if shown.returncode == 0 else None


@contextlib.contextmanager
def planted(tree, seed):
    """The tree has the seed's files inside the block; gives the base's commit."""
    base = tree.commit(texts(lambda path: text_of(tree, path), seed.base))
    with contextlib.ExitStack() as stack:
        for path, text in texts(lambda path: text_of(tree, path), seed.base, seed.edits).items():
            stack.enter_context(tree.changed(path, text))
        yield base


def judge(tree, seed, also=lambda result: None):
    """bowsprit on a seed: (Judgement, result.json, seconds). `also` is called while the seed's kernel is there."""
    with planted(tree, seed) as base:
        began = time.monotonic()
        done = tree.run("--base", base, *seed.options)
        seconds = time.monotonic() - began
        also(done.result)
    return judgement(seed, done.returncode, done.result), done.result, seconds
