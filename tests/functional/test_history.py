# SPDX-License-Identifier: Apache-2.0
"""What the server remembers of single tests: written when a run ends, read by pages, Deck's addresses and Gerrit's Checks tab."""
from support.kernel import EXAMPLE_TEST, with_test


def test_a_runs_tests_are_remembered_and_told_to_every_reader(stage):
    text, _ = with_test(stage.author.read(EXAMPLE_TEST), "\tKUNIT_EXPECT_EQ(test, 4, 5);")
    change = stage.push({EXAMPLE_TEST: text}, "kunit: a failing test for the history")
    stage.report_of(change)
    run = stage.runs_of(change)[0]
    job, name = run["job"], "example.judged_test"

    assert [name] == [test["test"] for test in stage.server.get_json("/api/v1/tests?q=judged")["tests"]]
    history = stage.server.get_json(f"/api/v1/tests/{name}/history?job={job}")
    assert [(result["status"], result["origin"]) for result in history["results"] if result["run"] == run["id"]] == [("failed", "new")]
    grid = stage.server.get_json(f"/api/v1/jobs/{job}/history?tests=all")
    assert run["id"] in [shown["id"] for shown in grid["runs"]]
    assert len(grid["tests"]) > 5
    assert f'/run/{run["id"]}"' in stage.server.get(f"/test?name={name}")
    assert name in stage.server.get(f"/job-history/{job}")

    prow_job, = [item for item in stage.server.get_json("/prowjobs.js")["items"] if item["metadata"]["name"] == run["prow_job_id"]]
    assert prow_job["status"]["state"] == "failure"
    assert prow_job["status"]["url"].endswith(f'/run/{run["id"]}')
    assert "kind: ProwJob" in stage.server.get(f'/prowjob?prowjob={run["prow_job_id"]}')
    assert "failing" in stage.server.get(f"/badge.svg?jobs={job}")
    check, = stage.server.get_json(f"/gerrit-checks/runs?change={change}&patchset=1")["runs"]
    assert check["status"] == "COMPLETED" and check["attempt"] == 1
    assert [(result["category"], result["summary"]) for result in check["results"]][0] == ("ERROR", name)
