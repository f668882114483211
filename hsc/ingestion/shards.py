"""Making one shard, whole, on one worker: fill it, digest it, write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.ingestion.failures import ChunkFailure
from hsc.ingestion.files import SourceFiles
from hsc.ingestion.filling import fill_shard
from hsc.ingestion.tasks import ShardTask
from hsc.store import ObjectEntry, ShardStream, VersionWriter, open_objects
from hsc.workers import at_work

_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class MadeShard:
    """One object that was made."""

    entry: ObjectEntry
    """What the manifest says of it."""
    failures: tuple[ChunkFailure, ...] = ()
    """Its gaps, and why they are."""
    copied: bool = False
    """Whether it was copied inside the store."""


@dataclass(frozen=True, slots=True)
class BuiltShard:
    """One object, not written yet."""

    made: MadeShard
    """What it is."""
    data: bytes
    """Its bytes."""


def make_shard(task: ShardTask) -> MadeShard:
    """Make and write one object; one that an earlier attempt finished is left as it is.

    One that the version before has, made of the same, is copied inside the store instead. Where
    the source's files were touched since, it is made again; if its bytes are those of the version
    before, a store on the other side of a network is spared them.
    """
    writer = VersionWriter(open_objects(task.store), task.location)
    if task.resumed:
        finished = writer.finished(task.key)
        # The journal does not keep why a chunk is a gap: such a shard is made again.
        same = finished is not None and len(finished.chunks) == task.count
        if finished is not None and same and not len(finished.chunks.gaps):
            return MadeShard(finished)
    known = task.known
    if known is not None and known.same:
        facts = {**_range(task), "makings": task.makings}
        entry = replace(known.entry, **facts)
        if known.copy_as(entry, writer):
            return MadeShard(entry, copied=True)
    with writer.open_object(task.key) as written:
        with at_work():
            made = _build(task, written.write)
        there = known is not None and known.entry.digest == made.entry.digest
        if known is not None and there and task.remote and known.copy_as(made.entry, writer):
            return replace(made, copied=True)
        writer.place(made.entry, written)
    return made


def build_shard(task: ShardTask, files: SourceFiles | None = None) -> BuiltShard:
    """Make one object without writing it; a chunk that can't be carried over becomes a gap.

    Parameters
    ----------
    files
        Files that stay open for other objects; None: this one's own.
    """
    parts: list[bytes] = []

    def copy(buffer: NDArray[np.uint8], nbytes: int) -> bool:
        parts.append(buffer[:nbytes].tobytes())
        return False

    made = _build(task, copy, files)
    return BuiltShard(made, b"".join(parts))


def digest_shard(task: ShardTask) -> ObjectEntry:
    """Make one object and keep only what the manifest would say of it."""
    return _build(task, lambda *_: False).entry


def _build(
    task: ShardTask,
    sink: Callable[[NDArray[np.uint8], int], bool],
    files: SourceFiles | None = None,
) -> MadeShard:
    with (
        task.look.open(files) as source,
        ShardStream(
            task.count, indexed=task.indexed, sink=sink, expected=task.expected_nbytes
        ) as stream,
    ):
        failures = fill_shard(task, source, stream)
        nbytes, digest, table = stream.finish()
    entry = ObjectEntry(
        task.key,
        nbytes,
        digest if nbytes else _NO_DIGEST,
        chunks=table,
        makings=task.makings,
        **_range(task),
    )
    return MadeShard(entry, tuple(failures))


def _range(task: ShardTask) -> dict[str, Any]:
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
