# SPDX-License-Identifier: Apache-2.0
"""What happens to a change besides its verdict: new patch sets, commands, crashes of the server, a Gerrit that is away. Each patch set gets one
report: never none, never two."""
import pytest

from support.kernel import EXAMPLE_TEST, with_test
from support.stage import PATIENCE
from support.wait import wait_for


def with_passing_test(stage, value):
    """The example test with one more passing case; `value` makes it another text each time."""
    return with_test(stage.author.read(EXAMPLE_TEST), f"\tKUNIT_EXPECT_EQ(test, {value}, {value});")[0]


def test_only_the_newest_patch_set_is_reported(stage):
    first, change = stage.push_commit({EXAMPLE_TEST: with_passing_test(stage, 21)}, "kunit: first try")
    stage.wait_for_phase(change, "run")
    stage.push({EXAMPLE_TEST: with_passing_test(stage, 22)}, "kunit: second try", change_id=first.change_id)
    stage.report_of(change, patchset=2)
    assert stage.vote_of(change) == 1
    assert stage.reports_of(change, patchset=1) == []
    states = {run["patchset"]: run["state"] for run in stage.runs_of(change)}
    assert states == {1: "aborted", 2: "success"}


def test_work_in_progress_starts_when_it_is_ready(stage):
    change = stage.push({EXAMPLE_TEST: with_passing_test(stage, 31)}, "kunit: not ready yet", options="%wip")
    marker = stage.push({EXAMPLE_TEST: with_passing_test(stage, 32)}, "kunit: ready")  # pushed later, so the server has seen both
    stage.report_of(marker)
    assert stage.runs_of(change) == []
    stage.gerrit.call("alice", "POST", f"/changes/{change}/ready", {})
    stage.report_of(change)
    assert stage.vote_of(change) == 1


def settle(stage):
    """Lets the server finish what it may still have to say, by pushing a change after it and waiting for that one's report."""
    stage.report_of(stage.push({EXAMPLE_TEST: with_passing_test(stage, 99)}, "kunit: the next change"))


@pytest.mark.parametrize("phase", ["source", "run"])
def test_a_killed_server_reports_once_after_its_restart(stage, phase):
    change = stage.push({EXAMPLE_TEST: with_passing_test(stage, len(phase))}, f"kunit: killed while at {phase}")
    stage.wait_for_phase(change, phase)
    stage.server.kill()
    stage.start_server()
    stage.report_of(change)
    assert stage.vote_of(change) == 1
    settle(stage)
    assert len(stage.reports_of(change)) == 1


def test_the_warm_tree_follows_its_branch_without_a_job(stage):
    stage.warm()
    [before] = [tree for tree in stage.warm_trees() if tree["job"] == "kunit"]
    assert before["built"] and before["hits"] > 0 and before["bytes"] > 100_000_000
    stage.advance_branch({"lib/kunit/moved.txt": "moved\n"}, "kunit: the branch moves on")
    tip = stage.author.git("rev-parse", "refs/heads/master")
    wait_for(lambda: any(tree["key"] == before["key"] and tree["commit"] == tip and tree["built"] for tree in stage.warm_trees()),
             f"a warm tree at {tip}", PATIENCE, every=0.5)


def test_a_server_killed_while_it_makes_a_warm_tree_reports_once(stage):
    stage.server.stop()  # or it might have its tree before the change is there
    change = stage.push({"lib/kunit/note.txt": "killed\n"}, "kunit: killed while at warm")
    stage.start_server_with_jobs(stage.job("slow", "sleep 3"))
    stage.wait_for_phase(change, "warm")
    stage.server.kill()
    stage.start_server_with_jobs(stage.job("slow", "sleep 3"))
    stage.report_of(change)
    assert stage.vote_of(change) == 1
    settle(stage)
    assert len(stage.reports_of(change)) == 1


def test_a_server_killed_while_it_posts_reports_once(stage):
    # Gerrit takes the report and its answer is lost; the server dies waiting for it.
    lost = stage.relay.lose_answer_to(b"/review")
    change = stage.push({EXAMPLE_TEST: with_passing_test(stage, 41)}, "kunit: killed while it posts")
    assert lost.wait(PATIENCE)
    stage.server.kill()
    stage.start_server()
    stage.report_of(change)
    assert stage.vote_of(change) == 1
    settle(stage)
    assert len(stage.reports_of(change)) == 1


def test_verdict_arrives_after_gerrit_was_away(stage):
    change = stage.push({EXAMPLE_TEST: with_passing_test(stage, 51)}, "kunit: judged while Gerrit is down")
    stage.wait_for_phase(change, "run")
    stage.gerrit.stop()
    stage.wait_for_state(change, "success")
    stage.gerrit.start()
    stage.report_of(change)
    assert stage.vote_of(change) == 1
    assert len(stage.reports_of(change)) == 1


def test_message_arrives_without_the_vote_where_the_label_is_refused(stage):
    stage.gerrit.configure_project("linux", "Release-Approved")
    stage.gerrit.forbid_vote("linux", "Release-Approved")
    stage.start_server("--label", "Release-Approved")  # exists, and the CI may not vote on it
    change = stage.push({EXAMPLE_TEST: with_passing_test(stage, 61)}, "kunit: no right to vote")
    report = stage.report_of(change)
    assert "Release-Approved" in report
    assert stage.vote_of(change, "Release-Approved") == 0


def test_retest_runs_what_failed_and_only_that(stage):
    stage.start_server_with_jobs(
        stage.job("steady", "exit 0"),
        stage.job("shaky", "exit 1"),
    )
    change = stage.push({"lib/kunit/note.txt": "retest\n"}, "kunit: one job of two fails")
    stage.report_of(change)
    assert stage.vote_of(change) == -1
    stage.gerrit.comment("alice", change, "/retest")
    wait_for(lambda: len(stage.reports_of(change)) == 2, "a report after /retest", 120)
    attempts = sorted((run["job"], run["attempt"]) for run in stage.runs_of(change))
    assert attempts == [("shaky", 1), ("shaky", 2), ("steady", 1)]


def test_a_broken_edit_of_the_jobs_keeps_the_last_good_ones(stage):
    stage.start_server_with_jobs(stage.job("steady", "exit 0"))
    stage.jobs_file.write_text(stage.jobs_file.read_text().replace("always_run: true", "always_run: perhaps"))
    wait_for(lambda: "perhaps" in stage.server.log_tail(), "the problem in the server's log", 60)
    problem = next(line for line in stage.server.log_tail().splitlines() if "perhaps" in line)
    assert f"{stage.jobs_file.name}:" in problem  # file:line:column
    change = stage.push({"lib/kunit/note.txt": "reload\n"}, "kunit: judged by the last good jobs")
    stage.report_of(change)
    assert stage.vote_of(change) == 1
