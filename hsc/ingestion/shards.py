"""Making one shard, whole, on one worker: read its chunks, rewrap or recode them, write it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import DamagedSourceError, UnsupportedObjectError
from hsc.ingestion.failures import ChunkFailure
from hsc.ingestion.files import SourceFiles
from hsc.ingestion.plan import Plan
from hsc.ingestion.planned import PlannedArray
from hsc.ingestion.source import ArraySource, SourcePiece
from hsc.store import (
    DATA,
    ObjectEntry,
    ShardBuilder,
    VersionWriter,
    digest_entry,
    open_objects,
)
from hsc.transcode import encode_chunk


@dataclass(frozen=True, slots=True)
class ChunkLook:
    """What is needed to read or write one array's chunks, wherever that happens."""

    path: str
    """HDF5 path of the array."""
    dtype: str
    """Zarr's name of the element type."""
    itemsize: int
    """Bytes of an element."""
    shape: tuple[int, ...]
    """Shape of the array."""
    chunks: tuple[int, ...]
    """Shape of an inner chunk."""
    compressor: Mapping[str, Any] | None
    """Zarr codec of an inner chunk."""
    fill_value: Any
    """What was never written holds."""
    pieces: tuple[SourcePiece, ...]
    """Where it comes from."""

    def region(self, place: tuple[int, ...]) -> tuple[list[int], list[int]]:
        """Give an inner chunk's first element and the one past its last, cut at the edge."""
        start = [at * chunk for at, chunk in zip(place, self.chunks, strict=True)]
        ends = zip(start, self.chunks, self.shape, strict=True)
        return start, [min(at + chunk, end) for at, chunk, end in ends]


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One object to be made."""

    store: str
    """URL of the store; the worker opens it with its own credentials."""
    location: str
    """Folder of the version below the store."""
    key: str
    """Key of the object below the version's folder."""
    look: ChunkLook
    """The array."""
    indexed: bool
    """Whether it is a shard with an index, or a single chunk."""
    count: int
    """Inner chunks in the shard, absent ones included."""
    numbers: NDArray[np.int64]
    """(n,): number in the shard of each chunk that was written, ascending."""
    places: NDArray[np.int64]
    """(n, dimensions): its place in the grid of inner chunks."""
    columns: NDArray[np.int64] | None
    """(n, 4): piece, offset, bytes and filter mask; None when it is decoded through HDF5."""
    resumed: bool
    """Whether an earlier attempt may have made it."""

    @property
    def nbytes(self) -> int:
        """Decoded bytes: the weight of the task."""
        return len(self.numbers) * math.prod(self.look.chunks) * self.look.itemsize


def shard_tasks(plan: Plan, store: str, location: str, *, resumed: bool) -> list[ShardTask]:
    """Give the tasks that make all objects of all arrays."""
    return [
        task
        for planned in plan.arrays
        for task in _array_tasks(plan, planned, store, location, resumed)
    ]


@dataclass(frozen=True, slots=True)
class MadeShard:
    """One object that was made."""

    entry: ObjectEntry
    """What the manifest says of it."""
    failures: tuple[ChunkFailure, ...] = ()
    """Its gaps, and why they are."""


@dataclass(frozen=True, slots=True)
class BuiltShard:
    """One object, not written yet."""

    made: MadeShard
    """What it is."""
    data: bytes
    """Its bytes."""


def make_shard(task: ShardTask) -> MadeShard:
    """Make and write one object; one that an earlier attempt finished is left as it is."""
    writer = VersionWriter(open_objects(task.store), task.location)
    if task.resumed:
        finished = writer.finished(task.key)
        # The journal does not keep why a chunk is a gap: such a shard is made again.
        if finished is not None and not len(finished.chunks.gaps):
            return MadeShard(finished)
    built = build_shard(task)
    writer.put(built.made.entry, built.data)
    return built.made


def build_shard(task: ShardTask, files: SourceFiles | None = None) -> BuiltShard:
    """Make one object without writing it; a chunk that can't be carried over becomes a gap.

    Parameters
    ----------
    files
        Files that stay open for other objects; None: this one's own.
    """
    builder = ShardBuilder(task.count, indexed=task.indexed)
    failures = []
    with ArraySource(task.look.pieces, files) as source:
        for row, number in enumerate(task.numbers):
            try:
                builder.add(int(number), _payload(task, source, row))
            except (DamagedSourceError, UnsupportedObjectError) as error:
                builder.add_gap(int(number))
                place = tuple(map(int, task.places[row]))
                failures.append(ChunkFailure.of(task.look.path, place, error))
    data, table = builder.finish()
    entry = digest_entry(task.key, data, chunks=table, **_range(task))
    return BuiltShard(MadeShard(entry, tuple(failures)), data)


def decoded_region(look: ChunkLook, source: ArraySource, place: tuple[int, ...]) -> NDArray[Any]:
    """Read an inner chunk's region of the source, of the chunk's full shape."""
    start, stop = look.region(place)
    region = source.region(start, stop)
    if region.shape == look.chunks:
        return region
    dtype = object if look.dtype == "string" else region.dtype
    whole = np.full(look.chunks, _fill(look), dtype)
    whole[tuple(slice(0, length) for length in region.shape)] = region
    return whole


def _fill(look: ChunkLook) -> Any:
    value = look.fill_value
    if look.dtype.startswith("complex"):
        return complex(float(value[0]), float(value[1]))
    return float(value) if isinstance(value, str) and look.dtype != "string" else value


def _payload(task: ShardTask, source: ArraySource, row: int) -> bytes:
    look = task.look
    place = tuple(map(int, task.places[row]))
    if task.columns is not None:
        piece, offset, nbytes, mask = map(int, task.columns[row])
        if mask == 0:  # no filter was skipped for this chunk
            frame = _rewrapped(look, source, source.raw(piece, offset, nbytes), piece)
            if frame is not None:
                return frame
    return encode_chunk(decoded_region(look, source, place), look.compressor)


def _rewrapped(look: ChunkLook, source: ArraySource, chunk: bytes, piece: int) -> bytes | None:
    # numba takes a second to import; only rewrapping needs it.
    from hsc.transcode import MalformedChunkError, rewrap

    try:
        return rewrap(chunk, math.prod(look.chunks) * look.itemsize, look.itemsize)
    except MalformedChunkError as error:
        raise source.damaged(piece, str(error)) from error


def _range(task: ShardTask) -> dict[str, int]:
    """Give where in the source an object begins and ends, in the file of its first chunk."""
    if not len(task.numbers):
        return {}
    if task.columns is None:
        row = int(task.places[0][0]) * task.look.chunks[0] if task.look.shape else 0
        first = next(p for p in task.look.pieces if row < p.start + p.rows)
        return {"source_file": first.file}
    same = task.columns[task.columns[:, 0] == task.columns[0, 0]]
    return {
        "source_file": task.look.pieces[int(same[0, 0])].file,
        "source_start": int(same[:, 1].min()),
        "source_stop": int((same[:, 1] + same[:, 2]).max()),
    }


def _array_tasks(
    plan: Plan, planned: PlannedArray, store: str, location: str, resumed: bool
) -> Iterator[ShardTask]:
    spec = planned.spec
    look = chunk_look(plan, planned)
    per_shard = np.array(spec.chunks_per_shard, np.int64)
    count = int(per_shard.prod())
    numbers_of = spec.shard_numbers(planned.places)
    by_shard = np.argsort(numbers_of, kind="stable")
    bounds = np.searchsorted(numbers_of[by_shard], np.arange(math.prod(spec.grid) + 1))
    for shard, (place, key) in enumerate(spec.objects()):
        rows = by_shard[bounds[shard] : bounds[shard + 1]]
        places = planned.places[rows]
        within = places - np.array(place, np.int64) * per_shard
        numbers = np.ravel_multi_index(tuple(within.T), tuple(per_shard)) if place else rows
        order = np.argsort(numbers, kind="stable")
        yield ShardTask(
            store=store,
            location=location,
            key=f"{DATA}/{key}",
            look=look,
            indexed=spec.sharded,
            count=count,
            numbers=np.asarray(numbers, np.int64)[order],
            places=places[order],
            columns=None if planned.columns is None else planned.columns[rows][order],
            resumed=resumed,
        )


def chunk_look(plan: Plan, planned: PlannedArray) -> ChunkLook:
    """Give what is needed to read or write an array's chunks."""
    pieces, start = [], 0
    for piece in planned.source.pieces:
        rows = piece.dataset.shape[0] if piece.dataset.shape else 1
        path = str(plan.run.files[piece.file].path)
        where = piece.dataset.object_path or piece.dataset.path
        pieces.append(SourcePiece(path, piece.file, where, start, rows, piece.dataset.part))
        start += rows
    for piece in planned.source.pieces:
        pieces += [
            SourcePiece(str(plan.run.files[owner].path), owner, piece.dataset.path, start, 0)
            for owner in piece.owners
        ]
    spec = planned.spec
    return ChunkLook(
        path=spec.path,
        dtype=spec.dtype,
        itemsize=planned.itemsize,
        shape=spec.shape,
        chunks=spec.chunks,
        compressor=spec.compressor,
        fill_value=spec.fill_value,
        pieces=tuple(pieces),
    )
