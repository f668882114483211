"""Blocks of streamed arrays: each made by one task, which writes the shards it fills."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.ingestion.grid import inner_chunks, shard_shape
from hsc.ingestion.newtree import encoded_chunk, named, shard_object
from hsc.model import Way
from hsc.store import (
    DATA,
    ArraySpec,
    Make,
    ObjectEntry,
    Stream,
    StreamedArray,
    VersionWriter,
    blosc,
    open_objects,
    pay,
    word_fill,
)
from hsc.workers import Progress, Workers, share_parts

BLOCK_BYTES = 128 * 10**6
"""So many bytes of all arrays together are made at once, where one chunk of rows is not more."""


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A stream laid out: its arrays' specs, and how its rows are cut into tasks."""

    stream: Stream
    """What is made."""
    specs: tuple[ArraySpec, ...]
    """Its arrays, in order."""
    block_rows: int
    """Rows of a task: whole shards of every array."""
    part_rows: int
    """Rows of it that are made at once: whole chunks of every array."""

    @property
    def keys(self) -> list[str]:
        """Keys below the version of all objects that are written."""
        return [f"{DATA}/{key}" for spec in self.specs for _, key in spec.objects()]

    @property
    def row_nbytes(self) -> int:
        """Bytes of one row of all arrays."""
        return _row_nbytes(self.stream.arrays)


@dataclass(frozen=True, slots=True)
class BlockTask:
    """Some rows of a stream to be made and written."""

    store: str
    """URL of the store; the worker opens it with its own credentials."""
    location: str
    """Folder of the version below the store."""
    make: Make
    """Makes the rows."""
    specs: tuple[ArraySpec, ...]
    """The arrays, without their attributes."""
    start: int
    """First row."""
    stop: int
    """One past the last row."""
    part_rows: int
    """Rows that are made at once: whole chunks."""

    def parts(self) -> list[tuple[int, int]]:
        """Give first row, and one past the last, of each part."""
        starts = range(self.start, self.stop, self.part_rows)
        return [(start, min(start + self.part_rows, self.stop)) for start in starts]


@dataclass(frozen=True, slots=True)
class MadeBlock:
    """What a task wrote."""

    entries: tuple[ObjectEntry, ...]
    """What the manifest says of it."""
    notes: tuple[Any, ...]
    """What its maker says of it, part by part."""


def stream_spec(stream: Stream, keys: Mapping[str, str]) -> StreamSpec:
    """Lay a stream out: the cut hangs on shapes and types alone, never on who works.

    Raises
    ------
    ReductionError
        Its arrays do not share their first axis, or have none.
    """
    if not stream.arrays or any(array.shape[:1] != (stream.rows,) for array in stream.arrays):
        raise ReductionError(
            f"the arrays of the stream {stream.name!r} do not share their first axis: "
            f"{', '.join(f'{array.path} {array.shape}' for array in stream.arrays)}"
        )
    chunks = [
        array.chunks or inner_chunks(array.shape, None, array.dtype.itemsize, keep=False)
        for array in stream.arrays
    ]
    unit = math.lcm(*(each[0] for each in chunks))
    most = BLOCK_BYTES // max(1, _row_nbytes(stream.arrays))
    if stream.rows_per_block is not None:
        most = stream.rows_per_block
    rows = min(max(1, most // unit), max(1, math.ceil(stream.rows / unit))) * unit
    specs = [
        _spec(array, cut, rows, keys[array.path])
        for array, cut in zip(stream.arrays, chunks, strict=True)
    ]
    part = rows if stream.rows_per_part is None else -(-stream.rows_per_part // unit) * unit
    return StreamSpec(stream, tuple(specs), rows, min(part, rows))


def write_blocks(
    laid: StreamSpec, store: str, location: str, workers: Workers, progress: Progress
) -> list[MadeBlock]:
    """Make and write all rows of a stream on workers; give what they say in order of the rows."""
    rows, step = laid.stream.rows, laid.block_rows
    specs = tuple(replace(spec, attributes={}) for spec in laid.specs)
    blocks = [(start, min(start + step, rows)) for start in range(0, rows, step)]
    tasks = [
        BlockTask(store, location, laid.stream.make, specs, *block, laid.part_rows)
        for block in blocks
    ]
    progress.start(laid.stream.name, rows, laid.stream.unit)
    made = workers.map(
        make_block,
        tasks,
        progress=progress,
        weights=[task.stop - task.start for task in tasks],
        # The rows, and their shards on the way out.
        needs=[2 * laid.row_nbytes * (task.stop - task.start) for task in tasks],
    )
    progress.finish()
    return made


def make_block(task: BlockTask) -> MadeBlock:
    """Make and write the rows of one task; what a worker that died wrote of them is replaced.

    Raises
    ------
    ReductionError
        What was made is not what the stream says.
    """
    made = share_parts(partial(make_part, task), task.parts())
    payloads: dict[_Place, bytes] = {}
    for part, _ in made:
        payloads |= part
    writer = VersionWriter(open_objects(task.store), task.location)
    entries = []
    for number, spec in enumerate(task.specs):
        for place in _places(spec, task):
            entry, data = shard_object(spec, place, partial(_taken, payloads, number))
            writer.put(entry, data)
            entries.append(entry)
    return MadeBlock(tuple(entries), tuple(note for _, note in made))


_Place = tuple[int, tuple[int, ...]]
"""Number of an array, and the place of a chunk in its grid."""


def make_part(task: BlockTask, rows: tuple[int, int]) -> tuple[dict[_Place, bytes], Any]:
    """Make and encode the chunks of some rows, while the processor has them at hand."""
    pay(0)  # where nobody waits for the block any more, this ends
    start, stop = rows
    made, note = task.make(start, stop)
    payloads = {}
    for number, spec in enumerate(task.specs):
        values = _checked(made, task, number, rows)
        chunk, *others = spec.chunks
        counts = (math.ceil(n / c) for n, c in zip(spec.shape[1:], others, strict=True))
        within = [range(start // chunk, math.ceil(stop / chunk)), *map(range, counts)]
        for at in product(*within):
            encoded = encoded_chunk(values, spec, at, start)
            if encoded is not None:
                payloads[number, at] = encoded
    return payloads, note


def _taken(payloads: dict[_Place, bytes], number: int, at: tuple[int, ...]) -> bytes | None:
    return payloads.pop((number, at), None)


def _spec(array: StreamedArray, chunks: tuple[int, ...], rows: int, key: str) -> ArraySpec:
    itemsize = array.dtype.itemsize
    shards = shard_shape((rows, *array.shape[1:]), chunks, itemsize, None, None)
    # A block is whole shards: so many chunks of rows in each as divide the block.
    per_block = rows // chunks[0]
    per_shard = next(n for n in range(shards[0] // chunks[0], 0, -1) if per_block % n == 0)
    fill = array.dtype.type(array.fill_value).item()
    return ArraySpec(
        path=array.path,
        key=key,
        shape=array.shape,
        dtype=array.dtype.name,
        chunks=chunks,
        shards=(per_shard * chunks[0], *shards[1:]),
        compressor=blosc("zstd", 1, itemsize),
        fill_value=word_fill(fill, array.dtype.name),
        way=Way.COMPUTED,
        dimension_names=array.dimension_names,
        attributes={**array.attributes, **named(array.path, key)},
    )


def _row_nbytes(arrays: Sequence[StreamedArray]) -> int:
    return sum(math.prod(array.shape[1:]) * array.dtype.itemsize for array in arrays)


def _places(spec: ArraySpec, task: BlockTask) -> list[tuple[int, ...]]:
    rows = range(task.start // spec.shards[0], math.ceil(task.stop / spec.shards[0]))
    return list(product(rows, *(range(n) for n in spec.grid[1:])))


def _checked(
    made: Mapping[str, NDArray[Any]], task: BlockTask, number: int, rows: tuple[int, int]
) -> NDArray[Any]:
    spec = task.specs[number]
    values, shape = made.get(spec.path), (rows[1] - rows[0], *spec.shape[1:])
    if values is None or values.shape != shape or values.dtype.name != spec.dtype:
        told = "nothing" if values is None else f"{values.dtype} of shape {values.shape}"
        raise ReductionError(
            f"{told} was made for {spec.path}, where {spec.dtype} of shape {shape} is due",
            where=f"rows {rows[0]} to {rows[1]}",
        )
    unknown = sorted(set(made) - {each.path for each in task.specs})
    if unknown:
        raise ReductionError(f"no array of the stream is {', '.join(unknown)}")
    return np.ascontiguousarray(values) if values.flags.c_contiguous else values.copy("C")
