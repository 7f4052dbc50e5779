#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The measurements behind `./dev bench`: how long an author waits, beside the least that the machine needs for the same change.

Each round pushes one change and takes, in the same minutes on the same machine: the bare `make` and boot of that change in an ordinary build
folder; the time from the end of the push to the run's start, and to the vote, as Gerrit's own event stream shows it.
Every row has its goal; one that this cannot measure says so. The table goes to stdout and docs/performance.md, all numbers to build/bench.json.
--full adds what an author has without bowsprit (a fresh clone, a merge and a cold kunit.py run), and the clean release build of bowsprit itself."""
import argparse
import json
import os
import pathlib
import platform
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
from support.wait import wait_for

RESULTS = ROOT / "build/bench.json"
PAGE = ROOT / "docs/performance.md"
JOBS = len(os.sched_getaffinity(0))
BOOT = ["mem=1G", "console=tty", "con=null", "con0=fd:0,fd:1", "kunit.enable=1", "kunit_shutdown=halt"]
HEADER = "include/linux/seq_file.h"  # some 300 objects of the test kernel are made with it
AT_ONCE = 10
IDLE_SECONDS = 30


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def timed(*words, **how):
    """Seconds that a command takes; its output goes nowhere. @raises on failure"""
    began = time.monotonic()
    subprocess.run([str(word) for word in words], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    return time.monotonic() - began


class Bare:
    """An ordinary tree with an ordinary build folder: the least that a change can cost here by make."""

    def __init__(self, repository, folder):
        self.tree, self._build = folder / "tree", folder / "build"
        subprocess.run(["git", "clone", "-q", "--shared", str(repository), str(self.tree)], check=True)
        self._build.mkdir()
        shutil.copy(self.tree / "kunitconfig", self._build / ".config")
        self._make("olddefconfig")
        self.cold = self._make()

    def _make(self, *words):
        return timed("make", "-C", self.tree, "ARCH=um", f"O={self._build}", f"-j{JOBS}", *words)

    def judge(self, files):
        """Seconds of make and of boot with these files in the tree."""
        for path, text in files.items():
            (self.tree / path).write_text(text)
        build = self._make()
        console = self._build / "console.log"
        began = time.monotonic()
        with open(console, "wb") as out:  # a file: UML loses lines on a pipe that is full
            subprocess.run([self._build / "linux", *BOOT], check=False, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        boot = time.monotonic() - began
        if "# Totals:" not in console.read_text(errors="replace"):
            raise RuntimeError(f"the bare kernel ran no tests: {console}")
        return build, boot

    def back(self, stage, *paths):
        """These files as they are on the branch, built again, so that the next change is measured alone."""
        for path in paths:
            (self.tree / path).write_text(stage.author.read(path))
        self._make()


class Events:
    """Gerrit's event stream, each event with the time of its arrival."""

    def __init__(self, gerrit):
        host, port = gerrit.ssh.rsplit(":", 1)
        self._ssh = subprocess.Popen(["ssh", "-p", port, "-i", str(gerrit.ssh_key), "-o", f"UserKnownHostsFile={gerrit.known_hosts}", "-o", "BatchMode=yes",
                                      host, "gerrit", "stream-events", "-s", "comment-added"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self._queue = queue.Queue()
        self._votes = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._ssh.stdout:
            self._queue.put((time.time(), json.loads(line)))

    def vote_on(self, change, user="ci"):
        """When the vote arrived, and its value."""
        end = time.monotonic() + PATIENCE
        while change not in self._votes:
            arrived, event = self._queue.get(timeout=max(0.1, end - time.monotonic()))
            if event["author"].get("username") == user:
                value = next((int(one["value"]) for one in event.get("approvals", []) if one["type"] == "Verified"), 0)
                self._votes[event["change"]["number"]] = (arrived, value)
        return self._votes[change]

    def close(self):
        self._ssh.kill()
        self._ssh.wait()


def seconds_of(stamp):
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def source_seconds(stage, run):
    """The source step of a finished run."""
    result = json.loads(stage.server.get(f"/run/{run['id']}/artifacts/result.json"))
    return next(phase["seconds"] for phase in result["phases"] if phase["name"] == "source")


def push_and_wait(stage, events, files, subject):
    change = stage.push(files, subject)
    pushed = time.time()
    voted, vote = events.vote_on(change)
    if vote != 1:
        raise RuntimeError(f"change {change} got {vote:+d}:\n{stage.reports_of(change)}")
    run = stage.runs_of(change)[0]
    return {"push_to_start": seconds_of(run["started"]) - pushed, "push_to_vote": voted - pushed, "source": source_seconds(stage, run)}


def example_with(stage, number):
    return {EXAMPLE_TEST: with_test(stage.author.read(EXAMPLE_TEST), f"\tKUNIT_EXPECT_EQ(test, {number}, {number});")[0]}


def one_round(stage, bare, events, files, name):
    """The same change bare and by the server."""
    build, boot = bare.judge(files)
    numbers = push_and_wait(stage, events, files, f"kunit: benchmark {name}")
    return {"bare_make": build, "bare_boot": boot, "bare": build + boot, **numbers}


def rounds_of(count, one):
    rounds = []
    for number in range(count):
        rounds.append(one(number))
        say("  ".join(f"{key} {value:.2f}" for key, value in rounds[-1].items()))
    return {"all": rounds, "median": {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}}


def header_round(stage, bare, events, number):
    files = {HEADER: stage.author.read(HEADER) + f"\n/* benchmark {number} */\n#define SEQ_FILE_BENCHMARK {number}\n"}
    numbers = one_round(stage, bare, events, files, f"header {number}")
    bare.back(stage, HEADER)
    return numbers


def at_once(stage, bare, events):
    """Ten changes pushed together, beside the sum of their bare builds one after the other."""
    changes = [example_with(stage, 5000 + number) for number in range(AT_ONCE)]
    total_bare = sum(sum(bare.judge(files)) for files in changes)
    began = time.time()
    numbers = [stage.push(files, f"kunit: benchmark at once {index}") for index, files in enumerate(changes)]
    ended = max(events.vote_on(number)[0] for number in numbers)
    return {"total": ended - began, "bare_total": total_bare}


def idle(stage):
    """Part of one processor that the server takes when nothing happens, and its memory in MB."""
    pid = stage.server.pid
    wait_for(lambda: all(run["state"] not in ("triggered", "pending") for run in stage.server.get_json("/api/v1/runs")["runs"]), "the server to be idle", PATIENCE)

    def used():
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(IDLE_SECONDS)  # a part of a time needs that time
    status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status").read().splitlines())
    return {"processor": (used() - before) / IDLE_SECONDS, "memory_mb": int(status["VmRSS"].split()[0]) / 1024}


def without_bowsprit(stage, folder):
    """A fresh clone from Gerrit, a merge, and a cold run of the kernel's own tool."""
    tree = folder / "fresh"
    clone = timed("git", "clone", "-q", stage.url("alice"), tree)
    change = stage.push(example_with(stage, 9000), "kunit: benchmark cold")
    git = ("git", "-C", tree, "-c", "user.name=A", "-c", "user.email=a@example.com")
    fetch = timed(*git, "fetch", "-q", stage.url("alice"), f"refs/changes/{change % 100:02}/{change}/1")
    merge = fetch + timed(*git, "merge", "-q", "--no-ff", "--no-edit", "FETCH_HEAD")
    run = timed("tools/testing/kunit/kunit.py", "run", "--kunitconfig", "kunitconfig", "--jobs", JOBS, cwd=tree)
    return {"clone": clone, "merge": merge, "cold_kunit_py": run, "usual_way": clone + merge + run}


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


def queue_speed():
    """Milliseconds of a decision with 10,000 runs waiting."""
    bench = pathlib.Path(os.environ["BOWSPRIT"]).parent / "bench/queue_bench"
    return json.loads(subprocess.run([str(bench), "10000"], check=True, capture_output=True).stdout)


def reader_rows(speeds):
    out = []
    for shape, speed in speeds.items():
        out.append(row(f"console reader, {shape}", speed["bowsprit"], "MB/s", "≥ 300", speed["bowsprit"] >= 300))
        out.append(row(f"the kernel's kunit_parser.py, {shape}", speed["kunit_parser"], "MB/s", "", None))
    return out


def row(name, value, unit, goal, reached):
    """A row of the table; a value of None was not measured."""
    return {"name": name, "value": value, "unit": unit, "goal": goal, "reached": reached if value is not None else None}


def rows_of(result):
    """The table of the goals."""
    source, header, full = result["source"]["median"], result["header"]["median"], result.get("full", {})
    ratio = source["push_to_vote"] / source["bare"]
    header_ratio = header["push_to_vote"] / header["bare"]
    queue = result["queue"]
    docs, load, quiet = result["documentation"]["median"], result["at_once"], result["idle"]
    load_ratio = load["total"] / load["bare_total"]
    times = full["usual_way"] / source["push_to_vote"] if "usual_way" in full else None
    return [
        row("push to vote, one .c file changed, warm", source["push_to_vote"], "s", "", None),
        row("the same beside bare incremental make + boot", ratio, "times", "≤ 1.15; stretch ≤ 0.6", ratio <= 1.15),
        row("fresh clone + merge + cold kunit.py run beside it", times, "times", "≥ 30", times is not None and times >= 30),
        row("header that some 300 objects use, beside bare make + boot", header_ratio, "times", "≤ 1.1", header_ratio <= 1.1),
        row("nothing to build (documentation), push to vote", docs["push_to_vote"], "s", "≤ 2", docs["push_to_vote"] <= 2),
        row("push to started, with the event stream", source["push_to_start"], "s", "≤ 0.2", source["push_to_start"] <= 0.2),
        row(f"{AT_ONCE} changes pushed at once, beside the sum of their bare builds", load_ratio, "times", "≤ 1.1", load_ratio <= 1.1),
        row("source step from the mirror", source["source"], "s", "≤ 0.5", source["source"] <= 0.5),
        row("server idle, of one processor", quiet["processor"] * 100, "%", "< 0.5", quiet["processor"] < 0.005),
        row("server idle, memory", quiet["memory_mb"], "MB", "< 60", quiet["memory_mb"] < 60),
        row("10,000 queued runs: a decision, median", queue["median_ms"], "ms", "< 5", queue["median_ms"] < 5),
        row("10,000 queued runs: memory of who decides", queue["memory_mb"], "MB", "< 150", queue["memory_mb"] < 150),
        row("10,000 queued runs and 1,000 open changes of a simulated Gerrit: the server's memory", None, "MB", "< 150", None),
        row("bare make of the one .c file", source["bare_make"], "s", "", None),
        row("bare boot of it", source["bare_boot"], "s", "", None),
        row("bare cold make", result["bare_cold_make"], "s", "", None),
        row("fresh git clone", full.get("clone"), "s", "", None),
        row("cold kunit.py run", full.get("cold_kunit_py"), "s", "", None),
        row("clean release build of bowsprit", full.get("clean_release_build"), "s", "≤ 360", full.get("clean_release_build", 0) <= 360),
        row("its rebuild after one edit", full.get("rebuild_after_one_edit"), "s", "≤ 15", full.get("rebuild_after_one_edit", 0) <= 15),
    ]


def cells(one):
    value = "not measured" if one["value"] is None else f"{one['value']:.2f} {one['unit']}"
    return one["name"], value, one["goal"], {None: "", True: "yes", False: "no"}[one["reached"]]


def print_table(rows):
    print(f"\n{JOBS} processors; medians")
    for one in rows:
        name, value, goal, reached = cells(one)
        print(f"  {name:<66}{value:>14}   {goal}{'   reached: ' + reached if reached else ''}".rstrip())


def page_of(result):
    lines = ["# Performance", "", f"Made by `./dev bench{' --full' if 'full' in result else ''}` on {result['when'][:10]}, {result['machine']}: {JOBS} processors, "
             f"{result['rounds']} rounds, medians. A warm tree, a real Gerrit, the sandbox and the event stream are part of every figure of bowsprit.",
             "`bare` is `make` in an ordinary build folder and a boot of its kernel, in the same minutes.", "",
             "| measure | value | goal | reached |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(cells(one)) + " |" for one in result["rows"]]
    lines += ["", "Where a run's time goes is in its `timeline.json` (docs/result.md)."]
    return "\n".join(lines) + "\n"


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
            print_table(reader_rows(reader_speed(folder)))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    result = {"schema": "bowsprit/bench/2", "when": datetime.now().astimezone().isoformat(timespec="seconds"), "processors": JOBS,
              "machine": f"{platform.system()} {platform.release().split('-')[0]}", "rounds": arguments.rounds}
    events = None
    try:
        say("the console reader")
        result["reader"] = reader_speed(folder / "reader")
        result["queue"] = queue_speed()
        with Stage(folder) as stage:
            say("the bare build, cold")
            bare = Bare(stage.gerrit.repository(PROJECT), folder)
            result["bare_cold_make"] = bare.cold
            events = Events(stage.gerrit)
            stage.start_server()
            say("the server's warm tree: one change, cold")
            one_round(stage, bare, events, example_with(stage, 1000), "first")
            say("one .c file")
            result["source"] = rounds_of(arguments.rounds, lambda number: one_round(stage, bare, events, example_with(stage, number), number))
            bare.back(stage, EXAMPLE_TEST)
            say(f"a header: {HEADER}")
            result["header"] = rounds_of(min(arguments.rounds, 3), lambda number: header_round(stage, bare, events, number))
            say("documentation")
            result["documentation"] = rounds_of(arguments.rounds, lambda number: push_and_wait(
                stage, events, {f"Documentation/benchmark-{number}.rst": f"Benchmark {number}\n"}, f"docs: benchmark {number}"))
            say(f"{AT_ONCE} changes at once")
            result["at_once"] = at_once(stage, bare, events)
            say("an idle server")
            result["idle"] = idle(stage)
            if arguments.full:
                say("a fresh clone, a cold kunit.py run, a clean release build")
                stage.server.stop()
                result["full"] = without_bowsprit(stage, folder) | own_build(folder)
        result["rows"] = rows_of(result) + reader_rows(result["reader"])
        print_table(result["rows"])
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
        PAGE.write_text(page_of(result))
        print(f"  all numbers: {RESULTS.relative_to(ROOT)}; the page: {PAGE.relative_to(ROOT)}")
    finally:
        if events:
            events.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
