# SPDX-License-Identifier: Apache-2.0
"""On the server, only a change's own failures cost its vote; those of its branch and of the machine do not."""
import contextlib

from support.kernel import EXAMPLE_TEST, with_test

FAILS = "\tKUNIT_EXPECT_EQ(test, 2, 3);"


@contextlib.contextmanager
def branch_with(stage, files):
    """The branch has these files meanwhile."""
    before = {path: stage.author.read(path) for path in files}
    stage.advance_branch(files, "kunit: break a test on the branch")
    try:
        yield
    finally:
        stage.advance_branch(before, "kunit: mend the branch")
        stage.warm()


def test_what_fails_on_the_branch_costs_no_vote_and_is_told(stage):
    text, _ = with_test(stage.author.read(EXAMPLE_TEST), FAILS, "old_test")
    with branch_with(stage, {EXAMPLE_TEST: text}):
        innocent = stage.push({"lib/kunit/innocent-note.txt": "innocent\n"}, "kunit: add a note")
        report = stage.report_of(innocent)
        assert stage.vote_of(innocent) == 1, report
        assert "`example.old_test` failed" in report and "(also on the base)" in report

        guilty = stage.push({EXAMPLE_TEST: with_test(text, FAILS, "new_test")[0]}, "kunit: add a test that fails")
        report = stage.report_of(guilty)
    assert stage.vote_of(guilty) == -1
    new, old = (next(line for line in report.splitlines() if line.startswith(f"- `example.{name}`")) for name in ("new_test", "old_test"))
    assert "(new)" in new and "(also on the base)" in old


def test_a_killed_job_is_tried_again_and_never_a_vote(stage):
    stage.start_server_with_jobs(stage.job("killed", "echo tried; kill -9 $$$$"))  # $$ is how Kubernetes writes $
    change = stage.push({"lib/kunit/killed-note.txt": "killed\n"}, "kunit: add another note")
    report = stage.report_of(change)
    assert stage.vote_of(change) == 0
    assert "not judged" in report and "killed from outside" in report
    [run] = stage.runs_of(change)
    assert run["verdict"] == "infra_error"
    assert 'try 3 of 3 follows' in stage.server.log.read_text()
