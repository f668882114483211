"""Tasks that each make one object: which chunks go into it, and where those lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.ingestion.crashes import Tolerance
from hsc.ingestion.files import SourceFiles
from hsc.ingestion.grid import MAX_CHUNK_BYTES
from hsc.ingestion.known import NO_MAKINGS, KnownObject
from hsc.ingestion.plan import Plan
from hsc.ingestion.planned import PlannedArray
from hsc.ingestion.source import ArraySource, SourcePiece
from hsc.layouts import Piece
from hsc.store import DATA
from hsc.transcode import Filter, Row
from hsc.workers import Isolation

_STREAMED_BYTES = 64 * 2**20


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
    filters: tuple[Filter, ...] = ()
    """HDF5's pipeline of its chunks."""
    row: Row | None = None
    """Row of the table by which they travel undecoded."""
    summed: bool = False
    """Whether each ends in Fletcher's checksum."""
    padded: bool = False
    """Whether those at the edge are shorter, as parts of data without chunks are."""
    big_endian: bool = False
    """Whether the elements stay big-endian."""
    source_dtype: str = ""
    """NumPy's name of the elements as they lie in the file, byte order included."""
    isolation: Isolation | None = None
    """The child process that enters HDF5; None: whoever reads it does."""
    own: bool = False
    """Whether each piece's file holds its data itself, and no other file does."""

    def open(self, files: SourceFiles | None = None) -> ArraySource:
        """Open the source; use it in a ``with`` block, in one thread."""
        return ArraySource(self.pieces, files, self.isolation)

    @property
    def chunk_nbytes(self) -> int:
        """Bytes of a decoded chunk."""
        return math.prod(self.chunks) * self.itemsize

    @property
    def hdf5_chunk_nbytes(self) -> int:
        """Bytes of the largest decoded HDF5 chunk that inner chunks are cut out of; 0 for none."""
        if self.dtype == "string":  # of texts nobody knows it
            return 0
        sizes = [math.prod(p.chunks) * self.itemsize for p in self.pieces if p.chunks is not None]
        return max((nbytes for nbytes in sizes if nbytes > MAX_CHUNK_BYTES), default=0)

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
    """(n, 4): piece, offset, bytes and filter mask; None when it is read through HDF5."""
    resumed: bool
    """Whether an earlier attempt may have made it."""
    tolerance: Tolerance | None = None
    """What is borne of chunks that crash HDF5 or take too much; None: they are errors."""
    makings: bytes = NO_MAKINGS
    """What it is made of, and how (`shard_makings`); zeros: not known."""
    known: KnownObject | None = None
    """What the version before has under its key; None: nothing to be copied."""

    @property
    def nbytes(self) -> int:
        """Decoded bytes: the weight of the task."""
        return len(self.numbers) * self.look.chunk_nbytes

    @property
    def remote(self) -> bool:
        """Whether the store is no directory of this machine."""
        return not self.store.startswith("file:")

    @property
    def memory_nbytes(self) -> int:
        """Bytes of memory that making it may take: a few chunks, and what is not written yet."""
        # To a directory it goes part by part, to an object store in one piece.
        most = self.expected_nbytes if self.remote else _STREAMED_BYTES
        held = min(self.expected_nbytes, most) + 4 * self.look.chunk_nbytes
        large = self.look.hdf5_chunk_nbytes
        # HDF5 decodes a chunk from one buffer into another, and gives what the shard wants of it.
        return held + (2 * large + self.nbytes if large else 0)

    @property
    def expected_nbytes(self) -> int:
        """Bytes that the object will have, or more."""
        if self.look.row is None or self.columns is None:
            return 2 * self.nbytes + 16 * self.count + 4096
        return 2 * int(self.columns[:, 2].sum()) + 20 * self.count + self.look.chunk_nbytes + 4096


def shard_tasks(
    plan: Plan, store: str, location: str, *, resumed: bool, tolerance: Tolerance | None = None
) -> list[ShardTask]:
    """Give the tasks that make all objects of all arrays."""
    return [
        replace(task, tolerance=tolerance) if tolerance else task
        for planned in plan.arrays
        for task in _array_tasks(plan, planned, store, location, resumed)
    ]


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
        held = piece.dataset
        pieces.append(
            SourcePiece(
                path, piece.file, where, start, rows, held.part, held.index.chunks, held.read
            )
        )
        start += rows
    for piece in planned.source.pieces:
        pieces += [
            SourcePiece(str(plan.run.files[owner].path), owner, piece.dataset.path, start, 0)
            for owner in piece.owners
        ]
    spec, travel = planned.spec, planned.travel
    first = planned.source.pieces[0].dataset
    return ChunkLook(
        path=spec.path,
        dtype=spec.dtype,
        itemsize=planned.itemsize,
        shape=spec.shape,
        chunks=spec.chunks,
        compressor=spec.compressor,
        fill_value=spec.fill_value,
        pieces=tuple(pieces),
        isolation=plan.isolation,
        filters=first.filters,
        row=travel.row,
        summed=travel.summed,
        padded=first.index.chunks is None,
        big_endian=travel.big_endian,
        source_dtype=first.element.view,
        own=all(_own(piece) for piece in planned.source.pieces),
    )


def _own(piece: Piece) -> bool:
    # Raw data may lie in other files only where there are no chunks.
    return piece.dataset.storage == "chunked" and not piece.owners
