# SPDX-License-Identifier: Apache-2.0
"""`bowsprit run` on a real kernel: each way a run can end, its limits, and that it leaves nothing behind."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.kernel import EXAMPLE_TEST, with_test  # noqa: E402
from support.server import program  # noqa: E402
from support.tree import KUNITCONFIG  # noqa: E402
from support.wait import wait_for  # noqa: E402


def test_a_good_tree_passes_and_stays_as_it_is(tree):
    before = tree.git_status()
    done = tree.run()
    assert done.returncode == 0, done.stderr
    result = done.result
    assert (result["schema"], result["verdict"], result["vote"], result["failures"]) == ("bowsprit/result/1", "passed", 1, [])
    assert result["tests"]["passed"] > 20 and result["tests"]["failed"] == 0
    assert {"example", "kunit_status"} <= {suite["name"] for suite in result["suites"]}
    assert [phase["name"] for phase in result["phases"]] == ["configure", "build", "boot"]
    assert "ok 1 " in tree.artifact("kunit.log")
    assert "CONFIG_KUNIT_EXAMPLE_TEST=y" in tree.artifact(".config")
    assert "<testsuite" in tree.artifact("junit_kunit.xml")
    json.loads(tree.artifact("kcidb.json"))
    assert (tree.artifacts / "build.log").exists()
    assert tree.git_status() == before
    assert (tree.build / ".kunitconfig").read_text() == KUNITCONFIG


def test_shortcuts_change_nothing_but_time(tree):
    quick = tree.run()
    full = tree.run("--no-shortcuts")
    assert "nothing to do" in quick.stderr and "nothing to do" not in full.stderr
    for key in ("verdict", "tests", "failures"):
        assert quick.result[key] == full.result[key]


def test_a_failing_expectation_is_named_with_its_place(tree):
    with tree.with_case("\tKUNIT_EXPECT_EQ(test, 1 + 1, 3);") as line:
        done = tree.run()
    assert (done.returncode, done.result["verdict"], done.result["vote"]) == (1, "failed", -1)
    [failure] = done.result["failures"]
    assert (failure["test"], failure["status"], failure["file"], failure["line"]) == ("example.judged_test", "failed", EXAMPLE_TEST, line)
    assert "1 + 1" in failure["message"]
    assert done.result["reproduce"] == "./tools/testing/kunit/kunit.py run --kunitconfig=kunitconfig example"


def test_a_compile_error_is_named_with_its_place(tree):
    with tree.with_case("\tint x = no_such_name;\n\tKUNIT_EXPECT_EQ(test, x, x);") as line:
        done = tree.run()
    assert (done.returncode, done.result["verdict"]) == (1, "build_error")
    error = done.result["diagnostics"][0]
    assert (error["kind"], error["file"], error["line"]) == ("error", EXAMPLE_TEST, line)
    assert "no_such_name" in error["message"]
    assert "no_such_name" in tree.artifact("build.log")


def test_a_warning_of_the_compiler_is_kept(tree):
    with tree.with_case("\tint unused_here;") as line:
        done = tree.run()
    assert done.result["verdict"] == "passed"
    assert (EXAMPLE_TEST, line, "warning") in [(d["file"], d["line"], d["kind"]) for d in done.result["diagnostics"]]


def test_a_panic_in_a_test_is_a_crash_of_that_test(tree):
    with tree.with_case('\tpanic("on purpose");'):
        done = tree.run()
    assert (done.returncode, done.result["verdict"]) == (1, "crashed")
    assert ("example.judged_test", "crashed") in [(f["test"], f["status"]) for f in done.result["failures"]]
    assert "on purpose" in json.dumps(done.result["diagnostics"])


@pytest.mark.parametrize("body", ["\tfor (;;)\n\t\tcpu_relax();", "\tlocal_irq_disable();\n\tfor (;;)\n\t\tbarrier();"],
                         ids=["loop", "loop that ignores TERM"])
def test_an_endless_loop_is_ended_at_the_limit(tree, body):
    with tree.with_case(body):
        done = tree.run("--timeout", "3s")
    assert (done.returncode, done.result["verdict"]) == (1, "timed_out")
    assert ("example.judged_test", "timed_out") in [(f["test"], f["status"]) for f in done.result["failures"]]
    boot = next(phase for phase in done.result["phases"] if phase["name"] == "boot")
    assert 3 <= boot["seconds"] < 8


def test_a_build_without_end_is_ended_at_its_limit(tree):
    with tree.changed("lib/kunit/Makefile", (tree.path / "lib/kunit/Makefile").read_text() + "\n$(shell trap '' TERM; sleep 1000)\n"):
        began = time.monotonic()
        done = tree.run("--build-timeout", "4s")
    assert (done.returncode, done.result["verdict"]) == (1, "timed_out")
    assert time.monotonic() - began < 12


def test_no_kunitconfig_names_the_places_looked_at(tree):
    with tree.changed("kunitconfig", None):
        done = tree.run()
    assert (done.returncode, done.result["verdict"]) == (1, "config_error")
    assert f"{tree.path}/kunitconfig" in done.result["summary"] and f"{tree.path}/.kunitconfig" in done.result["summary"]


def test_a_lost_option_is_named_with_the_reason(tree):
    with tree.changed("kunitconfig", KUNITCONFIG + "CONFIG_KUNIT_FAULT_TEST=y\n"):
        done = tree.run()
    assert (done.returncode, done.result["verdict"]) == (1, "config_error")
    [problem] = [d for d in done.result["diagnostics"] if d["kind"] == "config"]
    assert (problem["file"], problem["line"]) == ("kunitconfig", 4)
    assert "CONFIG_KUNIT_FAULT_TEST=y" in problem["message"] and "!UML" in problem["message"]


def test_a_broken_kconfig_file_is_named_with_its_line(tree):
    text = (tree.path / "lib/kunit/Kconfig").read_text()
    with tree.changed("lib/kunit/Kconfig", text + "\nconfig BROKEN\n\tbool bool\n"):
        done = tree.run()
    assert (done.returncode, done.result["verdict"]) == (1, "config_error")
    assert "lib/kunit/Kconfig" in [d["file"] for d in done.result["diagnostics"]]


def test_no_folder_for_the_kernels_memory_is_said_before_building(tree):
    if str(program()).startswith("/tmp/"):
        pytest.skip("the program is below /tmp, from which nothing can be executed in this test")
    script = "for d in /dev/shm /tmp; do mount --bind $d $d && mount -o remount,bind,noexec $d || exit 77; done; exec \"$@\""
    done = tree.run(wrapper=["unshare", "-rm", "sh", "-c", script, "sh"], env={"TMPDIR": "/tmp"})
    assert (done.returncode, done.result["verdict"], done.result.get("phases", [])) == (3, "infra_error", [])
    assert "noexec" in done.result["summary"] and "--tmpfs /dev/shm:exec" in done.result["summary"]


def started(tree, *options, stderr):
    return subprocess.Popen(tree.command(*options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("phase", ["build", "boot"])
def test_a_signal_ends_all_children(tree, tmp_path, number, phase):
    log = tmp_path / "stderr"
    with tree.with_case("\tfor (;;)\n\t\tcpu_relax();"), open(log, "w") as stderr:
        process = started(tree, stderr=stderr)
        wait_for(lambda: f"--- {phase}\n" in log.read_text(), f"phase {phase}", 120)
        began = time.monotonic()
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert time.monotonic() - began < 10
    assert tree.processes() == []
    assert "aborted" in out
    assert json.loads(tree.artifact("result.json"))["verdict"] == "aborted"


def in_terminal(command, at=None):
    """Runs it on a terminal of its own; sends Ctrl-C when `at` was seen. Gives output, exit code, and whether the modes stayed."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(command[0], command)
    modes = termios.tcgetattr(master)
    output = b""
    end = time.monotonic() + 600
    while time.monotonic() < end:
        ready, _, _ = select.select([master], [], [], 1)
        if not ready:
            continue
        try:
            chunk = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        output += chunk
        if at and at in output:
            os.write(master, b"\x03")
            at = None
    same = termios.tcgetattr(master) == modes
    _, status = os.waitpid(pid, 0)
    os.close(master)
    return output.decode(errors="replace"), os.waitstatus_to_exitcode(status), same


def test_a_terminal_shows_progress_and_is_left_as_it_was(tree):
    with tree.with_case("\tKUNIT_EXPECT_TRUE(test, true);"):
        output, code, same = in_terminal(tree.command())
    assert code == 0, output
    assert same, "the terminal's modes were changed"
    assert "\x1b[" in output and re.search(r"\d+ objects", output)
    assert "example.judged_test" in output and "passed" in output
    assert "  CC  " not in output, "make's chatter belongs in build.log"


def test_ctrl_c_on_a_terminal_ends_all_children(tree):
    with tree.with_case("\tfor (;;)\n\t\tcpu_relax();"):
        output, code, same = in_terminal(tree.command(), at=b"boot ")
    assert code == 3, output
    assert same and "aborted" in output


def test_a_slow_reader_loses_nothing(tree):
    body = '\tint i;\n\n\tfor (i = 0; i < 20000; i++)\n\t\tpr_info("flood %d\\n", i);'
    with tree.with_case(body):
        process = subprocess.Popen(tree.command("--format", "json"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        os.set_blocking(process.stderr.fileno(), True)
        while process.poll() is None and process.stderr.read(512):  # small sips
            time.sleep(0.002)
        out, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    assert json.loads(out)["verdict"] == "passed"
    console = tree.artifact("kunit.log")
    assert all(f"flood {i}\n" in console for i in range(0, 20000, 371))
    assert console.count("flood ") == 20000


def test_kunit_py_as_the_runner_is_judged_by_the_same_rules(tree):
    if not (tree.build / "kunit.py/vmlinux").exists():  # its own build, begun from ours: what is equal is not built again
        shutil.copytree(tree.build, tree.build / "kunit.py", symlinks=True, ignore=shutil.ignore_patterns("kunit.py", ".bowsprit.*"))
    with tree.with_case('\tpr_warn("seen\\n");\n\tKUNIT_EXPECT_EQ(test, 2, 3);') as line:
        done = tree.run("--runner", "kunit.py")
    assert (done.returncode, done.result["verdict"]) == (1, "failed"), done.stderr[-2000:]
    [failure] = done.result["failures"]
    assert (failure["test"], failure["file"], failure["line"]) == ("example.judged_test", EXAMPLE_TEST, line + 1)
    with tree.with_case("\tno_such_call();") as line:
        done = tree.run("--runner", "kunit.py")
    assert done.result["verdict"] == "build_error"
    assert (EXAMPLE_TEST, line) in [(d["file"], d["line"]) for d in done.result["diagnostics"]]
    with tree.with_case("\tlocal_irq_disable();\n\tfor (;;)\n\t\tbarrier();"):
        done = tree.run("--runner", "kunit.py", "--timeout", "3s")
    assert done.result["verdict"] == "timed_out"


def test_a_base_tells_new_failures_from_old_ones_and_misses_what_is_gone(tree):
    broken = '\tKUNIT_EXPECT_EQ(test, 2, 3);'
    text = (tree.path / EXAMPLE_TEST).read_text()
    both, _ = with_test(text, broken, "old_test")
    base = tree.commit({EXAMPLE_TEST: both})
    with tree.changed(EXAMPLE_TEST, both):
        done = tree.run("--base", base)
    assert (done.returncode, done.result["verdict"]) == (0, "no_new_failures"), done.result["summary"]
    assert [(f["test"], f["origin"]) for f in done.result["failures"]] == [("example.old_test", "also_on_base")]
    assert done.result["phases"][-1]["name"] == "base"

    more, _ = with_test(both, broken, "new_test")
    with tree.changed(EXAMPLE_TEST, more):
        done = tree.run("--base", base)
    assert (done.returncode, done.result["verdict"]) == (1, "failed")
    origins = {f["test"]: f["origin"] for f in done.result["failures"]}
    assert origins == {"example.new_test": "new", "example.old_test": "also_on_base"}
    assert done.result["phases"][-1]["seconds"] < 10, "the base's result is kept: only failing tests were booted"

    with tree.changed(EXAMPLE_TEST, both.replace("\tKUNIT_CASE(example_priv_test),\n", "\tKUNIT_CASE(example_simple_test),\n", 1)):
        done = tree.run("--base", base)
    assert done.returncode == 1
    assert ("example.example_priv_test", "missing") in [(f["test"], f["status"]) for f in done.result["failures"]]


@pytest.mark.parametrize("options, words", [
    (["--timeout", "soon"], "--timeout"),
    (["--runner", "make"], "kunit.py"),
    (["--base", "no-such-branch"], "no-such-branch"),
    (["--build-dir", "/tmp/a b"], "space"),
    (["--kunitconfgi", "x"], "did you mean '--kunitconfig'"),
])
def test_wrong_usage_is_exit_code_2(tree, options, words):
    command = [str(program()), "run", str(tree.path), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_folder_that_is_no_kernel_tree_is_wrong_usage(tmp_path):
    done = subprocess.run([str(program()), "run", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2
    assert "not a Linux kernel tree" in done.stderr
