"""Makings: objects of equal ones have equal bytes, and every fact of an object counts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.ingestion import Plan, make_plan
from hsc.ingestion.known import NO_MAKINGS, Earlier
from hsc.ingestion.makings import asset_makings, shard_makings
from hsc.ingestion.shards import digest_shard
from hsc.ingestion.tasks import ShardTask, shard_tasks
from hsc.layouts import read_run
from hsc.store import SMALL_BYTES, ChunkTable, ObjectEntry
from hsc.transcode import Filter, Row

HOW = {
    "raw": {"chunks": (1, 40, 60)},
    "whole": {},
    "rewrapped": {"chunks": (1, 40, 60), **hdf5plugin.Bitshuffle(cname="lz4")},
    "recoded": {"chunks": (1, 40, 60), "compression": 1, "shuffle": True},
    "joined": {"chunks": (1, 4, 6), "compression": 1},
}


def _write(path: Path, seed: int, how: str, rows: int, fill: int = 0) -> None:
    with h5py.File(path, "w") as file:
        shape = {"shape": (rows, 40, 60), "dtype": "u2", "fillvalue": fill}
        stack = file.create_dataset("stack", **shape, **HOW[how])
        values = np.random.default_rng(seed).integers(0, 9, (rows, 40, 60))
        for row in range(0, rows, 1 + seed % 2):
            stack[row] = values[row]


def _plan(folder: Path) -> Plan:
    return make_plan(read_run(folder, layout=None, time_zone="UTC"), policy="strict")


def _tasks(plan: Plan) -> Iterator[ShardTask]:
    tasks = shard_tasks(plan, "file:///nowhere", "v1", resumed=False)
    return (task for task in tasks if len(task.numbers))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scan"
    folder.mkdir()
    for seed, how in enumerate(HOW):
        _write(folder / f"{how}.h5", seed, how, 4)
    (folder / "note.txt").write_text("one")
    return folder


def test_the_same_files_have_the_same_makings_anywhere(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy" / "scan")
    told = []
    for each in (folder, tmp_path / "copy" / "scan"):
        plan = _plan(each)
        told.append([shard_makings(task, plan.marks) for task in _tasks(plan)])
        told[-1] += [asset_makings(asset, plan.marks) for asset in plan.assets]
    assert told[0] == told[1]
    assert len(set(told[0])) == len(told[0]) == len(HOW) + 1
    assert NO_MAKINGS not in told[0]


LOOK = {
    "dtype": "int16",
    "itemsize": 4,
    "chunks": (1, 40, 59),
    "compressor": None,
    "fill_value": 1,
    "filters": (Filter(1, (9,)),),
    "row": Row.BLOSC,
    "summed": True,
    "padded": True,
    "big_endian": True,
    "source_dtype": ">u2",
}


@pytest.mark.parametrize("name", LOOK)
def test_every_fact_of_an_array_counts(folder: Path, name: str) -> None:
    plan = _plan(folder)
    task = next(task for task in _tasks(plan) if "rewrapped" in task.key)
    other = replace(task, look=replace(task.look, **{name: LOOK[name]}))
    assert getattr(task.look, name) != LOOK[name]
    assert shard_makings(other, plan.marks) != shard_makings(task, plan.marks)


@pytest.mark.parametrize("name", ["key", "indexed", "count", "numbers", "places", "columns"])
def test_every_fact_of_a_shard_counts(folder: Path, name: str) -> None:
    plan = _plan(folder)
    task = next(task for task in _tasks(plan) if "rewrapped" in task.key)
    value = getattr(task, name)
    changed = value + "0" if name == "key" else not value if name == "indexed" else value + 1
    if name == "columns":
        for column in (1, 2, 3):
            changed = value.copy()
            changed[-1, column] += 1
            other = replace(task, columns=changed)
            assert shard_makings(other, plan.marks) != shard_makings(task, plan.marks)
        return
    other = replace(task, **{name: changed})
    assert shard_makings(other, plan.marks) != shard_makings(task, plan.marks)


def test_how_far_the_last_chunk_goes_counts(folder: Path) -> None:
    plan = _plan(folder)
    for task in _tasks(plan):
        longer = replace(task, look=replace(task.look, shape=(4, 40, 50)))
        assert shard_makings(longer, plan.marks) != shard_makings(task, plan.marks)


def test_a_file_without_a_mark_gives_nothing_makings(folder: Path) -> None:
    plan = _plan(folder)
    for task in _tasks(plan):
        file = task.look.pieces[0].file
        marks = [b"" if n == file else mark for n, mark in enumerate(plan.marks)]
        assert shard_makings(task, marks) == NO_MAKINGS
        assert shard_makings(task, ()) == NO_MAKINGS


def test_what_shows_other_files_data_has_no_makings_unless_each_chunk_is_known(folder) -> None:
    with h5py.File(folder / "shows.h5", "w") as file:
        layout = h5py.VirtualLayout((4, 20, 60), "u2")
        layout[:] = h5py.VirtualSource(folder / "recoded.h5", "stack", (4, 40, 60))[:, ::2]
        file.create_virtual_dataset("half", layout)
        pairs = np.zeros(3, [("a", "u2"), ("b", "f4")])
        file.create_dataset("pairs", data=pairs, chunks=(3,))
    plan = _plan(folder)
    told = {task.key: shard_makings(task, plan.marks) for task in _tasks(plan)}
    shown = {key: makings for key, makings in told.items() if "shows.h5" in key}
    assert len(shown) == 3
    assert set(shown.values()) == {NO_MAKINGS}


FILES = st.tuples(
    st.integers(1, 2), st.sampled_from(sorted(HOW)), st.integers(3, 4), st.integers(0, 1)
)


@settings(max_examples=25)
@given(st.lists(FILES, min_size=2, max_size=3), st.lists(FILES, min_size=2, max_size=3))
def test_objects_of_equal_makings_have_equal_bytes(one, two) -> None:
    made: list[dict[str, tuple[bytes, bytes]]] = []
    for files in (one, two):
        with TemporaryDirectory() as parent:
            folder = Path(parent) / "scan"
            folder.mkdir()
            for number, facts in enumerate(files):
                _write(folder / f"{number}.h5", *facts)
            plan = _plan(folder)
            made.append(
                {
                    t.key: (shard_makings(t, plan.marks), digest_shard(t).digest)
                    for t in _tasks(plan)
                }
            )
    for key in made[0].keys() & made[1].keys():
        (makings, digest), (other, others) = made[0][key], made[1][key]
        assert NO_MAKINGS not in (makings, other)
        assert makings != other or digest == others
    for number, (facts, others) in enumerate(zip(one, two, strict=False)):
        keys = [key for key in made[0] if f"/{number}.h5/" in key]
        assert facts != others or all(made[0][key] == made[1][key] for key in keys)


def test_only_a_whole_object_of_as_many_chunks_may_do() -> None:
    table, makings = ChunkTable.none(2), b"m" * 32
    entry = ObjectEntry("a", SMALL_BYTES, b"d" * 32, table, makings=makings)
    earlier = Earlier("v1", {"a": entry})
    known = earlier.known("a", makings, 2)
    assert known is not None
    assert (known.source, known.same) == ("v1/a", True)
    other = earlier.known("a", b"n" * 32, 2)
    assert other is not None
    assert not other.same
    assert earlier.known("b", makings, 2) is None
    assert earlier.known("a", makings, 3) is None
    gap = ChunkTable(np.array([1, 2], "u1"), table.offsets, table.lengths, table.crcs)
    assert Earlier("v1", {"a": replace(entry, chunks=gap)}).known("a", makings, 2) is None
    unknown = Earlier("v1", {"a": replace(entry, makings=NO_MAKINGS)}).known("a", NO_MAKINGS, 2)
    assert unknown is not None
    assert not unknown.same
