# SPDX-License-Identifier: Apache-2.0
"""`bowsprit run` on a kernel in which a suite panics, hangs or dies at its start: everything else still gets its own result."""
import contextlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.seeds import MAKEFILE, SUITE, add_object, suite_text  # noqa: E402

BODIES = {
    "ok": "KUNIT_EXPECT_EQ(test, 1, 1);",
    "panic": 'panic("seeded");',
    "null": "*(volatile int *)8 = 1;",
    "hang": "for (;;)\n\t\tbarrier();",
    "hang_irq": "local_irq_disable();\n\tfor (;;)\n\t\tbarrier();",
}


@contextlib.contextmanager
def seeded(tree, **suites):
    """The tree has these suites besides its own: suite=[case, ...], a case is named by its number and what it does."""
    text = "".join(suite_text({f"{suite}_{number}_{body}": BODIES.get(body, body) for number, body in enumerate(cases)}, name=suite)
                   for suite, cases in suites.items())
    with tree.changed(SUITE, text), tree.changed(MAKEFILE, add_object((tree.path / MAKEFILE).read_text())):
        yield


def outcomes(result):
    """{"suite.case": status} of the suites that were seeded."""
    return {f"{suite['name']}.{case['name']}": case["status"] for suite in result["suites"] for case in suite.get("cases", [])
            if suite["name"].startswith("seed")}


def boot_seconds(result):
    return next(phase["seconds"] for phase in result["phases"] if phase["name"] == "boot")


def test_what_comes_after_a_panic_runs_in_kernels_of_its_own(tree):
    before = tree.run().result
    with seeded(tree, seed_a=["ok", "panic", "ok", "null", "ok"], seed_b=["ok"]):
        done = tree.run()
    assert (done.returncode, done.result["verdict"]) == (1, "crashed")
    assert outcomes(done.result) == {"seed_a.seed_a_0_ok": "passed", "seed_a.seed_a_1_panic": "crashed", "seed_a.seed_a_2_ok": "passed",
                                     "seed_a.seed_a_3_null": "crashed", "seed_a.seed_a_4_ok": "passed", "seed_b.seed_b_0_ok": "passed"}
    tests = done.result["tests"]
    assert (tests["crashed"], tests["missing"], tests["passed"]) == (2, 0, before["tests"]["passed"] + 4)
    assert {failure["test"] for failure in done.result["failures"]} == {"seed_a.seed_a_1_panic", "seed_a.seed_a_3_null"}
    assert {d["test"] for d in done.result["diagnostics"] if d["kind"] == "splat"} == {"seed_a.seed_a_1_panic", "seed_a.seed_a_3_null"}
    assert "filter_glob=seed_a." in tree.artifact("kunit.log")


def test_a_run_without_a_crash_is_one_boot(tree):
    tree.run()
    assert tree.artifact("kunit.log").count("Linux version") == 1


@pytest.mark.parametrize("how", ["hang", "hang_irq"])
def test_a_suite_that_hangs_costs_its_own_limit_and_no_other_test(tree, how):
    with seeded(tree, seed_a=["ok", how, "ok"], seed_b=["ok"]):
        done = tree.run("--suite-timeout", "4s")
    assert (done.returncode, done.result["verdict"]) == (1, "timed_out")
    assert outcomes(done.result) == {"seed_a.seed_a_0_ok": "passed", f"seed_a.seed_a_1_{how}": "timed_out", "seed_a.seed_a_2_ok": "passed",
                                     "seed_b.seed_b_0_ok": "passed"}
    [failure] = done.result["failures"]
    assert "limit of 4 s" in failure["message"]
    assert boot_seconds(done.result) < 25, "one limit to find the hang, at most two to be sure of the case, and the grace before KILL"
