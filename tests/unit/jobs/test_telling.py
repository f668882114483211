"""Activities that died without a word are told as failed; those of another container are not."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from ulid import ULID

from hsc.jobs.telling import open_catalog
from hsc.model import Activity, ActivityState, now
from hsc.provenance import environment


@pytest.mark.parametrize(
    ("there", "state"),
    [
        ({}, ActivityState.FAILED),
        ({"process_space": "another container of this name"}, ActivityState.RUNNING),
        ({"host": "another machine"}, ActivityState.RUNNING),
        ({"process": os.getppid()}, ActivityState.RUNNING),
    ],
    ids=str,
)
def test_only_what_died_here_is_told_as_failed(there: dict[str, Any], state: ActivityState) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    facts = environment().model_copy(update={"process": dead.pid, **there})
    activity = Activity(
        id=str(ULID()),
        type="ingest",
        state=ActivityState.RUNNING,
        started=now(),
        environment=facts,
    )
    with open_catalog() as catalog:
        catalog.record(activity)
    with open_catalog() as catalog:
        (found,) = catalog.activities()
    assert found.state is state
