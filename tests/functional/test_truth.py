# SPDX-License-Identifier: Apache-2.0
"""A few of the changes of `./dev truth`, one of each kind; that one judges them all."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.seeds import all_seeds, judge  # noqa: E402

FEW = ["one-parameter", "source-deleted", "case-not-listed", "suite-not-registered", "panic-after-the-tests", "warning-in-a-passing-case", "new-beside-old", "moved-case",
       "speaks-of-panic", "old-failure"]


@pytest.mark.parametrize("seed", [seed for seed in all_seeds() if seed.name in FEW], ids=lambda seed: seed.name)
def test_a_seeded_change_gets_the_verdict_that_it_must(tree, seed):
    said, result, _ = judge(tree, seed)
    assert said.kind == "hit", f"{said.kind}: {said.text}\n{result['summary']}"
