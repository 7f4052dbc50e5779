#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The measurements behind `./dev bench`: how long an author waits, beside the least that the machine needs for the same change.

Each round pushes one change of one file (a new test) and takes, in the same minutes on the same machine: the bare `make` and boot of that change in
an ordinary build folder; the time from the end of the push to the run's start, and to the vote, as Gerrit's own event stream shows it.
--full adds what an author has without bowsprit (a fresh clone and a cold kunit.py run), and the clean release build of bowsprit itself."""
import argparse
import json
import os
import pathlib
import queue
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from datetime import datetime

from support.kernel import EXAMPLE_TEST, ROOT, kernel_repository, with_test
from support.stage import PATIENCE, PROJECT, Stage, stage_folder

RESULTS = ROOT / "build/bench.json"
JOBS = len(os.sched_getaffinity(0))
BOOT = ["mem=1G", "console=tty", "con=null", "con0=fd:0,fd:1", "kunit.enable=1", "kunit_shutdown=halt"]


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def timed(*words, **how):
    """Seconds that a command takes; its output goes nowhere. @raises on failure"""
    began = time.monotonic()
    subprocess.run([str(word) for word in words], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    return time.monotonic() - began


class Bare:
    """An ordinary tree with an ordinary build folder: the least that a change can cost here."""

    def __init__(self, repository, folder):
        self.tree, self._build = folder / "tree", folder / "build"
        subprocess.run(["git", "clone", "-q", "--shared", str(repository), str(self.tree)], check=True)
        self._build.mkdir()
        shutil.copy(self.tree / "kunitconfig", self._build / ".config")
        self._make("olddefconfig")
        self.cold = self._make()

    def _make(self, *words):
        return timed("make", "-C", self.tree, "ARCH=um", f"O={self._build}", f"-j{JOBS}", *words)

    def judge(self, text):
        """Seconds of make and of boot for this text of the example test."""
        (self.tree / EXAMPLE_TEST).write_text(text)
        build = self._make()
        console = self._build / "console.log"
        began = time.monotonic()
        with open(console, "wb") as out:  # a file: UML loses lines on a pipe that is full
            subprocess.run([self._build / "linux", *BOOT], check=False, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        boot = time.monotonic() - began
        if "# Totals:" not in console.read_text(errors="replace"):
            raise RuntimeError(f"the bare kernel ran no tests: {console}")
        return build, boot


class Events:
    """Gerrit's event stream, each event with the time of its arrival."""

    def __init__(self, gerrit):
        host, port = gerrit.ssh.rsplit(":", 1)
        self._ssh = subprocess.Popen(["ssh", "-p", port, "-i", str(gerrit.ssh_key), "-o", f"UserKnownHostsFile={gerrit.known_hosts}", "-o", "BatchMode=yes",
                                      host, "gerrit", "stream-events", "-s", "comment-added"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self._queue = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._ssh.stdout:
            self._queue.put((time.time(), json.loads(line)))

    def vote_on(self, change, user="ci"):
        """When the vote arrived, and its value."""
        end = time.monotonic() + PATIENCE
        while True:
            arrived, event = self._queue.get(timeout=max(0.1, end - time.monotonic()))
            if event["change"]["number"] == change and event["author"].get("username") == user:
                return arrived, next((int(one["value"]) for one in event.get("approvals", []) if one["type"] == "Verified"), 0)

    def close(self):
        self._ssh.kill()
        self._ssh.wait()


def seconds_of(stamp):
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def one_round(stage, bare, events, number):
    text, _ = with_test(stage.author.read(EXAMPLE_TEST), f"\tKUNIT_EXPECT_EQ(test, {number}, {number});")
    build, boot = bare.judge(text)
    change = stage.push({EXAMPLE_TEST: text}, f"kunit: benchmark {number}")
    pushed = time.time()
    voted, vote = events.vote_on(change)
    if vote != 1:
        raise RuntimeError(f"change {change} got {vote:+d}:\n{stage.reports_of(change)}")
    run = stage.runs_of(change)[0]
    return {"bare_make": build, "bare_boot": boot, "bare": build + boot, "push_to_start": seconds_of(run["started"]) - pushed,
            "push_to_vote": voted - pushed}


def without_bowsprit(stage, folder):
    """A fresh clone from Gerrit and a cold run of the kernel's own tool."""
    tree = folder / "fresh"
    clone = timed("git", "clone", "-q", stage.url("alice"), tree)
    run = timed("tools/testing/kunit/kunit.py", "run", "--kunitconfig", "kunitconfig", "--jobs", JOBS, cwd=tree)
    return {"clone": clone, "cold_kunit_py": run}


def own_build(folder):
    """A clean release build of bowsprit without ccache, and a rebuild after an edit of one file."""
    build, env = folder / "release", {**os.environ, "CCACHE_DISABLE": "1"}
    subprocess.run(["cmake", "--preset", "release", "-B", str(build)], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
    clean = timed("cmake", "--build", build, "-j", JOBS, env=env)
    (ROOT / "src/report/report.cpp").touch()
    return {"clean_release_build": clean, "rebuild_after_one_edit": timed("cmake", "--build", build, "-j", JOBS, env=env)}


def reader_speed(folder):
    """MB/s of bowsprit's console reader and of the kernel's kunit_parser.py, on the same text; each on one core, in processor time."""
    bench = pathlib.Path(os.environ["BOWSPRIT"]).parent / "bench/ktap_bench"
    kunit = ROOT / "tests/support/kunit_parser_bench.py"
    tools = folder / "tools"
    tools.mkdir(parents=True)
    packed = subprocess.run(["git", "-C", str(kernel_repository()), "archive", "HEAD", "tools/testing/kunit"], check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", str(tools)], input=packed.stdout, check=True)
    subprocess.run([str(bench), "2", str(folder)], check=True, stdout=subprocess.DEVNULL)  # one document, which is all that it reads
    speed = json.loads(subprocess.run([str(bench), "100"], check=True, capture_output=True).stdout)["speed"]
    rows = {}
    for shape, ours in speed.items():
        theirs = subprocess.run([sys.executable, str(kunit), str(tools / "tools/testing/kunit"), str(folder / f"{shape}.ktap")], check=True,
                                capture_output=True, text=True)
        rows[shape] = {"bowsprit": ours, "kunit_parser": float(theirs.stdout)}
    return rows


def print_reader(rows):
    print("\nconsole reader, MB/s on one core" + " " * 10 + "bowsprit   kunit_parser.py   goal: 300")
    for shape, speed in rows.items():
        print(f"  {shape:<38}{speed['bowsprit']:>8}{speed['kunit_parser']:>15.2f}")


def print_table(result):
    median = result["median"]
    rows = [
        ("push to started job", median["push_to_start"], "goal: 0.5 s"),
        ("push to vote, one file, warm", median["push_to_vote"], f"{result['ratio']:.2f} times bare; goal: 1.5"),
        ("  bare make of the same change", median["bare_make"], ""),
        ("  bare boot of the same change", median["bare_boot"], ""),
        ("bare cold make", result["bare_cold_make"], ""),
    ]
    names = {"clone": "fresh git clone", "cold_kunit_py": "cold kunit.py run", "clean_release_build": "clean release build of bowsprit",
             "rebuild_after_one_edit": "its rebuild after one edit"}
    goals = {"clean_release_build": "goal: 360 s", "rebuild_after_one_edit": "goal: 15 s"}
    rows += [(names[key], value, goals.get(key, "")) for key, value in result.get("full", {}).items()]
    print(f"\n{result['rounds']} rounds, {JOBS} processors; median seconds")
    for name, value, note in rows:
        print(f"  {name:<34}{value:>9.2f} s   {note}".rstrip())


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reader", action="store_true", help="only the console reader, beside the kernel's own (a minute)")
    parser.add_argument("--full", action="store_true", help="also a fresh clone, a cold kunit.py run, and bowsprit's own build (minutes)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    folder = stage_folder("bench")
    if arguments.reader:
        try:
            print_reader(reader_speed(folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    result = {"schema": "bowsprit/bench/1", "when": datetime.now().astimezone().isoformat(timespec="seconds"), "processors": JOBS, "rounds": arguments.rounds}
    events = None
    try:
        say("the console reader")
        result["reader"] = reader_speed(folder / "reader")
        with Stage(folder) as stage:
            say("the bare build, cold")
            bare = Bare(stage.gerrit.repository(PROJECT), folder)
            result["bare_cold_make"] = bare.cold
            events = Events(stage.gerrit)
            stage.start_server()
            say("the server's warm tree: one change, cold")
            one_round(stage, bare, events, 1000)
            rounds = []
            for number in range(arguments.rounds):
                rounds.append(one_round(stage, bare, events, number))
                say("  ".join(f"{key} {value:.2f}" for key, value in rounds[-1].items()))
            result["all"] = rounds
            result["median"] = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
            result["ratio"] = result["median"]["push_to_vote"] / result["median"]["bare"]
            if arguments.full:
                stage.server.stop()
                say("a fresh clone, a cold kunit.py run, a clean release build")
                result["full"] = without_bowsprit(stage, folder) | own_build(folder)
        print_table(result)
        print_reader(result["reader"])
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(result, indent=2) + "\n")
        print(f"  all numbers: {RESULTS.relative_to(ROOT)}")
    finally:
        if events:
            events.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
