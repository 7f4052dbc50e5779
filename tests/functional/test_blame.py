# SPDX-License-Identifier: Apache-2.0
"""Nobody innocent is blamed: each failure is told to be new, also on the base, or flaky, and only what is new costs the vote."""
import json

from support.kernel import EXAMPLE_TEST, with_test

FAILS = "\tKUNIT_EXPECT_EQ(test, 2, 3);"
PASSES = "\tKUNIT_EXPECT_EQ(test, 2, 2);"
# A User Mode Linux kernel can make files of its host: so a test can know whether it has run before, whatever was booted.
FAILS_FIRST_TIME = '''\tint first = os_access("{mark}", OS_ACC_F_OK) != 0;

	if (first)
		os_close_file(os_open_file("{mark}", of_create(of_rdwr(OPENFLAGS())), 0600));
	KUNIT_EXPECT_FALSE(test, first);'''
FAILS_IN_COMPANY = '\tKUNIT_EXPECT_TRUE(test, strstr(saved_command_line, "filter_glob") != NULL);'


def example(tree, **cases):
    """The example suite's source with these cases (name=body) besides its own."""
    text = tree.git("show", f"HEAD:{EXAMPLE_TEST}") + "\n"
    for name, body in cases.items():
        text, _ = with_test(text, body, name)
    return text.replace("#include <kunit/test.h>\n", "#include <kunit/test.h>\n#include <linux/init.h>\n#include <os.h>\n")


def unregistered(text, name):
    return text.replace(f"\tKUNIT_CASE({name}),\n", f"\tKUNIT_CASE(example_simple_test),\n/* {name} */\n").replace(
        f"static void {name}(", f"static void __maybe_unused {name}(")


def origins(done):
    return {failure["test"]: failure["origin"] for failure in done.result["failures"]}


def as_job(base, change=True):
    """The environment of a job on this base."""
    refs = {"org": "https://gerrit.example.com", "repo": "linux", "base_ref": "master", "base_sha": base}
    if change:
        refs["pulls"] = [{"number": 1, "sha": base, "ref": "refs/changes/01/1/1"}]
    return {"JOB_SPEC": json.dumps({"type": "presubmit", "job": "kunit", "refs": refs})}


def test_a_test_that_passes_when_tried_again_is_flaky(tree, tmp_path):
    mark = tmp_path / "seen"
    with tree.changed(EXAMPLE_TEST, example(tree, flaky_test=FAILS_FIRST_TIME.format(mark=mark))):
        fair = tree.run()
        assert (fair.returncode, fair.result["verdict"], fair.result["vote"]) == (0, "no_new_failures", 1), fair.result["summary"]
        assert origins(fair) == {"example.flaky_test": "flaky"}
        assert "Linux version" in tree.artifact("retries.log")
        assert tree.artifact("kunit.log").count("Linux version") == 1, "kunit.log is the run itself"
        mark.unlink()
        strict = tree.run("--policy", "strict")
    assert (strict.returncode, strict.result["verdict"]) == (1, "failed")
    assert origins(strict) == {"example.flaky_test": "flaky"}


def test_a_test_that_passes_alone_only_is_not_excused(tree):
    with tree.changed(EXAMPLE_TEST, example(tree, crowded_test=FAILS_IN_COMPANY)):
        done = tree.run()
    assert (done.returncode, done.result["verdict"]) == (1, "failed")
    [failure] = done.result["failures"]
    assert (failure["test"], failure["origin"]) == ("example.crowded_test", "unknown")
    assert "passes alone" in failure["message"]


def test_the_base_kept_in_the_build_folder_is_used_for_its_own_commit_only(tree):
    text = example(tree, old_test=FAILS, extra_test=PASSES)
    base = tree.commit({EXAMPLE_TEST: text})
    with tree.changed(EXAMPLE_TEST, text):
        assert tree.run(env=as_job(base, change=False)).result["verdict"] == "failed"

    with tree.changed(EXAMPLE_TEST, text + "\n/* harmless */\n"):
        harmless = tree.run(env=as_job(base))
    assert (harmless.returncode, harmless.result["verdict"]) == (0, "no_new_failures"), harmless.result["summary"]
    assert origins(harmless) == {"example.old_test": "also_on_base"}

    with tree.changed(EXAMPLE_TEST, with_test(text, FAILS, "new_test")[0]):
        worse = tree.run(env=as_job(base))
    assert (worse.returncode, worse.result["verdict"]) == (1, "failed")
    assert origins(worse) == {"example.new_test": "new", "example.old_test": "also_on_base"}
    assert "example.new_test" in worse.result["summary"] and "1 of" in worse.result["summary"]

    lost = unregistered(text, "extra_test")
    with tree.changed(EXAMPLE_TEST, lost):
        gone = tree.run(env=as_job(base))
        assert (gone.returncode, gone.result["tests"]["missing"]) == (1, 1)
        assert origins(gone) == {"example.old_test": "also_on_base", "example.extra_test": "new"}
        # Another base: nothing of the kept one may turn up.
        foreign = tree.run(env=as_job(tree.git("rev-parse", "HEAD")))
    assert origins(foreign) == {"example.old_test": "unknown"}
    assert foreign.result["tests"]["missing"] == 0
    assert foreign.returncode == 1, "what is not known counts as new"
    assert base[:12] in foreign.stderr
