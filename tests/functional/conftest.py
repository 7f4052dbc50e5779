# SPDX-License-Identifier: Apache-2.0
"""One real Gerrit, one state folder of the server for all tests: the first verdict waits for the warm tree, the rest take seconds.

BOWSPRIT_STAGE=FOLDER keeps that folder, and takes it up again the next time, warm tree and all."""
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.stage import Stage, stage_folder  # noqa: E402
from support.tree import make_warm_tree  # noqa: E402


@pytest.fixture(scope="session")
def session_stage():
    kept = os.environ.get("BOWSPRIT_STAGE")
    folder = pathlib.Path(kept) if kept else stage_folder("tests")
    with Stage(folder, relayed=True) as stage:
        yield stage
    if not kept and not pytest.failed_here:
        shutil.rmtree(folder, ignore_errors=True)  # a warm tree is gigabytes


@pytest.fixture
def stage(session_stage):
    """The stage with the server started as a newcomer would: no file at all."""
    session_stage.start_server()
    return session_stage


@pytest.fixture(scope="session")
def warm_tree():
    return make_warm_tree()


@pytest.fixture
def tree(warm_tree):
    yield warm_tree
    assert warm_tree.processes() == [], "a run left processes behind"


pytest.failed_here = False


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test prints the end of the server's log, and keeps the folder."""
    report = (yield).get_result()
    if report.failed:
        pytest.failed_here = True
        stage = item.funcargs.get("session_stage")
        if stage is not None:
            report.sections.append((f"end of {stage.server.log}", stage.server.log_tail(60)))
