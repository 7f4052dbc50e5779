#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demonstration behind `./dev demo`: a real Gerrit with a real kernel, `bowsprit serve` watching it, one good change and one with a broken
expectation, and what the authors get to read a little later."""
import argparse
import html
import pathlib
import re
import shutil
import signal
import sys
import time

from support.gerrit import PASSWORDS
from support.kernel import EXAMPLE_TEST, with_test
from support.stage import PATIENCE, PROJECT, Stage, stage_folder
from support.wait import wait_for

CHANGES = [
    ("kunit: check that one and one is two", "\tKUNIT_EXPECT_EQ(test, 1 + 1, 2);"),
    ("kunit: check that one and one is three", "\tKUNIT_EXPECT_EQ(test, 1 + 1, 3);"),
]
BOLD, GREEN, RED, DIM, PLAIN = ("\033[1m", "\033[32m", "\033[31m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("",) * 5


class Steps:
    """Says what is going on, with the seconds since the start."""

    def __init__(self):
        self._began = time.monotonic()

    def say(self, text):
        print(f"{DIM}{time.monotonic() - self._began:6.1f} s{PLAIN}  {text}", flush=True)


def push_changes(stage):
    pushed = []
    for subject, body in CHANGES:
        text, _ = with_test(stage.author.read(EXAMPLE_TEST), body)
        pushed.append((stage.push({EXAMPLE_TEST: text}, subject), subject))
    return pushed


def wait_for_report(stage, steps, change, last):
    """The report; says each new phase of the change's run meanwhile."""
    def look():
        for run in stage.runs_of(change)[:1]:
            now = (change, run["state"], run.get("phase", ""))
            if now != last.get(change):
                last[change] = now
                note = " (the whole kernel, once; later changes take seconds)" if run.get("phase") == "warm" else ""
                steps.say(f"change {change}: {run['state']}{', ' + run['phase'] if run.get('phase') and run['state'] == 'pending' else ''}{note}")
        return stage.reports_of(change)
    return wait_for(look, f"a report on change {change}", PATIENCE)[0]


def show(change, subject, vote, report, address):
    colour = GREEN if vote > 0 else RED
    print(f"\n{BOLD}Change {change}: {subject}{PLAIN}   {colour}{BOLD}Verified {vote:+d}{PLAIN}\n{DIM}{address}{PLAIN}\n")
    print("\n".join(f"    {line}".rstrip() for line in report.splitlines()))


def picture(file, shown):
    """The changes and their comments as an SVG, as one would see them side by side in a review."""
    rows = []
    for change, subject, vote, report in shown:
        rows.append(("head", f"Change {change}   {subject}", vote))
        text = re.sub(r"\(http://127[^)]*\)", "", report.split("\n\nbowsprit-report:")[0])
        rows += [("text", line, 0) for line in text.splitlines() if not line.startswith("Patch Set")]
        rows.append(("gap", "", 0))
    rows.pop()
    width = 16 + 7.6 * max(len(text) + (14 if kind == "head" else 2) for kind, text, _ in rows)
    out, y = [], 14
    for kind, text, vote in rows:
        y += 20 if text else 10
        if kind == "head":
            colour = "#1a7f37" if vote > 0 else "#cf222e"
            out.append(f'<text x="16" y="{y}" font-weight="bold">{html.escape(text)}</text>'
                       f'<rect x="{width - 112:.0f}" y="{y - 15}" width="96" height="20" rx="10" fill="{colour}"/>'
                       f'<text x="{width - 64:.0f}" y="{y - 1}" fill="#fff" text-anchor="middle">Verified {vote:+d}</text>')
            y += 6
        elif text:
            out.append(f'<text x="24" y="{y}" fill="#444" xml:space="preserve">{html.escape(text)}</text>')
    pathlib.Path(file).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{y + 16}" font-family="ui-monospace, monospace" font-size="12.5">'
        f'<rect width="100%" height="100%" rx="8" fill="#fafafa" stroke="#d0d7de"/>\n' + "\n".join(out) + "\n</svg>\n")


def stay(stage):
    print(f"""
It keeps running; end it with Ctrl-C.
  Gerrit       {stage.gerrit.url}   (REST and git; this build of it has no web pages)
  bowsprit     {stage.server.url}
  accounts     alice:{PASSWORDS['alice']}   admin:{PASSWORDS['admin']}
  your change  git clone {stage.url('alice')}   then commit, git push origin HEAD:refs/for/master
  files        {stage.folder}""")
    signal.pause()


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave it all running, to play with")
    parser.add_argument("--picture", metavar="FILE", help="also draw the result as an SVG")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    steps = Steps()
    folder = stage_folder("demo")
    try:
        steps.say("booting a real Gerrit, with Debian's kernel source as its project")
        with Stage(folder) as stage:
            steps.say(f"Gerrit: {stage.gerrit.url}   project {PROJECT}")
            stage.start_server()
            steps.say(f"bowsprit serve: {stage.server.url}")
            pushed = push_changes(stage)
            steps.say(f"alice pushed changes {' and '.join(str(number) for number, _ in pushed)} for review")
            shown, last = [], {}
            for change, subject in pushed:
                report = wait_for_report(stage, steps, change, last)
                shown.append((change, subject, stage.vote_of(change), report))
            for change, subject, vote, report in shown:
                run = stage.runs_of(change)[0]
                show(change, subject, vote, report, f"{stage.gerrit.url}/c/{PROJECT}/+/{change}   {stage.server.url}/run/{run['id']}")
            if arguments.picture:
                picture(arguments.picture, shown)
            true = [vote for _, _, vote, _ in shown] == [1, -1]
            print(f"\n{BOLD}{'Both verdicts are true.' if true else 'These are not the verdicts that should be here.'}{PLAIN}", flush=True)
            if arguments.keep:
                stay(stage)
            return 0 if true else 1
    except KeyboardInterrupt:
        return 130
    except Exception:
        log = folder / "server/serve.log"
        if log.exists():
            print("\n".join(log.read_text(errors="replace").splitlines()[-30:]), file=sys.stderr)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
