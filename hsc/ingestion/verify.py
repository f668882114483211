"""Verifying before the commit: stored chunks and the source, decoded apart, compared bit by bit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import VerificationError
from hsc.ingestion.plan import Plan
from hsc.ingestion.planned import PlannedArray
from hsc.ingestion.shards import ChunkLook, chunk_look
from hsc.ingestion.source import ArraySource
from hsc.store import DATA, CheckedVersion, ChunkState, Manifest, ObjectEntry, open_objects
from hsc.transcode import decode_chunk
from hsc.workers import Progress, Workers

_SAMPLE_SHARE = 0.01
_SAMPLE_LEAST = 16


@dataclass(frozen=True, slots=True)
class VerifyTask:
    """Chunks of one object to be compared with the source."""

    version: str
    """URL of the version's folder."""
    entry: ObjectEntry
    """The object."""
    look: ChunkLook
    """Its array."""
    corner: tuple[int, ...]
    """Place of the object's first chunk in the grid of inner chunks."""
    per_shard: tuple[int, ...]
    """Inner chunks of the object along each dimension."""
    numbers: NDArray[np.int64]
    """Which chunks of the object to compare."""


def verify_written(
    plan: Plan,
    version: str,
    entries: Sequence[ObjectEntry],
    *,
    how: str,
    workers: Workers,
    progress: Progress,
) -> int:
    """Compare what was written with the source.

    Parameters
    ----------
    version
        URL of the version's folder.
    how
        ``none``, ``sample`` (1 % of the chunks and at least 16, chosen by the source id) or
        ``full``.

    Returns
    -------
    count
        How many chunks were compared.

    Raises
    ------
    VerificationError
        A chunk differs from the source.
    DamageError
        A chunk can't be read back.
    """
    if how == "none":
        return 0
    tasks = _tasks(plan, version, {entry.key: entry for entry in entries})
    _check_counts(plan, tasks)
    if how == "sample":
        tasks = _sampled(tasks, plan.source_id)
    weights = [len(task.numbers) for task in tasks]
    progress.start("verify", sum(weights), "chunks")
    compared = workers.map(compare_chunks, tasks, progress=progress, weights=weights)
    progress.finish()
    return sum(compared)


def compare_chunks(task: VerifyTask) -> int:
    """Compare the chunks of one object; give how many."""
    look = task.look
    stored = CheckedVersion(open_objects(task.version), Manifest(root="", entries=(task.entry,)))
    with ArraySource(look.pieces, text=look.dtype == "string") as source:
        for number in map(int, task.numbers):
            within = np.unravel_index(number, task.per_shard) if task.per_shard else ()
            place = tuple(int(a + b) for a, b in zip(task.corner, within, strict=True))
            payload = stored.read_chunk(task.entry.key, number) or b""
            start, stop = look.region(place)
            theirs = source.region(start, stop)
            inside: tuple[Any, ...] = tuple(
                slice(0, b - a) for a, b in zip(start, stop, strict=True)
            )
            # The ellipsis keeps a scalar an array of no dimensions.
            if not _same_bits(_decoded(payload, look, place)[(*inside, ...)], theirs):
                raise _differs(f"{look.pieces[0].path}, {look.path}, chunk {place}")
    return len(task.numbers)


def _decoded(payload: bytes, look: ChunkLook, place: tuple[int, ...]) -> NDArray[np.generic]:
    try:
        return decode_chunk(payload, look.dtype, look.chunks, look.compressor)
    except (RuntimeError, ValueError) as error:
        raise _differs(f"{look.pieces[0].path}, {look.path}, chunk {place}") from error


def _differs(where: str) -> VerificationError:
    return VerificationError(
        "what was written differs from the source",
        where=where,
        next_step="nothing was committed; report this with the file, it is a defect",
    )


def _check_counts(plan: Plan, tasks: Sequence[VerifyTask]) -> None:
    """Check that every array has as many chunks as were written at its source."""
    found = Counter[str]()
    for task in tasks:
        found[task.look.path] += len(task.numbers)
    for planned in plan.arrays:
        if found[planned.spec.path] != len(planned.places):
            raise _differs(f"{planned.spec.path}, the number of its chunks")


def _same_bits(ours: NDArray[np.generic], theirs: NDArray[np.generic]) -> bool:
    if ours.dtype == object:
        return bool(ours.shape == theirs.shape and (ours == theirs).all())
    native = theirs.astype(theirs.dtype.newbyteorder("<"), copy=False)
    return ours.dtype == native.dtype and ours.tobytes() == native.tobytes()


def _tasks(plan: Plan, version: str, entries: dict[str, ObjectEntry]) -> list[VerifyTask]:
    return [
        task
        for planned in plan.arrays
        for task in _array_tasks(plan, planned, version, entries)
        if len(task.numbers)
    ]


def _array_tasks(
    plan: Plan, planned: PlannedArray, version: str, entries: dict[str, ObjectEntry]
) -> list[VerifyTask]:
    spec, look = planned.spec, chunk_look(plan, planned)
    return [
        VerifyTask(
            version=version,
            entry=entry,
            look=look,
            corner=tuple(a * n for a, n in zip(place, spec.chunks_per_shard, strict=True)),
            per_shard=spec.chunks_per_shard,
            numbers=np.flatnonzero(entry.chunks.states == ChunkState.DATA).astype(np.int64),
        )
        for place, key in spec.objects()
        for entry in (entries[f"{DATA}/{key}"],)
    ]


def _sampled(tasks: list[VerifyTask], seed: str) -> list[VerifyTask]:
    """Keep some chunks; the same source gives the same ones."""
    bounds = np.cumsum([0, *(len(task.numbers) for task in tasks)])
    total = int(bounds[-1])
    count = min(total, max(_SAMPLE_LEAST, math.ceil(total * _SAMPLE_SHARE)))
    draw = np.random.default_rng(int(seed.removeprefix("blake3:")[:16], 16))
    chosen = np.sort(draw.choice(total, count, replace=False)) if total else np.zeros(0, int)
    kept = []
    for task, first, last in zip(tasks, bounds[:-1], bounds[1:], strict=True):
        mine = chosen[(chosen >= first) & (chosen < last)] - first
        if len(mine):
            kept.append(
                VerifyTask(
                    version=task.version,
                    entry=task.entry,
                    look=task.look,
                    corner=task.corner,
                    per_shard=task.per_shard,
                    numbers=task.numbers[mine],
                )
            )
    return kept
