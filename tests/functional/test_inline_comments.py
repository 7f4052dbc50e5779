# SPDX-License-Identifier: Apache-2.0
"""What is wrong on a line of the change is said on that line, once, and blocks nothing."""
import json

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
