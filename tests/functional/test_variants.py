# SPDX-License-Identifier: Apache-2.0
"""`bowsprit run` for other kernels than plain User-Mode Linux. What needs a cold build of one is marked `long`; see ./dev test long."""
import json
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.tree import KUNITCONFIG  # noqa: E402

# Reads what it gave back. A kernel without KASAN finds a byte there, and nothing wrong.
USE_AFTER_FREE = """\
\tchar *bytes = kmalloc(64, GFP_KERNEL);

\tKUNIT_ASSERT_NOT_NULL(test, bytes);
\tkfree(bytes);
\tOPTIMIZER_HIDE_VAR(bytes);
\tKUNIT_EXPECT_LE(test, *(volatile char *)(bytes + 40), 127);"""
PANIC = '\tpanic("as the test wants it");'


def test_a_preset_that_the_architecture_lacks_names_those_that_have_it(tree):
    done = tree.run("--preset", "kcsan")
    assert (done.returncode, done.result["verdict"]) == (1, "config_error")
    assert "kcsan is not for um" in done.result["summary"] and "x86_64, arm64" in done.result["summary"]


@pytest.mark.parametrize("options, words", [
    (["--arch", "mips"], "um, x86_64, arm64"),
    (["--preset", "msan"], "kasan, ubsan, lockdep, kcsan"),
    (["--variant", "um+msan"], "kasan, ubsan, lockdep, kcsan"),
    (["--variant", "um", "--variant", "um"], "given twice"),
    (["--variant", "um", "--arch", "x86_64"], "--arch"),
    (["--runner", "kunit.py", "--arch", "x86_64"], "--runner"),
])
def test_a_kernel_that_there_is_not_is_wrong_usage(tree, options, words):
    done = subprocess.run(tree.command(*options), capture_output=True, text=True)
    assert done.returncode == 2 and words in done.stderr, done.stderr


no_arm64_compiler = pytest.mark.skipif(shutil.which("aarch64-linux-gnu-gcc") is not None, reason="a compiler for arm64 is installed here")


@no_arm64_compiler
def test_a_compiler_that_is_not_installed_is_the_machines_fault_and_its_package_is_named(tree):
    done = tree.run("--arch", "arm64")
    assert (done.returncode, done.result["verdict"], done.result["vote"]) == (3, "infra_error", 0)
    assert "gcc-aarch64-linux-gnu" in done.result["summary"]


def test_one_variant_has_its_own_folder_and_the_joined_result_says_the_same(tree):
    done = tree.run("--variant", "um")
    assert done.returncode == 0, done.stderr
    [variant] = done.result["variants"]
    own = json.loads(tree.artifact("um/result.json"))
    assert (variant["name"], variant["verdict"], variant["tests"]) == ("um", "passed", own["tests"])
    assert done.result["tests"] == own["tests"] and done.result["summary"].endswith(" on um")
    assert "CONFIG_UML=y" in tree.artifact("um/.config")
    for name in ("kunit.log", "build.log"):
        assert tree.artifact(name).startswith("[bowsprit: variant um]\n")
    assert tree.artifact("um/kunit.log") in tree.artifact("kunit.log")


@no_arm64_compiler
def test_what_was_left_to_a_kernel_that_was_not_judged_never_passes(tree):
    with tree.changed("kunitconfig", KUNITCONFIG + "CONFIG_KUNIT_FAULT_TEST=y\n"):  # depends on !UML
        alone = tree.run("--variant", "um")
        assert alone.result["verdict"] == "config_error" and "CONFIG_KUNIT_FAULT_TEST" in alone.result["summary"]
        done = tree.run("--variant", "um", "--variant", "arm64")
    assert [(one["name"], one["verdict"]) for one in done.result["variants"]] == [("um", "passed"), ("arm64", "infra_error")]
    assert (done.returncode, done.result["verdict"], done.result["vote"]) == (3, "infra_error", 0)
    [left] = [one for one in done.result["diagnostics"] if one["kind"] == "config"]
    assert "CONFIG_KUNIT_FAULT_TEST" in left["message"] and "left to arm64" in left["message"] and left["counts"] is False


@pytest.mark.long
def test_a_use_after_free_in_a_passing_test_fails_with_kasan_only(tree):
    with tree.with_case(USE_AFTER_FREE):
        done = tree.run("--variant", "um", "--variant", "um+kasan")
    assert (done.returncode, done.result["verdict"], done.result["vote"]) == (1, "failed", -1), done.result["summary"]
    assert [(one["name"], one["verdict"]) for one in done.result["variants"]] == [("um", "passed"), ("um+kasan", "failed")]
    assert done.result["summary"].startswith("um+kasan: ") and "; good: um" in done.result["summary"]
    [failure] = done.result["failures"]
    assert (failure["test"], failure["variants"]) == ("example.judged_test", ["um+kasan"])
    assert any(one["kind"] == "splat" and "KASAN" in one["message"] and one["variants"] == ["um+kasan"] for one in done.result["diagnostics"])
    assert "CONFIG_KASAN=y" in tree.artifact("um+kasan/.config") and "# CONFIG_KASAN" not in tree.artifact("um+kasan/.config")
    assert "KASAN" not in tree.artifact("um/kunit.log")
    assert "CONFIG_KASAN=y" in done.result["reproduce"]
    suites = xml.etree.ElementTree.fromstring(tree.artifact("junit_kunit.xml"))
    assert suites.find(".//testcase[@name='judged_test']/failure") is not None
    builds = json.loads(tree.artifact("kcidb.json"))["builds"]
    assert [(build["architecture"], build["config_name"]) for build in builds] == [("um", "kunit"), ("um", "kunit+kasan")]


@pytest.mark.long
@pytest.mark.parametrize("preset, option", [("ubsan", "CONFIG_UBSAN=y"), ("lockdep", "CONFIG_PROVE_LOCKING=y")])
def test_the_unchanged_kernel_passes_with_a_sanitizer(tree, preset, option):
    done = tree.run("--preset", preset)
    assert (done.returncode, done.result["verdict"]) == (0, "passed"), done.result["summary"]
    assert option in tree.artifact(".config")


@pytest.mark.long
def test_what_user_mode_linux_cant_have_runs_on_a_machine(tree):
    with tree.changed("kunitconfig", KUNITCONFIG + "CONFIG_KUNIT_FAULT_TEST=y\n"):  # depends on !UML
        done = tree.run("--variant", "um", "--variant", "x86_64")
    assert (done.returncode, done.result["verdict"]) == (0, "passed"), done.result["summary"]
    assert [(one["name"], one["verdict"]) for one in done.result["variants"]] == [("um", "passed"), ("x86_64", "passed")]
    on_um, on_x86 = ({suite["name"] for suite in json.loads(tree.artifact(f"{name}/result.json"))["suites"]} for name in ("um", "x86_64"))
    assert "kunit_fault" in on_x86 - on_um and "example" in on_um & on_x86
    assert "kunit_fault" in {suite["name"] for suite in done.result["suites"]}
    [left] = [one for one in done.result["diagnostics"] if one["kind"] == "config"]
    assert "CONFIG_KUNIT_FAULT_TEST" in left["message"] and "left to x86_64" in left["message"] and left["counts"] is False


@pytest.mark.long
def test_a_panic_of_a_machine_is_a_crash_and_the_rest_runs_on(tree):
    with tree.with_case(PANIC):
        done = tree.run("--arch", "x86_64")
    assert (done.returncode, done.result["verdict"]) == (1, "crashed"), done.result["summary"]
    assert "example.judged_test" in done.result["summary"]
    assert "as the test wants it" in tree.artifact("kunit.log")
    assert done.result["tests"]["missing"] == 0 and done.result["tests"]["crashed"] == 1
    assert "--arch=x86_64" in done.result["reproduce"]


@pytest.mark.long
def test_a_machine_that_hangs_is_ended_in_time(tree):
    with tree.with_case("\tlocal_irq_disable();\n\tfor (;;)\n\t\tcpu_relax();"):
        done = tree.run("--arch", "x86_64", "--timeout", "20s", "--suite-timeout", "5s")
    assert (done.returncode, done.result["verdict"]) == (1, "timed_out"), done.result["summary"]
    assert "example.judged_test" in done.result["summary"]
