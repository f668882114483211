"""Every damage to a stored dataset, and what each way of reading makes of it: the table.

``.venv/bin/python tests/journey/fault_matrix.py`` writes it anew, from a directory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

import hsc
from hsc.errors import HscError
from hsc.jobs import ReplicateRequest, replicate, verify_folder
from hsc.store import (
    ObjectEntry,
    ObjectStore,
    ShardBuilder,
    open_objects,
    open_version,
    pack_key,
)

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = REPOSITORY / "docs" / "reference" / "faults.md"
FRAMES = 5
FLIPPED = 3
EQUAL = "equal"
_ONE = "bitshuffle-LZ4"
_MANY = 40
_HEAD = """# What becomes of damage

Each object of a dataset was damaged in each way, with each codec, and then read: all of the array
(`all`), one frame whose bytes were hit (`frame`), the same through zarr (`zarr`), and `hsc verify`.
`equal`: the right numbers, for what was damaged is not needed, or stands in the manifest as well.
With a replica beside it, every one of these reads gave the right numbers (`replica`). Anything that
can be told wrong from right without an error is a defect; there is none. A directory and S3 gave
the same. Written by `.venv/bin/python tests/journey/fault_matrix.py`;
`tests/journey/test_fault_matrix.py` checks it on both.

| what | damage | codecs | all | frame | zarr | verify | replica |
|---|---|---|---|---|---|---|---|
"""

CODECS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "bitshuffle-LZ4": dict(hdf5plugin.Bitshuffle(nelems=0, cname="lz4")),
    "bitshuffle-Zstd": dict(hdf5plugin.Bitshuffle(nelems=0, cname="zstd")),
    "LZ4": dict(hdf5plugin.LZ4()),
    "Blosc": dict(hdf5plugin.Blosc(cname="lz4", shuffle=1)),
    "Zstd": dict(hdf5plugin.Zstd()),
    "deflate": {"compression": "gzip", "shuffle": True},
}


@dataclass(frozen=True)
class Cell:
    """What came of one damage to one object."""

    what: str
    """Which object was damaged."""
    damage: str
    codec: str
    """Of the array that was read."""
    ends: tuple[str, ...]
    """How each way of reading ended: ``equal``, ``different``, or the class of the error."""


@dataclass(frozen=True)
class _Plan:
    """One damage that is going to be done."""

    what: str
    damage: str
    codec: str
    key: str
    bad: bytes | None
    """The object's bytes then; None: it is gone."""


def write_source(path: Path, *, small: int = 0) -> dict[str, NDArray[np.uint16]]:
    """Write two stacks for each codec, all different, and small arrays beside them.

    Returns
    -------
    stacks
        Their numbers by path.
    """
    random, stacks = np.random.default_rng(7), {}
    with h5py.File(path, "w") as file:
        for codec, filters in CODECS.items():
            for name in ("a", "b"):
                stack = random.poisson(3, (FRAMES, 180, 200)).astype("u2")
                file.create_dataset(f"{codec}/{name}", data=stack, chunks=(1, 180, 200), **filters)
                stacks[f"/{codec}/{name}"] = stack
        for number in range(small):
            file[f"small/{number}"] = number
    return stacks


class Matrix:
    """A dataset that is damaged, read and mended, again and again.

    Parameters
    ----------
    location
        URL of its version's folder.
    pid
        Its PID.
    stacks
        Its numbers by path.
    replicate
        Makes a replica and registers it; called after all was read without one.
    codecs
        Whose shards are damaged.
    """

    def __init__(
        self,
        location: str,
        pid: str,
        stacks: Mapping[str, NDArray[np.uint16]],
        replicate: Callable[[], object],
        codecs: Sequence[str] = tuple(CODECS),
    ) -> None:
        self._objects: ObjectStore = open_objects(location)
        self._location, self._pid, self._stacks = location, pid, stacks
        self._replicate, self._codecs = replicate, codecs
        self._whole = open_version(location)

    def cells(self) -> Iterator[Cell]:
        """Go through all damages: first without a replica, then what a replica makes of them."""
        plans = [*self._plans()]
        alone = [self._ends(plan) for plan in plans]
        self._replicate()
        beside = [self._with_replica(plan) for plan in plans]
        for plan, ends, end in zip(plans, alone, beside, strict=True):
            yield Cell(plan.what, plan.damage, plan.codec, (*ends, end))

    def _plans(self) -> Iterator[_Plan]:
        tree = self._whole.entry("data.zarr/zarr.json")
        if tree is not None and tree.packed:
            yield from self._pack_plans()
            return
        for codec in self._codecs:
            yield from self._shard_plans(codec)
        for what, key in (
            ("array's metadata", f"data.zarr/{_ONE}/a/zarr.json"),
            ("tree's metadata", "data.zarr/zarr.json"),
            ("manifest", "manifest"),
        ):
            data = self._get(key)
            for damage, bad in (*_damaged(data), ("one bit flipped", _flipped(data, 100))):
                yield _Plan(what, damage, _ONE, key, bad)

    def _shard_plans(self, codec: str) -> Iterator[_Plan]:
        key = f"data.zarr/{codec}/a/c/0/0/0"
        data, entry = self._get(key), self._whole.entry(key)
        assert entry is not None
        inside = int(entry.chunks.offsets[FLIPPED]) + int(entry.chunks.lengths[FLIPPED]) // 2
        for damage, bad in (
            *_damaged(data),
            ("one bit of a chunk flipped", _flipped(data, inside)),
            ("one bit of its index flipped", _flipped(data, -20)),
            ("another array's in its place", self._get(f"data.zarr/{codec}/b/c/0/0/0")),
            ("two of its chunks changed places", _swapped(data, entry)),
        ):
            yield _Plan("shard", damage, codec, key, bad)

    def _pack_plans(self) -> Iterator[_Plan]:
        for what, member in (
            ("pack of metadata", "data.zarr/zarr.json"),
            ("pack of chunks", f"data.zarr/{_ONE}/a/c/0/0/0"),
        ):
            entry = self._whole.entry(member)
            assert entry is not None
            key = pack_key(entry.pack)
            data, inside = self._get(key), entry.pack_offset + entry.nbytes // 2
            if len(entry.chunks):
                inside = entry.pack_offset + int(entry.chunks.offsets[FLIPPED]) + 9
            for damage, bad in (*_damaged(data), ("one bit flipped", _flipped(data, inside))):
                yield _Plan(what, damage, _ONE, key, bad)

    def _get(self, key: str) -> bytes:
        return bytes(self._objects.get(key))

    def _ends(self, plan: _Plan) -> tuple[str, ...]:
        path = f"/{plan.codec}/a"
        stack = self._stacks[path]
        with _Damage(self._objects, plan.key, plan.bad):
            return (
                _end(lambda: _same(self._tree()[path].to_numpy(), stack)),
                _end(lambda: _same(self._tree()[path][FLIPPED].to_numpy(), stack[FLIPPED])),
                _end(lambda: _same(self._tree().hsc.zarr()[path[1:]][...], stack)),
                _end(self._verified),
            )

    def _with_replica(self, plan: _Plan) -> str:
        path = f"/{plan.codec}/a"
        with _Damage(self._objects, plan.key, plan.bad):
            return _end(lambda: _same(self._tree()[path].to_numpy(), self._stacks[path]))

    def _tree(self) -> Any:
        return hsc.open(self._pid)

    def _verified(self) -> str:
        damaged = verify_folder(self._location, workers=1).damaged
        return "damaged" if damaged else "whole"


class _Damage:
    """An object is as bad as told inside the ``with`` block, and mended after it."""

    def __init__(self, objects: ObjectStore, key: str, bad: bytes | None) -> None:
        self._objects, self._key, self._bad = objects, key, bad
        self._good = bytes(objects.get(key))

    def __enter__(self) -> None:
        self._put(self._bad)

    def __exit__(self, *_: object) -> None:
        self._put(self._good)

    def _put(self, data: bytes | None) -> None:
        self._objects.delete(self._key)
        if data is not None:
            self._objects.put_new(self._key, data)


def _damaged(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    yield "missing", None
    yield "empty", b""
    yield "cut to a half", data[: len(data) // 2]
    yield "one byte longer", data + b"\0"
    yield "zeros", bytes(len(data))


def _flipped(data: bytes, place: int) -> bytes:
    bad = bytearray(data)
    bad[place] ^= 4
    return bytes(bad)


def _swapped(data: bytes, entry: ObjectEntry) -> bytes:
    """Make a shard that is right in itself, of the same chunks with two of them exchanged."""
    table = entry.chunks
    made = ShardBuilder(len(table), indexed=True)
    order = [*range(len(table))]
    order[0], order[FLIPPED] = FLIPPED, 0
    for place, number in enumerate(order):
        start = int(table.offsets[number])
        made.add(place, data[start : start + int(table.lengths[number])])
    return made.finish()[0]


def _same(values: Any, right: NDArray[Any]) -> str:
    return EQUAL if np.array_equal(values, right) else "different"


def _end(read: Callable[[], str]) -> str:
    try:
        return read()
    except HscError as error:
        return type(error).__name__


def make_table(cells: Iterable[Cell]) -> str:
    """Put the page together: codecs that end alike share a line."""
    codecs: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for cell in cells:
        codecs.setdefault((cell.what, cell.damage, cell.ends), []).append(cell.codec)
    lines = []
    for (what, damage, ends), alike in codecs.items():
        named = "all" if len(alike) == len(CODECS) else ", ".join(alike)
        lines.append("| " + " | ".join([what, damage, named, *ends]) + " |\n")
    return _HEAD + "".join(lines)


def read_table() -> dict[tuple[str, str, str], tuple[str, ...]]:
    """Give how the ways of reading ended, by object, damage and codec, as the page has it."""
    told = {}
    for line in TABLE.read_text("utf-8").splitlines()[_HEAD.count("\n") :]:
        what, damage, codecs, *ends = line.strip("| ").split(" | ")
        for codec in CODECS if codecs == "all" else codecs.split(", "):
            told[what, damage, codec] = tuple(ends)
    return told


def run_matrix(folder: Path, codecs: Sequence[str] = tuple(CODECS)) -> list[Cell]:
    """Ingest, damage and read in the store that the environment names; the replica is a folder."""
    plain, packed = folder / "plain.h5", folder / "packed.h5"
    return [*_run(plain, codecs), *_run(packed, codecs, small=_MANY)]


def _run(source: Path, codecs: Sequence[str], *, small: int = 0) -> Iterator[Cell]:
    stacks = write_source(source, small=small)
    pid = hsc.ingest(source, verify="none").pid
    with hsc.connect() as catalog:
        record = catalog.get(pid)
    second = ReplicateRequest(pid=record.pid, store=(source.parent / "second").as_uri())
    matrix = Matrix(record.location, str(pid), stacks, lambda: replicate(second), codecs)
    return matrix.cells()


def _write_table() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["HSC_HOME"] = scratch
        TABLE.write_text(make_table(run_matrix(Path(scratch))), encoding="utf-8")


if __name__ == "__main__":
    _write_table()
