# SPDX-License-Identifier: Apache-2.0
"""The Gerrit client against real Gerrits, each version that this machine can run: whatever of Gerrit's ways surprises a CI, one test each.

The client is called through build/dev/gerrit_probe (src/gerrit/probe.cpp): one call as JSON, one outcome as JSON."""
import concurrent.futures
import json
import queue
import re
import shutil
import statistics
import subprocess
import threading
import time

import pytest
from support.gerrit import PASSWORDS, Gerrit, usable_versions
from support.kernel import DELETE, Author
from support.server import Server, program
from support.stage import stage_folder
from support.wait import wait_for

PROBE = program().parent / "gerrit_probe"


@pytest.fixture(scope="module", params=usable_versions() or ["none"])
def gerrit(request, tmp_path_factory):
    if request.param == "none":
        pytest.skip("no Java here that a Gerrit runs on (17, or 21 and newer)")
    assert PROBE.exists(), "not built; cmake --build build/dev --target gerrit_probe"
    with Gerrit(tmp_path_factory.mktemp("gerrit"), request.param) as server:
        yield server


class Play:
    """A project of its own, an author, and the client under test."""

    def __init__(self, gerrit, name, folder):
        self.gerrit = gerrit
        self.project = gerrit.create_project(name)
        self.author = Author(gerrit.repository(name), folder)

    def push(self, files=None, subject="lib: add a", change_id=None, parent="master", options=""):
        commit = self.author.commit(files or {"lib/a.c": f"int a = {time.time_ns()};\n"}, subject, parent, change_id)
        return self.author.push(commit, self.gerrit.git_url("alice", self.project), options=options), commit

    def call(self, what, user="ci", password=None, **how):
        call = {"call": what, "url": self.gerrit.url, "user": user, "password": password or PASSWORDS.get(user, ""), **how}
        done = subprocess.run([PROBE], input=json.dumps(call), stdout=subprocess.PIPE, text=True, check=True, timeout=120)
        return json.loads(done.stdout)

    def review(self, change, message="KUnit says hello", labels=None, **how):
        return self.call("review", change=change, message=message, labels=labels or {}, **how)

    def merge(self, change):
        path = f"/changes/{change}/revisions/current"
        self.gerrit.call("admin", "POST", f"{path}/review", {"labels": {"Code-Review": 2}})
        self.gerrit.call("admin", "POST", f"/changes/{change}/submit", {})


@pytest.fixture
def play(gerrit, request, tmp_path):
    return Play(gerrit, re.sub(r"\W+", "-", request.node.name).strip("-"), tmp_path)


def error_kind(answer):
    return answer.get("error", {}).get("kind") if isinstance(answer, dict) else None


# --- reading


def test_a_change_is_read_whole(play):
    play.author.push_branch(play.author.commit({"lib/old.c": "".join(f"int x{i};\n" for i in range(50)), "lib/gone.c": "int g;\n"}, "base"),
                            play.gerrit.git_url("admin", play.project))
    play.author.git("fetch", "-q", str(play.gerrit.repository(play.project)), "+refs/heads/master:refs/heads/master")
    text = play.author.read("lib/old.c")
    change, commit = play.push({"lib/old.c": DELETE, "lib/gone.c": DELETE, "lib/new.c": text, "lib/a.c": "int a;\n"}, options="%topic=kunit")
    play.gerrit.comment("alice", change, "/retest")
    play.gerrit.call("alice", "POST", f"/changes/{change}/revisions/current/review",
                     {"comments": {"/PATCHSET_LEVEL": [{"message": "/test all"}], "lib/a.c": [{"line": 1, "message": "why?"}]}})
    read = play.call("change", change=change)
    assert (read["revision"], read["patchset"], read["status"]) == (commit.sha, 1, "NEW")
    assert (read["project"], read["branch"], read["topic"], read["owner"]) == (play.project, "master", "kunit", "alice")
    assert read["ref"] == f"refs/changes/{change % 100:02}/{change}/1"
    assert read["parents"] == [play.author.git("rev-parse", "master")]
    files = {one["path"]: (one["status"], one["old_path"]) for one in read["files"]}
    assert files == {"lib/a.c": ("A", ""), "lib/gone.c": ("D", ""), "lib/new.c": ("R", "lib/old.c")}
    texts = [one["text"] for one in read["messages"]]
    assert texts[0] == "Uploaded patch set 1." and "Patch Set 1:\n\n/retest" in texts and "/test all" in texts
    assert not any("why?" in text for text in texts), "an inline comment is no place for commands"
    assert read["labels"]["Verified"] == [-1, 0, 1]


def test_all_pages_are_read_and_the_overlap_in_time_loses_none(play):
    changes = {play.push(subject=f"lib: number {i}")[0] for i in range(7)}
    everything = play.call("query", project=play.project, page=2)
    assert [one["number"] for one in everything] == sorted(changes, reverse=True)
    newest = everything[0]["updated"]
    found = play.call("query", project=play.project, since=newest, page=1)
    expected = {one["number"] for one in everything if one["updated"] == newest}
    assert expected <= {one["number"] for one in found}, "several changes share a second, and `since` includes it"
    assert {one["number"] for one in play.call("query", project=play.project, limit=3)} == set(sorted(changes)[-3:])


def test_every_kind_of_news_changes_meta_rev(play):
    change, commit = play.push()
    seen = {play.call("change", change=change)["meta_rev"]}

    def is_new():
        before = len(seen)
        seen.add(play.call("change", change=change)["meta_rev"])
        return len(seen) > before

    play.gerrit.comment("alice", change, "/retest")
    assert is_new()
    play.gerrit.call("alice", "POST", f"/changes/{change}/wip", {})
    assert is_new()
    play.push(change_id=commit.change_id)
    assert is_new()
    assert not is_new()


def test_an_unknown_project_is_told_from_an_empty_one(play):
    assert play.call("query", project=play.project) == []
    assert error_kind(play.call("query", project="no-such-project")) == "not_found"


def test_the_tip_of_a_branch(play):
    assert play.call("tip", project=play.project, branch="master") == play.author.git("rev-parse", "master")
    assert error_kind(play.call("tip", project=play.project, branch="none")) == "not_found"


def test_work_in_progress_is_seen_and_can_be_voted_on(play):
    change, _ = play.push(options="%wip")
    assert play.call("change", change=change)["work_in_progress"]
    assert play.review(change, labels={"Verified": 1})["voted"]
    play.gerrit.call("alice", "POST", f"/changes/{change}/ready", {})
    read = play.call("change", change=change)
    assert not read["work_in_progress"]
    assert read["messages"][-1]["tag"] == "autogenerated:gerrit:setReadyForReview"


def test_private_and_deleted_changes_are_not_found(play):
    private, _ = play.push(options="%private")
    assert error_kind(play.call("change", change=private)) == "not_found"
    assert play.call("query", project=play.project) == []
    deleted, _ = play.push()
    revision = play.call("change", change=deleted)["revision"]
    play.gerrit.call("admin", "DELETE", f"/changes/{deleted}")
    assert error_kind(play.review(deleted, revision=revision)) == "not_found"


# --- who we are


def test_wrong_credentials_are_denied_and_anonymous_can_read_only(play):
    change, _ = play.push()
    answer = play.call("self", password="wrong")
    assert error_kind(answer) == "denied" and "wrong" not in answer["error"]["text"]
    assert play.call("change", user="", change=change)["number"] == change
    assert error_kind(play.call("review", user="", change=change, message="x", labels={})) == "denied"
    assert play.gerrit.messages(change) == ["Uploaded patch set 1."]


def test_own_messages_are_known_by_their_author(play):
    change, _ = play.push()
    own = play.call("self")["id"]
    play.review(change, "ours")
    play.gerrit.comment("alice", change, "theirs")
    messages = play.call("change", change=change)["messages"]
    assert [one["text"].split("\n")[-1] for one in messages if one["author"] == own] == ["ours"]


# --- reviews


def test_message_vote_and_inline_comments_arrive(play):
    change, _ = play.push({"lib/a.c": "int a;\nint b;\n"})
    outcome = play.review(change, "Prow Status: 0 out of 1 pjs passed!", {"Verified": -1},
                          comments=[{"file": "lib/a.c", "line": 2, "message": "EXPECTATION FAILED"}])
    assert outcome == {"voted": True, "vote_problem": "", "shortened": False, "comments_left_out": 0}
    assert play.gerrit.votes(change) == {"ci": -1}
    assert play.gerrit.messages(change, "ci") == ["Patch Set 1: Verified-1\n\n(1 comment)\n\nProw Status: 0 out of 1 pjs passed!"]
    (comment,) = play.gerrit.comments(change)["lib/a.c"]
    assert (comment["line"], comment["message"], comment["unresolved"]) == (2, "EXPECTATION FAILED", False)
    assert play.gerrit.change(change)["unresolved_comment_count"] == 0, "an unresolved one would block the submit"


def test_a_vote_that_is_not_permitted_does_not_lose_the_message(play):
    change, _ = play.push()
    outcome = play.review(change, "the report", {"Code-Review": 2})
    assert not outcome["voted"] and "Code-Review" in outcome["vote_problem"]
    (message,) = play.gerrit.messages(change, "ci")
    assert "[NOTICE]: no vote on Code-Review" in message and message.endswith("the report")


def test_a_vote_that_gerrit_drops_in_silence_is_noticed(play):
    change, _ = play.push()
    for label, value in (("No-Such-Label", 1), ("Verified", 2)):
        outcome = play.review(change, f"the report {label}", {label: value})
        assert not outcome["voted"] and label in outcome["vote_problem"], outcome
        assert [f"the report {label}" in one for one in play.gerrit.messages(change, "ci")].count(True) == 1
    assert play.gerrit.votes(change) == {}


def test_closed_changes_get_the_message_and_the_vote_where_it_is_allowed(play):
    abandoned, _ = play.push()
    play.gerrit.call("alice", "POST", f"/changes/{abandoned}/abandon", {})
    outcome = play.review(abandoned, "late report", {"Verified": -1})
    assert not outcome["voted"] and "closed" in outcome["vote_problem"]
    assert play.gerrit.messages(abandoned, "ci")[0].endswith("late report")

    merged, _ = play.push()
    assert play.review(merged, "first", {"Verified": 1})["voted"]
    play.merge(merged)
    assert play.call("change", change=merged)["status"] == "MERGED"
    assert play.review(merged, "again", {"Verified": 1})["voted"]
    outcome = play.review(merged, "worse", {"Verified": -1})
    assert not outcome["voted"] and "closed" in outcome["vote_problem"]
    assert play.gerrit.messages(merged, "ci")[-1].endswith("worse")
    assert play.gerrit.votes(merged) == {"ci": 1}


def test_an_old_patch_set_gets_neither_message_nor_vote(play):
    change, first = play.push()
    _, second = play.push(change_id=first.change_id)
    assert error_kind(play.review(change, "stale", {"Verified": 1}, revision=first.sha)) == "conflict"
    assert play.gerrit.messages(change, "ci") == []
    assert play.review(change, "fresh", {"Verified": 1}, revision=second.sha)["voted"]
    play.push(change_id=first.change_id)
    assert play.gerrit.votes(change) == {}, "a vote does not outlive its patch set"


def test_one_unknown_file_does_not_lose_the_review(play):
    play.author.push_branch(play.author.commit({"lib/gone.c": "int g;\n"}, "base"), play.gerrit.git_url("admin", play.project))
    play.author.git("fetch", "-q", str(play.gerrit.repository(play.project)), "+refs/heads/master:refs/heads/master")
    change, _ = play.push({"lib/a.c": "int a;\n", "lib/gone.c": DELETE})
    places = [("lib/a.c", 1), ("lib/a.c", 999), ("lib/a.c", 0), ("lib/gone.c", 1), ("nope.c", 1), ("/etc/passwd", 1), ("../a.c", 1), ("", 1)]
    outcome = play.review(change, "m", {"Verified": -1}, comments=[{"file": file, "line": line, "message": f"at {line}"} for file, line in places])
    assert outcome["voted"] and outcome["comments_left_out"] == 5
    assert sorted(one["message"] for one in play.gerrit.comments(change)["lib/a.c"]) == ["at 0", "at 1", "at 999"]


def test_the_same_comment_twice_is_stored_once(play):
    change, _ = play.push({"lib/a.c": "int a;\n"})
    for _ in range(2):
        play.review(change, "m", comments=[{"file": "lib/a.c", "line": 1, "message": "same"}])
    assert len(play.gerrit.comments(change)["lib/a.c"]) == 1


def test_messages_over_gerrits_limit_arrive_cut(play):
    change, _ = play.push({"lib/a.c": "int a;\n"})
    outcome = play.review(change, "ü" * 20_000, {"Verified": 1}, comments=[{"file": "lib/a.c", "line": 1, "message": "x" * 20_000}])
    assert outcome["voted"]
    assert 7_900 < len(play.gerrit.messages(change, "ci")[0]) < 16_384
    assert 3_900 < len(play.gerrit.comments(change)["lib/a.c"][0]["message"]) <= 4_000


def test_a_change_full_of_comments_still_gets_its_verdict(play):
    change, _ = play.push({"lib/a.c": "int a;\n"})
    # Gerrit allows 3 MiB of comments (each 100 bytes larger than its text) and messages to a change; 15 KiB more is too much, 2 KiB is not.
    full = [{"line": 1, "message": f"{i:08}" + "x" * 15_992} for i in range(195)]
    play.gerrit.call("alice", "POST", f"/changes/{change}/revisions/current/review", {"comments": {"lib/a.c": full}})
    outcome = play.review(change, "Prow Status: 0 out of 1 pjs passed!\n" + "details\n" * 1_800 + "\nbowsprit-report: 1.2\n", {"Verified": -1})
    assert outcome["shortened"] and outcome["voted"], outcome
    (message,) = play.gerrit.messages(change, "ci")
    assert "Prow Status: 0 out of 1" in message and message.endswith("bowsprit-report: 1.2")


def test_reviews_at_the_same_time_all_arrive(play):
    change, _ = play.push()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda n: play.review(change, f"number {n}", {"Verified": 1}), range(4)))
    assert all(one.get("voted") for one in outcomes), outcomes
    assert len(play.gerrit.messages(change, "ci")) == 4


def test_an_error_has_gerrits_own_words_and_its_trace(play):
    text = play.call("change", change=999_999)["error"]["text"]
    assert "HTTP 404: Not found: 999999" in text
    _, headers, _ = play.gerrit.request("ci", "GET", "/changes/999999")
    assert ("(trace " in text) == ("X-Gerrit-Trace" in headers)  # 3.10 has none here


# --- events


class Listener:
    """The event stream under test; events arrive in a queue."""

    def __init__(self, gerrit, user="ci", key=None):
        self.events = queue.Queue()
        self.log = []
        self._process = subprocess.Popen([PROBE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._process.stdin.write(json.dumps({
            "call": "stream", "port": gerrit.ssh_port, "user": user, "key": str(key or gerrit.ssh_key), "known_hosts": str(gerrit.known_hosts)}))
        self._process.stdin.close()
        threading.Thread(target=lambda: [self.events.put(json.loads(line)) for line in self._process.stdout], daemon=True).start()
        threading.Thread(target=lambda: [self.log.append(line) for line in self._process.stderr], daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def next(self, kind, within=60):
        """The next event of this type, others dropped."""
        end = time.monotonic() + within
        while True:
            event = self.events.get(timeout=max(0.01, end - time.monotonic()))
            if event["type"] == kind:
                return event


def test_events_arrive_with_the_end_of_the_push(play, record_property):
    delays = []
    with Listener(play.gerrit) as listener:
        listener.next("")
        for _ in range(5):
            change, _ = play.push()
            pushed = time.time()
            event = listener.next("patchset-created")
            assert (event["project"], event["change"]) == (play.project, change)
            assert event["ref"] == f"refs/changes/{change % 100:02}/{change}/1"
            delays.append((event["at"] - pushed) * 1000)
            assert play.call("change", change=change)["number"] == change, "whoever is woken finds it"
        play.gerrit.comment("alice", change, "/retest")
        assert listener.next("comment-added")["change"] == change
    text = f"patchset-created after the end of the push, 5 pushes: median {statistics.median(delays):.0f} ms, latest {max(delays):.0f} ms"
    record_property("latency", text)
    print(f"Gerrit {play.gerrit.version}: {text}")
    assert max(delays) < 2_000


def test_an_account_without_the_right_is_told_what_is_missing(play, tmp_path):
    key = tmp_path / "id_bob"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    play.gerrit.call("bob", "POST", "/accounts/self/sshkeys", key.with_suffix(".pub").read_bytes())
    with Listener(play.gerrit, "bob", key) as listener:
        wait_for(lambda: any("Stream Events" in line for line in listener.log), "the hint in the log", 60)
        assert sum("not permitted" in line for line in listener.log) == 1


def test_the_stream_comes_back_after_gerrit_was_down(play):
    with Listener(play.gerrit) as listener:
        listener.next("")
        play.gerrit.stop()
        assert error_kind(play.call("self")) == "unavailable"
        play.gerrit.start()
        listener.next("", within=120)  # a wake for what was missed
        change, _ = play.push()
        assert listener.next("patchset-created")["change"] == change


@pytest.fixture
def stage(play):
    """A folder with a job file that wants the word `good` in lib/a.c, and what every command needs to reach this Gerrit."""
    folder = stage_folder("versions")
    jobs = folder / "jobs.yaml"
    job = "  - {name: check, always_run: true, decorate: true, spec: {containers: [{image: kunit, command: [sh, -c, 'grep -q good lib/a.c']}]}}\n"
    jobs.write_text(f"presubmits:\n  {play.gerrit.url}/{play.project}:\n{job}")
    (folder / "password").write_text(PASSWORDS["ci"])
    yield folder
    shutil.rmtree(folder)


def test_the_server_judges_votes_and_reports_on_each_version(play, stage):
    server = Server(program(), stage / "server", play.gerrit.url, play.project, "ci", PASSWORDS["ci"], ssh=play.gerrit.ssh,
                    ssh_key=play.gerrit.ssh_key, known_hosts=play.gerrit.known_hosts)
    try:
        server.start("--prow", stage / "jobs.yaml")
        for text, vote in (("int good;\n", 1), ("int bad;\n", -1)):
            change, _ = play.push({"lib/a.c": text})
            wait_for(lambda: play.gerrit.messages(change, "ci"), f"a report on change {change} (server's log: {server.log})", 120)
            assert play.gerrit.votes(change) == {"ci": vote}, server.log_tail()
    finally:
        server.stop()


def test_presubmit_judges_one_change_and_reports_only_when_asked(play, stage):
    def presubmit(change, *options):
        return subprocess.run([program(), "presubmit", str(change), "--gerrit", play.gerrit.url, "--repo", play.project, "--user", "ci", "--password-file",
                               stage / "password", "--state", stage / "state", "--prow", stage / "jobs.yaml", "--format", "json", *options],
                              capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)

    good, _ = play.push({"lib/a.c": "int good;\n"})
    bad, _ = play.push({"lib/a.c": "int bad;\n"})
    judged = presubmit(good)
    assert judged.returncode == 0, judged.stderr
    assert json.loads(judged.stdout), judged.stdout
    assert play.gerrit.messages(good, "ci") == [] and play.gerrit.votes(good) == {}
    judged = presubmit(bad, "--report")
    assert judged.returncode == 1, judged.stderr
    assert len(play.gerrit.messages(bad, "ci")) == 1 and play.gerrit.votes(bad) == {"ci": -1}
    assert presubmit(999_999).returncode in (2, 3)
