# SPDX-License-Identifier: Apache-2.0
"""The whole play in one folder: a real Gerrit with a real kernel in it, an author, and a real `bowsprit serve` that watches.

    with Stage(folder) as stage:
        stage.start_server()
        change = stage.push({"lib/x.c": text}, "lib: add x")
        print(stage.report_of(change), stage.vote_of(change))

One state folder serves all starts of the server, so the warm tree is built once. Used by functional tests, demo and benchmarks."""
import json
import os
import pathlib
import subprocess
import tempfile
import textwrap
import time

from .gerrit import PASSWORDS, Gerrit
from .kernel import Author, kernel_repository
from .relay import Relay
from .server import Server, program
from .wait import wait_for

PROJECT = "linux"
# The first verdict waits for the warm tree, a whole kernel build.
PATIENCE = 900


def stage_folder(name):
    """A new folder that jobs can reach: they run as another user, who may not enter a home folder or the private ones below /tmp."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"bowsprit-{name}-", dir=os.environ.get("BOWSPRIT_SCRATCH", "/var/tmp")))
    folder.chmod(0o755)
    return folder


class Stage:
    def __init__(self, folder, outlive_us=False, relayed=False):
        """`relayed`: the server reaches Gerrit through self.relay, which can lose answers."""
        self.folder = pathlib.Path(folder)
        kernel = kernel_repository()
        self.gerrit = Gerrit(self.folder / "gerrit", repositories={PROJECT: kernel}).start(outlive_us=outlive_us)
        self.author = Author(kernel, self.folder)
        self.jobs_file = self.folder / "jobs.yaml"
        self.relay = Relay("127.0.0.1", self.gerrit.http_port, self.folder / "relay-port") if relayed else None
        url = self.relay.url if self.relay else self.gerrit.url
        self.gerrit_url = url  # as the server knows it
        self.server = Server(program(), self.folder / "server", url, PROJECT, "ci", PASSWORDS["ci"], ssh=self.gerrit.ssh,
                             ssh_key=self.gerrit.ssh_key, known_hosts=self.gerrit.known_hosts)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.server.stop()
        finally:
            self.gerrit.stop()

    # --- the server

    def start_server(self, *options):
        """Starts it, unless it runs with just these options already."""
        if self.server.running and self.server.options == list(options):
            return
        self.server.restart(*options)

    def start_server_with_jobs(self, *jobs, more=""):
        """With Prow's job files in place of the default job, small limits, and `more` lines of bowsprit.yaml."""
        self.jobs_file.write_text(f"presubmits:\n  {self.gerrit_url}/{PROJECT}:\n" + "".join(textwrap.indent(job, "  ") for job in jobs))
        config = self.folder / "bowsprit.yaml"
        config.write_text(textwrap.dedent(f"""\
            gerrit: {{url: "{self.gerrit_url}", poll_interval: 2s}}
            repos: [{{project: {PROJECT}}}]
            prow: [{self.jobs_file.name}]
            executor: {{local: {{memory: 4Gi, disk: 2Gi, pids: 1024}}}}
            """) + more)
        self.server.restart("--config", config)

    @staticmethod
    def job(name, script=None, timeout="5m"):
        """A presubmit as YAML that runs a shell script; without one, what the default job runs, on the same warm tree."""
        command = ["sh", "-c", script] if script else ["/kunit.sh"]
        return textwrap.dedent(f"""\
            - name: {name}
              always_run: true
              decorate: true
              decoration_config: {{timeout: {timeout}, grace_period: 5s}}
              spec:
                containers:
                - image: kunit
                  command: {json.dumps(command)}
            """)

    def warm_trees(self):
        """What `bowsprit warm --list` says of the server's trees."""
        words = [str(program()), "warm", "--work", str(self.server.state / "work"), "--list", "--format", "json"]
        return json.loads(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout)

    def warm(self):
        """Makes sure that the warm tree of the branch is there and of its tip, for tests with limits that leave no time for it."""
        self.start_server()
        change = self.push({"lib/kunit/warm-note.txt": f"{time.time_ns()}\n"}, "kunit: wait for the warm tree")
        self.report_of(change)
        tip = self.author.git("rev-parse", "master")
        wait_for(lambda: any((tree["job"], tree["commit"]) == ("kunit", tip) for tree in self.warm_trees()), f"a warm tree of {tip}", PATIENCE)

    # --- changes

    def url(self, user):
        return self.gerrit.git_url(user, PROJECT)

    def push_commit(self, files, subject, parent="master", change_id=None, options=""):
        commit = self.author.commit(files, subject, parent, change_id)
        return commit, self.author.push(commit, self.url("alice"), options=options)

    def push(self, files, subject, **how):
        """Pushes a change as alice; its number."""
        return self.push_commit(files, subject, **how)[1]

    def advance_branch(self, files, subject):
        """Somebody else's change reaches the branch."""
        commit = self.author.commit(files, subject)
        self.author.push_branch(commit, self.url("admin"))
        self.author.git("update-ref", "refs/heads/master", commit.sha)

    # --- what became of them

    def runs_of(self, change):
        """Rows of the server's runs of a change, newest first."""
        return self.server.get_json(f"/api/v1/runs?change={change}")["runs"]

    def log_of(self, run):
        return self.server.get(f"/run/{run['id']}/log")

    def reports_of(self, change, patchset=None):
        """Texts of the CI's reports, oldest first."""
        return [one["message"] for one in self.gerrit.change(change).get("messages", [])
                if one.get("author", {}).get("username") == "ci" and patchset in (None, one.get("_revision_number"))]

    def report_of(self, change, patchset=None, within=PATIENCE):
        """The report, once it is there. @raises AssertionError when there is more than one"""
        found = wait_for(lambda: self.reports_of(change, patchset), f"a report on change {change} (server's log: {self.server.log})", within)
        assert len(found) == 1, found
        return found[0]

    def vote_of(self, change, label="Verified"):
        return self.gerrit.votes(change, label).get("ci", 0)

    def wait_for_phase(self, change, phase):
        return wait_for(lambda: any(run["phase"] == phase and run["state"] == "pending" for run in self.runs_of(change)), f"change {change} to be at {phase}",
                        PATIENCE, every=0.02)

    def wait_for_state(self, change, state):
        wait_for(lambda: any(run["state"] == state for run in self.runs_of(change)), f"a run of change {change} to be {state}", PATIENCE)

    @staticmethod
    def processes_with(word):
        """Command lines of this machine's processes that contain `word`."""
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        return [line for line in listed.splitlines() if word in line and not line.startswith("ps ")]
