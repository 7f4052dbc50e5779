#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`./dev truth`: changes to the real kernel whose verdict is known (support/seeds.py), judged by bowsprit and, on the same builds, by kunit.py.

    tests/truth.py [NAME...]     only these seeds; without names all, and then docs/verdict-truth.md is written

Ends with 1 where bowsprit lets a faulty change pass or blames a harmless one or an innocent test."""
import subprocess
import sys

from support.kernel import ROOT
from support.seeds import all_seeds, judge
from support.tree import make_warm_tree

PAGE = ROOT / "docs/verdict-truth.md"


def kunit_py(tree, result):
    """What `kunit.py run` would have said: it sees the same kernel, booted by itself; where there is none it fails as make did."""
    if result["verdict"] in ("build_error", "config_error"):
        return "red"
    command = ["timeout", "-k", "5", "40", sys.executable, "tools/testing/kunit/kunit.py", "exec", f"--build_dir={tree.build}", "--timeout", "15"]
    done = subprocess.run(command, cwd=tree.path, capture_output=True, stdin=subprocess.DEVNULL)
    return {0: "green", 1: "red"}.get(done.returncode, "does not end")


def page(rows, seeds):
    kinds = [row[1].kind for row in rows]
    harmful = sum(not seed.harmless for seed in seeds)
    their_greens = sum(row[3] != "red" for row, seed in zip(rows, seeds) if not seed.harmless)
    their_blames = sum(row[3] != "green" for row, seed in zip(rows, seeds) if seed.harmless)
    out = ["# What the verdict is worth", "",
           "Made by `./dev truth`: changes to the real kernel whose right verdict is known (`tests/support/seeds.py`), judged by `bowsprit run --base` and,",
           "on the same builds, by the tree's own `kunit.py`.", "",
           "| | bowsprit | kunit.py |", "|---|---|---|",
           f"| {harmful} faulty changes: passed | {kinds.count('false green')} | {their_greens} |",
           f"| {len(seeds) - harmful} harmless changes: failed, or an innocent test blamed | {kinds.count('false blame')} | {their_blames} |",
           f"| right fault, another verdict or a test not named | {kinds.count('another verdict')} | |", "",
           "A faulty change that makes `kunit.py` never end counts as passed by nobody; it is \"does not end\" below and among its passed ones above.", "",
           "| change | must be | bowsprit | kunit.py | s |", "|---|---|---|---|---|"]
    for (result, said, seconds, colour), seed in zip(rows, seeds):
        verdict = result["verdict"] + (f" (**{said.kind}**: {said.text})" if said.kind != "hit" else "")
        out.append(f"| {seed.name} | {' or '.join(seed.verdicts)} | {verdict} | {colour} | {seconds:.1f} |")
    return "\n".join(out) + "\n"


def main(names):
    seeds = [seed for seed in all_seeds() if not names or seed.name in names]
    unknown = set(names) - {seed.name for seed in seeds}
    if unknown:
        sys.exit(f"truth: no seed {', '.join(sorted(unknown))}; see tests/support/seeds.py")
    tree = make_warm_tree()
    rows = []
    for seed in seeds:
        colours = []
        said, result, seconds = judge(tree, seed, lambda result: colours.append(kunit_py(tree, result)))
        colour = colours[0]
        rows.append((result, said, seconds, colour))
        print(f"{said.kind:15} {seed.name:34} {result['verdict']:16} kunit.py: {colour:13} {seconds:5.1f} s  {said.text}", flush=True)
    kinds = [row[1].kind for row in rows]
    print(f"{len(rows)} seeds: " + ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("hit", "false green", "false blame", "another verdict")))
    if not names:
        PAGE.write_text(page(rows, seeds))
    sys.exit(1 if "false green" in kinds or "false blame" in kinds else 0)


main(sys.argv[1:])
