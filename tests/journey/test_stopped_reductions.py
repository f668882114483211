"""A reduction that is stopped or killed while its workers write: nothing of it is half there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hsc import settings
from hsc.client import make_query
from hsc.errors import StoreUnavailableError, StoreUnwritableError
from hsc.jobs import collect, open_catalog, reduce
from hsc.jobs.derived import Derived, DerivedPlace
from hsc.jobs.inputs import LocatedInputs, locate_inputs
from hsc.jobs.reducing import begin, register, write_derived
from hsc.provenance import recorded
from hsc.reductions import Outputs, find_reduction
from hsc.store import NewTree, Stream, StreamedArray
from hsc.testing.reductions import EXAMPLES
from hsc.workers import Silent, ThreadWorkers

pytestmark = pytest.mark.skipif(os.name != "posix", reason="stops as POSIX has it")
FRAMES = StreamedArray("/frames", (12, 3), np.dtype("u2"), ("frame", "x"), chunks=(2, 3))


@dataclass(frozen=True)
class Numbered:
    """Makes rows, and at one of them something else."""

    at: int
    action: object

    def __call__(self, start, stop):
        if start == self.at and self.action is not None:
            self.action()
        rows = np.arange(start, stop, dtype="u2")
        return {"/frames": np.repeat(rows[:, None], 3, axis=1)}, None


def outputs(action=None, at=6):
    stream = Stream("number", (FRAMES,), Numbered(at, action), rows_per_block=2)
    return Outputs(NewTree(), {}, {}, "numbered", streams=(stream,))


@pytest.fixture
def inputs(tmp_path) -> LocatedInputs:
    folder = tmp_path / "raw"
    folder.mkdir()
    request = EXAMPLES["azimuthal"](folder)
    with open_catalog() as catalog:
        return locate_inputs(request, find_reduction(request.name), catalog)


def write(inputs, made, count=1):
    place, workers = DerivedPlace(inputs, settings.store_url()), ThreadWorkers(count)
    derived = Derived("numbered", place, made)
    with open_catalog() as catalog, recorded(catalog, "reduce", {"name": "numbered"}) as activity:
        activity.note(used=tuple(pid for _, pid in inputs.named))
        begin(place, activity, workers)
        write_derived(derived, activity, workers, Silent())
        return register(derived, catalog, activity)


def what_is_there(tmp_path: Path):
    with open_catalog() as catalog:
        known = catalog.search(make_query("", (), 9, None, {})).total
        states = [each.state.value for each in catalog.activities(limit=9) if each.type == "reduce"]
    store = tmp_path / "store"
    keys = {p for p in store.rglob("*") if p.is_file() and ".attempts" not in p.parts}
    return known, states, keys


def interrupt():
    # The main thread, which waits for the workers, is told as by Ctrl-C.
    signal.raise_signal(signal.SIGINT)


def fail():
    raise ValueError("no such frame")


@pytest.mark.parametrize("count", [1, 3])
def test_ctrl_c_leaves_nothing_registered_and_nothing_written(inputs, tmp_path, count):
    before = what_is_there(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write(inputs, outputs(interrupt), count)
    known, states, keys = what_is_there(tmp_path)
    assert (known, keys) == (before[0], before[2])
    assert states == ["failed"]
    assert not collect(settings.store_url()).remains


def test_a_block_that_fails_leaves_nothing_written(inputs, tmp_path):
    before = what_is_there(tmp_path)
    with pytest.raises(ValueError, match="no such frame"):
        write(inputs, outputs(fail), 2)
    assert what_is_there(tmp_path)[2] == before[2]


def test_a_store_that_went_away_is_not_waited_for_again_and_gc_clears_up_later(inputs):
    def vanish():
        raise StoreUnavailableError("no answer", where=f"{settings.store_url()}/local/x")

    with pytest.raises(StoreUnavailableError):
        write(inputs, outputs(vanish), 2)
    (found,) = collect(settings.store_url(), remove=True).remains
    assert (found.kind, found.committed) == ("reduce", False)
    assert not collect(settings.store_url()).remains


class Steps:
    """Runs steps as plain calls and keeps their names."""

    runner, flow_run_id = "process", None

    def __init__(self):
        self.names = []

    def __call__(self, name, function, /, *args, **kwargs):
        self.names.append(name)
        return function(*args, **kwargs)


def test_a_store_that_takes_nothing_is_told_before_anything_is_reduced(tmp_path, monkeypatch):
    folder, steps = tmp_path / "raw", Steps()
    folder.mkdir()
    request = EXAMPLES["azimuthal"](folder)
    # A file where a folder is wanted refuses everybody, root among them: the whole store, then
    # the facility's folder in a store whose log takes a line.
    for name in ("shut", "other/local"):
        way = tmp_path / name
        way.parent.mkdir(exist_ok=True)
        way.write_text("in the way", encoding="utf-8")
        monkeypatch.setenv("HSC_STORE", (tmp_path / name.partition("/")[0]).as_uri())
        with pytest.raises(StoreUnwritableError, match="takes no writes"):
            reduce(request, stage=steps)
    assert steps.names == []


def test_a_process_killed_between_its_shards_leaves_what_gc_finds(hsc, monkeypatch):
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    request = EXAMPLES["statistics"](hsc.home)
    before = hsc.objects()
    point = ("after", "put", "*/time_bins/*/c/0/*")
    hsc.killed(point, "reduce", "statistics", request.inputs[0][1], "-p", "bin_frames=2")
    assert len(hsc.objects()) > len(before)
    (failed,) = hsc.json("activities", "--failed")["activities"]
    assert (failed["type"], failed["failure"]["error"]) == ("reduce", "ProcessDied")
    assert hsc.json("search", "--kind", "derived")["total"] == 0
    (found,) = hsc.json("gc", "--remove")["remains"]
    assert (found["kind"], found["committed"]) == ("reduce", False)
    assert hsc.objects() == before


def test_the_same_without_accident_is_registered(inputs, tmp_path):
    dataset = write(inputs, outputs(), 2)
    assert [each.path for each in dataset.arrays] == ["/frames"]
    assert what_is_there(tmp_path)[1] == ["done"]
    assert not collect(settings.store_url()).remains


def test_ctrl_c_says_that_the_same_command_begins_anew(hsc, monkeypatch):
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    request = EXAMPLES["statistics"](hsc.home)
    before = hsc.objects()
    point = ("after", "put", "*/time_bins/*/c/0/*")
    told = hsc.stopped(point, "reduce", "statistics", request.inputs[0][1], "-p", "bin_frames=2")
    assert told.document == {
        "error": "KeyboardInterrupt", "message": "stopped; the same command begins anew",
    }  # fmt: skip
    assert "Traceback" not in told.stderr
    assert hsc.objects() == before
    (failed,) = hsc.json("activities", "--failed")["activities"]
    assert failed["failure"]["error"] == "KeyboardInterrupt"


_STILLBORN = """
import multiprocessing.spawn, sys
multiprocessing.spawn.set_executable(sys.argv[1])
from hsc.cli.main import main
sys.argv = ["hsc", *sys.argv[2:]]
main()
"""


def test_workers_that_do_not_start_are_told_with_what_to_do(hsc, monkeypatch, tmp_path):
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    request = EXAMPLES["azimuthal"](hsc.home)
    # A Python that starts what looks after semaphores, and no worker: as where memory is gone.
    python = tmp_path / "python"
    started = f'case "$*" in *resource_tracker*) exec {sys.executable} "$@";; esac; exit 1'
    python.write_text(f"#!/bin/sh\n{started}\n", encoding="utf-8")
    python.chmod(0o755)
    words = ["reduce", "azimuthal", str(request.inputs[0][1]), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", _STILLBORN, str(python), *words],
        env=hsc.environment({"HSC_DASK": "processes"}),
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["error"] == "WorkersLostError"
    assert told["message"].startswith("the workers did not start: ")
    assert (told["where"], "HSC_DASK=threads" in told["next"]) == ("HSC_DASK=processes", True)
