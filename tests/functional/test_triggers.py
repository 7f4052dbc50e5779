# SPDX-License-Identifier: Apache-2.0
"""Every kind of trigger on a real Gerrit: patch sets, commands, /ok-to-test, /abort, stacks, merges, periodics; and the record of why. The jobs are shell
scripts on a small project of their own, so no kernel is built. One server; each test pushes its own changes."""
import json
import shutil
import subprocess
import textwrap
import time

import pytest

from support.gerrit import PASSWORDS, quote
from support.kernel import Author
from support.server import Server, program
from support.stage import Stage
from support.wait import wait_for

PROJECT = "triggers"
TRUSTED = "Trusted Testers"
PATIENCE = 300
# One script for all jobs, so that they share one warm tree.
SCRIPT = """\
case $JOB_NAME in
  slow) sleep 600;;
  failing) exit 1;;
esac
env | grep -E '^(JOB|PULL|REPO)_' | sort
ls
"""


def job(name, **fields):
    return {"name": name, "decorate": True, "decoration_config": {"timeout": "15m", "grace_period": "2s"},
            "spec": {"containers": [{"image": "kunit", "command": ["sh", "-c", SCRIPT]}]}, **fields}


def configuration(url):
    """Prow's file; JSON is YAML."""
    source = [{"org": url, "repo": PROJECT, "base_ref": "master"}]
    return {
        "presubmits": {f"{url}/{PROJECT}": [
            job("auto", always_run=True),
            job("docs", run_if_changed="^Documentation/", optional=True),
            job("manual"),
            job("slow", optional=True, labels={"prow.k8s.io/gerrit-report-label": ""}),
        ]},
        "postsubmits": {f"{url}/{PROJECT}": [
            job("publish"),
            job("publish-docs", run_if_changed="^Documentation/"),
            job("quiet", skip_report=True),
        ]},
        "periodics": [
            job("nightly", interval="24h", extra_refs=source),
            job("failing", interval="24h", retry={"attempts": 1, "interval": "1s"}, extra_refs=source),
            job("yearly", cron="0 0 1 1 *", extra_refs=source),
        ],
    }


class Play(Stage):
    """The session's Gerrit with a project and a server of our own."""

    def __init__(self, gerrit, folder):
        self.folder, self.gerrit = folder, gerrit
        shutil.rmtree(folder, ignore_errors=True)  # of a kept stage: what ran then would not run again
        folder.mkdir()
        if PROJECT not in gerrit.get("/projects/"):
            gerrit.create_project(PROJECT)
        if TRUSTED not in gerrit.get("/groups/"):
            gerrit.call("admin", "PUT", f"/groups/{quote(TRUSTED)}", {"members": ["bob"], "visible_to_all": True})
        self.authors = {}
        for user in ("alice", "bob"):
            (folder / user).mkdir()
            self.authors[user] = Author(gerrit.repository(PROJECT), folder / user, f"{user.capitalize()} Dev", f"{user}@example.com")
        self.jobs_file = folder / "jobs.yaml"
        self.jobs_file.write_text(json.dumps(configuration(gerrit.url), indent=1))
        self.config = folder / "bowsprit.yaml"
        self.config.write_text(textwrap.dedent(f"""\
            gerrit: {{url: "{gerrit.url}", poll_interval: 1s}}
            repos: [{{project: {PROJECT}}}]
            prow: [jobs.yaml]
            executor: {{local: {{jobs: 2, memory: 1Gi, disk: 1Gi, pids: 256}}}}
            triggers: {{who: group, group: {TRUSTED}, trusted: [admin]}}
            """))
        self.server = Server(program(), folder / "server", gerrit.url, PROJECT, "ci", PASSWORDS["ci"], ssh=gerrit.ssh, ssh_key=gerrit.ssh_key,
                             known_hosts=gerrit.known_hosts)
        self.server.start("--config", self.config)

    def url(self, user):
        return self.gerrit.git_url(user, PROJECT)

    def push_as(self, user, files, subject, parent="master", change_id=None):
        files = {path: f"{text}{time.time_ns()}\n" for path, text in files.items()}  # a kept stage may have merged the same text before
        author = self.authors[user]
        commit = author.commit(files, subject, parent, change_id)
        return commit, author.push(commit, self.url(user))

    def decisions(self, change):
        return [(one["job"], one["run"], one["reason"]) for one in self.server.get_json(f"/api/v1/changes/{change}/decisions")["decisions"]]

    def decided(self, change, job, reason):
        """Waits for a decision about the job whose reason has these words."""
        return wait_for(lambda: [one for one in self.decisions(change) if one[0] == job and reason in one[2]],
                        f"a decision on {job} of change {change} for '{reason}' among {self.decisions(change)}", PATIENCE)

    def told(self, change, *words):
        """Waits for a message of the server's that has all the words; the message."""
        def found():
            return [text for text in self.reports_of(change) if all(word in text for word in words)]
        messages = wait_for(found, f"a message with {words} on change {change}", PATIENCE)
        assert len(messages) == 1, messages
        return messages[0]

    def runs_of_job(self, name):
        return self.server.get_json(f"/api/v1/runs?job={name}&limit=50")["runs"]

    def ended(self, change, name):
        """Waits for the newest run of the job on the change to end; the run."""
        return wait_for(lambda: next((run for run in self.runs_of(change) if run["job"] == name and run["finished"]), None),
                        f"{name} of change {change} to end", PATIENCE)

    def start_slow(self, change, patchset=1):
        """Asks for the job that never ends by itself, and waits until it runs; the run."""
        self.gerrit.comment("bob", change, "/test slow")
        return wait_for(lambda: next((run for run in self.runs_of(change)
                                      if run["job"] == "slow" and run["patchset"] == patchset and run["phase"] == "run"), None),
                        f"slow to run on patch set {patchset} of change {change}", PATIENCE)["id"]

    def end_of(self, run):
        """Waits for a run to end; its state and description."""
        wait_for(lambda: self.server.get_json(f"/api/v1/runs/{run}")["finished"], f"run {run} to end", PATIENCE)
        found = self.server.get_json(f"/api/v1/runs/{run}")
        return found["state"], found["description"]

    def jobs_run_on(self, change):
        return sorted({run["job"] for run in self.runs_of(change)})


@pytest.fixture(scope="module")
def play(session_stage, tmp_path_factory):
    session_stage.server.stop()  # one server less to wait for
    play = Play(session_stage.gerrit, session_stage.folder / "triggers")
    yield play
    play.server.stop()


def test_a_strangers_change_waits_for_a_trusted_account_and_the_record_says_so(play):
    _, change = play.push_as("alice", {"lib/a.c": "a\n"}, "lib: a stranger's change")
    waits = "waits for /ok-to-test by a trusted account, as alice is none"
    play.told(change, waits)
    play.gerrit.comment("alice", change, "/ok-to-test")
    play.gerrit.comment("alice", change, "/test manual")
    play.decided(change, "manual", "is not heeded")
    assert play.runs_of(change) == []
    before = play.decisions(change)
    assert before[0] == ("auto", False, waits)

    play.gerrit.comment("bob", change, "looks harmless\n/ok-to-test")
    assert play.ended(change, "auto")["state"] == "success"
    play.told(change, "1 out of 1 pjs passed")
    assert play.vote_of(change) == 1
    play.gerrit.comment("alice", change, "/test manual")
    assert play.ended(change, "manual")["state"] == "success"
    after = play.decisions(change)
    assert after[:len(before)] == before, "an earlier decision was overwritten"
    assert ("auto", True, "new patch set 1, always_run") in after and ("manual", True, "/test manual") in after

    printed = subprocess.run([program(), "trigger", "--decisions", str(change), "--server", play.server.url], capture_output=True, text=True, check=True).stdout
    assert len(printed.splitlines()) == len(after) and waits in printed
    page = play.server.get(f"/change/{change}")
    assert "Why jobs ran or not" in page and "is not heeded" in page


def test_commands_are_answered_and_abort_is_reported_once(play):
    _, change = play.push_as("bob", {"lib/b.c": "b\n"}, "lib: commands")
    play.ended(change, "auto")
    play.gerrit.comment("bob", change, "/test ?")
    assert "* `/test manual`" in play.told(change, "Required jobs:", "Commands, each on a line of its own", "`/test auto`")
    play.gerrit.comment("bob", change, "/test nonsense")
    play.told(change, "There is no job `nonsense`.")

    slow = play.start_slow(change)
    play.gerrit.comment("bob", change, "/abort slow")
    state, description = play.end_of(slow)
    assert state == "aborted" and description.startswith("/abort by account ")
    play.told(change, "slow", "ABORTED")
    play.gerrit.comment("bob", change, "/retest")
    wait_for(lambda: len([run for run in play.runs_of(change) if run["job"] == "slow"]) == 2, "slow to be queued again", PATIENCE)
    play.gerrit.comment("bob", change, "/abort")
    wait_for(lambda: all(run["finished"] for run in play.runs_of(change)), "all to be ended", PATIENCE)


def test_runs_that_became_pointless_end_without_a_report(play):
    first, change = play.push_as("bob", {"lib/h.c": "h\n"}, "lib: first try")
    slow = play.start_slow(change)
    play.push_as("bob", {"lib/h.c": "i\n"}, "lib: second try", change_id=first.change_id)
    assert play.end_of(slow) == ("aborted", "superseded by patch set 2")
    slow = play.start_slow(change, patchset=2)
    play.gerrit.call("bob", "POST", f"/changes/{change}/abandon", {})
    assert play.end_of(slow) == ("aborted", "the change was abandoned")
    _, marker = play.push_as("bob", {"lib/j.c": "j\n"}, "lib: pushed later, so all was said that there was to say")
    play.told(marker, "1 out of 1 pjs passed")
    assert not any("slow" in text for text in play.reports_of(change))


def test_each_change_of_a_stack_is_judged_on_its_own(play):
    parent, below = play.push_as("bob", {"lib/c.c": "c\n"}, "lib: below")
    _, above = play.push_as("bob", {"Documentation/c.rst": "c\n"}, "docs: above", parent=parent.sha)
    play.ended(above, "docs")
    play.ended(below, "auto")
    assert play.jobs_run_on(below) == ["auto"]
    play.ended(above, "auto")
    assert play.jobs_run_on(above) == ["auto", "docs"]
    assert "\nlib\n" in play.log_of(play.ended(above, "docs")), "it was tested without the change below it"


def test_postsubmits_run_on_the_merged_branch_and_report_without_a_vote(play):
    _, change = play.push_as("bob", {"lib/d.c": "d\n"}, "lib: to be merged")
    play.ended(change, "auto")
    play.told(change, "1 out of 1 pjs passed")
    play.gerrit.call("admin", "POST", f"/changes/{change}/revisions/current/review", {"labels": {"Code-Review": 2}})
    play.gerrit.call("admin", "POST", f"/changes/{change}/submit", {})
    publish = play.ended(change, "publish")
    quiet = play.ended(change, "quiet")
    assert publish["state"] == quiet["state"] == "success"
    assert publish["type"] == "postsubmit" and publish["base_sha"] == publish["merged_sha"]
    log = play.log_of(publish)
    assert "JOB_TYPE=postsubmit" in log and "PULL_NUMBER" not in log and f",{change}:" in log and "\nlib\n" in log
    message = play.told(change, "publish")
    assert "quiet" not in message and "Verified" not in message
    assert play.decided(change, "publish-docs", "matches no changed file")
    play.gerrit.comment("bob", change, "it is in")
    _, marker = play.push_as("bob", {"lib/e.c": "e\n"}, "lib: pushed later, so the server has seen the comment")
    play.ended(marker, "auto")
    assert len(play.runs_of_job("publish")) == 1


def test_periodics_run_when_due_and_a_restart_neither_loses_nor_doubles_one(play):
    def states(name):
        return [run["state"] for run in play.runs_of_job(name)]

    wait_for(lambda: states("nightly") == ["success"], "nightly to pass", PATIENCE)
    wait_for(lambda: states("failing") == ["failure", "failure"], "failing to be tried twice", PATIENCE)
    log = play.log_of(play.runs_of_job("nightly")[0])
    assert "JOB_TYPE=periodic" in log and '"extra_refs"' in log
    assert "PULL_" not in log and "REPO_" not in log
    play.server.kill()
    play.server.start("--config", play.config)
    _, marker = play.push_as("bob", {"lib/f.c": "f\n"}, "lib: after the restart")
    play.ended(marker, "auto")
    assert states("nightly") == ["success"] and states("failing") == ["failure", "failure"] and states("yearly") == []
    page = play.server.get(f"/run/{play.runs_of_job('nightly')[0]['id']}")
    assert "periodic" in page and "/change/" not in page

    def would(at, *more):
        printed = subprocess.run([program(), "trigger", "--config", play.config, "--periodics", "--at", at, "--format", "json", *more],
                                 capture_output=True, text=True, check=True).stdout
        return {one["job"]: one["run"] for one in json.loads(printed)["periodics"]}
    assert would("2027-01-01T00:00:00Z", "--since", "2026-12-31T12:00:00Z") == {"nightly": False, "failing": False, "yearly": True}
    assert would("2027-01-02T00:00:00Z", "--since", "2027-01-01T00:00:00Z") == {"nightly": True, "failing": True, "yearly": False}


def test_a_run_that_stays_too_long_is_ended_as_the_machines_fault_and_the_limit_is_named(play):
    play.config.write_text(play.config.read_text() + "timeouts: {running: 8s}\n")
    play.server.restart("--config", play.config)
    _, change = play.push_as("bob", {"lib/g.c": "g\n"}, "lib: slow")
    play.ended(change, "auto")
    play.gerrit.comment("bob", change, "/test slow")
    run = play.ended(change, "slow")
    assert (run["state"], run["verdict"]) == ("error", "infra_error")
    assert run["description"].startswith("running timeout: it ran for ")
    play.told(change, "slow", "ERROR")
