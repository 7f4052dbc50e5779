# SPDX-License-Identifier: Apache-2.0
"""What is wrong on a line of the change is said on that line, once, and blocks nothing."""
import json

from support.kernel import EXAMPLE_TEST, with_test
from support.wait import wait_for


def comments_on_lines(stage, change):
    """(patch set, file, line, message) of the CI's comments, by line; none of them may be unresolved."""
    found = []
    for file, comments in stage.gerrit.comments(change).items():
        for comment in comments:
            assert comment["author"]["username"] == "ci" and not comment.get("unresolved"), comment
            found.append((comment["patch_set"], file, comment["line"], comment["message"]))
    return sorted(found)


def test_a_claim_is_said_once_on_its_line_and_claims_off_the_change_cost_nothing(stage):
    note = "lib/kunit/comments-note.txt"
    places = [(note, 7, "wrong"), (note, 1, "not what the file says"), ("lib/kunit/test.c", 1, "wrong"), ("../../etc/passwd", 1, "wrong"),
              ("/COMMIT_MSG", 1, "wrong"), ("lib", 1, "wrong"), ("", 1, "wrong")]
    result = json.dumps({"schema": "bowsprit/result/1", "verdict": "build_error", "summary": "places", "diagnostics": [
        {"kind": "error", "file": file, "line": line, "source": source, "message": f"claim {number}"} for number, (file, line, source) in enumerate(places)]})
    stage.start_server_with_jobs(stage.job("claims", f"echo '{result}' > $ARTIFACTS/result.json; exit 1"))
    first, change = stage.push_commit({note: "right\nwrong\n"}, "kunit: add a note with claims on it")
    assert "claim 5" in stage.report_of(change)
    assert stage.vote_of(change) == -1
    (said,) = comments_on_lines(stage, change)
    assert said[:3] == (1, note, 2) and "claim 0" in said[3]

    stage.push({note: "right\nright\nwrong\n"}, "kunit: add a note with claims on it", change_id=first.change_id)
    stage.report_of(change, patchset=2)
    assert comments_on_lines(stage, change) == [said]

    stage.gerrit.comment("alice", change, "/retest")
    wait_for(lambda: len(stage.reports_of(change, patchset=2)) == 2, "a report after /retest", 300)
    assert comments_on_lines(stage, change) == [said]


def test_an_expectation_and_a_new_warning_are_said_on_their_lines_and_not_again_at_a_retest(stage):
    text, line = with_test(stage.author.read(EXAMPLE_TEST), "\tint never_used;\n\n\tKUNIT_EXPECT_EQ(test, 1 + 1, 3);")
    change = stage.push({EXAMPLE_TEST: text}, "kunit: add a test that fails, and warns")
    stage.report_of(change)
    warning, failure = comments_on_lines(stage, change)
    assert warning[:3] == (1, EXAMPLE_TEST, line) and "never_used" in warning[3]
    assert failure[:3] == (1, EXAMPLE_TEST, line + 2) and "example.judged_test" in failure[3]

    stage.gerrit.comment("alice", change, "/retest")
    wait_for(lambda: len(stage.reports_of(change)) == 2, "a report after /retest", 300)
    assert comments_on_lines(stage, change) == [warning, failure]


def test_a_compile_error_is_said_on_the_patch_sets_own_line_and_not_again_on_the_next_patch_set(stage):
    source, before = stage.author.read(EXAMPLE_TEST), stage.author.git("rev-parse", "master")
    text, line = with_test(source, "\tno_such_name = 3;")
    # The branch moves on meanwhile: in the merge, which is what gets built, the error is one line further down.
    stage.advance_branch({EXAMPLE_TEST: "/* The first line is new. */\n" + source}, "kunit: add a line at the top of the example")
    first, change = stage.push_commit({EXAMPLE_TEST: text}, "kunit: add a test that does not compile", parent=before)
    report = stage.report_of(change)
    assert f"{EXAMPLE_TEST}:{line + 1}" in report
    (error,) = comments_on_lines(stage, change)
    assert error[:3] == (1, EXAMPLE_TEST, line) and "no_such_name" in error[3]

    moved = text.replace("static void judged_test", "/* One more line. */\nstatic void judged_test")
    stage.push({EXAMPLE_TEST: moved}, "kunit: add a test that does not compile", parent=before, change_id=first.change_id)
    stage.report_of(change, patchset=2)
    assert stage.vote_of(change) == -1
    assert comments_on_lines(stage, change) == [error]
