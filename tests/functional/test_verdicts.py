# SPDX-License-Identifier: Apache-2.0
"""One change, one verdict: pushed to a real Gerrit, built and booted as a real kernel, answered with a vote and a comment that says where."""
from datetime import datetime

from support.kernel import DELETE, EXAMPLE_TEST, with_test


def push_test(stage, body, subject):
    """Pushes a change that adds a test with this body; the change and the line of the body's first line."""
    text, line = with_test(stage.author.read(EXAMPLE_TEST), body)
    return stage.push({EXAMPLE_TEST: text}, subject), line


def test_good_change_gets_plus_one(stage):
    change, _ = push_test(stage, "\tKUNIT_EXPECT_EQ(test, 1 + 1, 2);", "kunit: add a test that passes")
    report = stage.report_of(change)
    assert stage.vote_of(change) == 1
    assert report.count("kunit") and "SUCCESS" in report.upper()


def test_broken_expectation_gets_minus_one_with_test_file_and_line(stage):
    change, line = push_test(stage, "\tKUNIT_EXPECT_EQ(test, 1 + 1, 3);", "kunit: add a test that fails")
    report = stage.report_of(change)
    assert stage.vote_of(change) == -1
    assert "example.judged_test" in report
    assert f"{EXAMPLE_TEST}:{line}" in report


def test_compile_error_gets_minus_one_with_file_and_line(stage):
    change, line = push_test(stage, "\tKUNIT_EXPECT_EQ(test, no_such_name, 3);", "kunit: add a test that does not compile")
    report = stage.report_of(change)
    assert stage.vote_of(change) == -1
    assert f"{EXAMPLE_TEST}:{line}" in report
    assert "no_such_name" in report


def test_panic_is_a_crash_and_never_green(stage):
    change, _ = push_test(stage, '\tpanic("on purpose");', "kunit: add a test that panics")
    report = stage.report_of(change)
    assert stage.vote_of(change) == -1
    assert "crashed" in report
    assert "on purpose" in report


def test_endless_loop_ends_as_timed_out_within_the_limit(stage):
    stage.warm()
    stage.start_server_with_jobs(stage.job("kunit", timeout="40s"))
    change, _ = push_test(stage, "\tfor (;;)\n\t\tcpu_relax();", "kunit: add a test that never ends")
    report = stage.report_of(change)
    assert stage.vote_of(change) == -1
    assert "timed_out" in report or "timed out" in report
    run = stage.runs_of(change)[0]
    took = datetime.fromisoformat(run["finished"]) - datetime.fromisoformat(run["started"])
    assert 40 <= took.total_seconds() < 40 + 30


def test_missing_kunitconfig_is_a_config_error_that_names_the_places(stage):
    change = stage.push({"kunitconfig": DELETE}, "kunitconfig: remove it")
    report = stage.report_of(change)
    assert stage.vote_of(change) == -1
    assert "kunitconfig" in report


def test_conflict_with_the_branch_names_the_files(stage):
    path = "lib/kunit/conflict-note.txt"
    before = stage.author.git("rev-parse", "master")
    stage.advance_branch({path: "theirs\n"}, "kunit: add their note")
    change = stage.push({path: "mine\n"}, "kunit: add my note", parent=before)
    report = stage.report_of(change)
    assert stage.vote_of(change) == -1
    assert path in report
