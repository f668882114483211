"""Verifying before the commit: stored chunks and the source, decoded apart, compared by bits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import VerificationError
from hsc.ingestion.assets import verify_assets
from hsc.ingestion.decoding import Regions
from hsc.ingestion.files import SourceFiles
from hsc.ingestion.plan import Plan
from hsc.ingestion.planned import PlannedArray
from hsc.ingestion.preview import add_chunk, has_preview, joined, preview_objects, stack_sums
from hsc.ingestion.tasks import ChunkLook, chunk_look
from hsc.store import (
    DATA,
    CheckedVersion,
    ChunkState,
    Manifest,
    ObjectEntry,
    Part,
    open_objects,
    pack_key,
)
from hsc.transcode import decode_chunk
from hsc.workers import Progress, Workers

if TYPE_CHECKING:
    from hsc.kernels import ImageSums

_SAMPLE_SHARE = 0.01
_SAMPLE_LEAST = 16


@dataclass(frozen=True, slots=True)
class VerifyTask:
    """Chunks of one object to be decoded: compared with the source, summed up, or both."""

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
    """Which chunks of the object to decode."""
    compared: NDArray[np.bool_]
    """Which of those to compare with the source."""
    summed: bool
    """Whether to sum them up for the preview."""

    def place(self, number: int) -> tuple[int, ...]:
        """Give the place of a chunk of the object in the grid of inner chunks."""
        within = np.unravel_index(number, self.per_shard) if self.per_shard else ()
        return tuple(int(a + b) for a, b in zip(self.corner, within, strict=True))


@dataclass(frozen=True, slots=True)
class VerifyBatch:
    """What one worker looks at: an object, or those that lie in one pack."""

    tasks: tuple[VerifyTask, ...]
    """The objects."""
    pack: ObjectEntry | None
    """The pack that they lie in; None for an object of its own."""

    @property
    def count(self) -> int:
        """How many chunks are decoded."""
        return sum(len(task.numbers) for task in self.tasks)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one object's chunks."""

    path: str
    """Path of the array."""
    compared: int
    """How many chunks were compared."""
    sums: ImageSums | None
    """What its images add up to; None when that was not asked."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of a verification."""

    compared: int
    """How many chunks were compared with the source."""
    previews: dict[str, bytes]
    """Key and bytes of the preview objects that were made."""


def verify_written(
    plan: Plan,
    version: str,
    entries: Sequence[ObjectEntry],
    *,
    how: str,
    preview: bool = False,
    workers: Workers,
    progress: Progress,
) -> Verified:
    """Compare what was written with the source, and make previews of what is decoded whole.

    Parameters
    ----------
    version
        URL of the version's folder.
    how
        ``none``, ``sample`` (1 % of the chunks and at least 16, chosen by the source id) or
        ``full``.
    preview
        Whether to make previews in the same pass; without ``full`` all images are decoded for it.

    Raises
    ------
    VerificationError
        A chunk differs from the source.
    DamageError
        A chunk can't be read back.
    """
    if how == "none" and not preview:
        return Verified(0, {})
    tasks = _tasks(plan, version, {entry.key: entry for entry in entries}, preview=preview)
    _check_counts(plan, tasks)
    if how != "full":
        chosen = _chosen(tasks, plan.source_id, how)
        tasks = [_narrowed(each, mask) for each, mask in zip(tasks, chosen, strict=True)]
    batches = _batches([each for each in tasks if len(each.numbers)], entries)
    weights = [batch.count for batch in batches]
    gathered = _Gathered()
    progress.start("verify", sum(weights), "chunks")
    workers.fold(see_batch, batches, gathered.take, progress=progress, weights=weights)
    progress.finish()
    verify_assets(plan.assets, version, entries, how=how)
    specs = {planned.spec.path: planned.spec for planned in plan.arrays}
    objects = [preview_objects(specs[path], sums) for path, sums in gathered.sums.items()]
    return Verified(gathered.compared, {k: v for each in objects for k, v in each.items()})


class _Gathered:
    """Adds up what comes of single objects."""

    def __init__(self) -> None:
        self.compared = 0
        self.sums: dict[str, ImageSums] = {}

    def take(self, batch: list[Seen]) -> None:
        for seen in batch:
            self.compared += seen.compared
            if seen.sums is not None:
                known = self.sums.get(seen.path)
                self.sums[seen.path] = joined(known, seen.sums) if known else seen.sums


def see_batch(batch: VerifyBatch) -> list[Seen]:
    """Decode the chunks of some objects; compare them, sum them up."""
    listed = tuple(task.entry for task in batch.tasks)
    manifest = Manifest(root="", entries=listed if batch.pack is None else (*listed, batch.pack))
    stored = CheckedVersion(open_objects(batch.tasks[0].version), manifest)
    with SourceFiles() as files:
        return [_see_chunks(task, stored, files) for task in batch.tasks]


def _see_chunks(task: VerifyTask, stored: CheckedVersion, files: SourceFiles) -> Seen:
    look = task.look
    places = [task.place(int(number)) for number in task.numbers]
    sums = stack_sums(look.shape, look.dtype, look.chunks, places) if task.summed else None
    asked = [place for place, compared in zip(places, task.compared, strict=True) if compared]
    with look.open(files) as source:
        theirs = Regions(look, source, asked)
        for number, place, compared in zip(task.numbers, places, task.compared, strict=True):
            payload = stored.read_chunk(task.entry.key, int(number)) or b""
            ours = _decoded(payload, look, place)
            if compared:
                _compare(ours, look, place, theirs)
            if sums is not None:
                add_chunk(sums, look.shape, place, ours)
    return Seen(look.path, int(task.compared.sum()), sums)


def _compare(
    ours: NDArray[np.generic], look: ChunkLook, place: tuple[int, ...], theirs: Regions
) -> None:
    start, stop = look.region(place)
    inside: tuple[Any, ...] = tuple(slice(0, b - a) for a, b in zip(start, stop, strict=True))
    # The ellipsis keeps a scalar an array of no dimensions.
    if not _same_bits(ours[(*inside, ...)], theirs.region(place)):
        raise _differs(f"{look.pieces[0].path}, {look.path}, chunk {place}")


def _decoded(payload: Part, look: ChunkLook, place: tuple[int, ...]) -> NDArray[np.generic]:
    try:
        return decode_chunk(
            payload, look.dtype, look.chunks, look.compressor, big_endian=look.big_endian
        )
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
        found[task.look.path] += len(task.numbers) + len(task.entry.chunks.gaps)
    for planned in plan.arrays:
        if found[planned.spec.path] != len(planned.places):
            raise _differs(f"{planned.spec.path}, the number of its chunks")


def _same_bits(ours: NDArray[np.generic], theirs: NDArray[np.generic]) -> bool:
    if ours.dtype == object:
        return bool(ours.shape == theirs.shape and (ours == theirs).all())
    native = theirs.astype(theirs.dtype.newbyteorder("<"), copy=False)
    return ours.dtype == native.dtype and ours.tobytes() == native.tobytes()


def _tasks(
    plan: Plan, version: str, entries: dict[str, ObjectEntry], *, preview: bool
) -> list[VerifyTask]:
    return [
        task
        for planned in plan.arrays
        for task in _array_tasks(plan, planned, version, entries, preview)
    ]


def _array_tasks(
    plan: Plan,
    planned: PlannedArray,
    version: str,
    entries: dict[str, ObjectEntry],
    preview: bool,
) -> Iterator[VerifyTask]:
    spec, look = planned.spec, chunk_look(plan, planned)
    for place, key in spec.objects():
        entry = entries[f"{DATA}/{key}"]
        numbers = np.flatnonzero(entry.chunks.states == ChunkState.DATA).astype(np.int64)
        yield VerifyTask(
            version=version,
            entry=entry,
            look=look,
            corner=tuple(a * n for a, n in zip(place, spec.chunks_per_shard, strict=True)),
            per_shard=spec.chunks_per_shard,
            numbers=numbers,
            compared=np.ones(len(numbers), np.bool_),
            summed=preview and has_preview(spec),
        )


def _batches(tasks: Sequence[VerifyTask], entries: Sequence[ObjectEntry]) -> list[VerifyBatch]:
    packs = {entry.key: entry for entry in entries if not entry.packed}
    alone = [VerifyBatch((task,), None) for task in tasks if not task.entry.packed]
    together: dict[int, list[VerifyTask]] = {}
    for task in tasks:
        if task.entry.packed:
            together.setdefault(task.entry.pack, []).append(task)
    packed = [VerifyBatch(tuple(t), packs[pack_key(n)]) for n, t in together.items()]
    return [*packed, *alone]


def _chosen(tasks: list[VerifyTask], seed: str, how: str) -> list[NDArray[np.bool_]]:
    """Tell which chunks to compare; the same source gives the same ones."""
    bounds = np.cumsum([0, *(len(task.numbers) for task in tasks)])
    total = int(bounds[-1])
    chosen = np.zeros(total, np.bool_)
    if how == "sample" and total:
        count = min(total, max(_SAMPLE_LEAST, math.ceil(total * _SAMPLE_SHARE)))
        draw = np.random.default_rng(int(seed.removeprefix("blake3:")[:16], 16))
        chosen[draw.choice(total, count, replace=False)] = True
    return [chosen[first:last] for first, last in pairwise(bounds)]


def _narrowed(task: VerifyTask, compared: NDArray[np.bool_]) -> VerifyTask:
    """Give a task that compares some chunks only, and decodes no others unless it sums them."""
    if task.summed:
        return replace(task, compared=compared)
    numbers = task.numbers[compared]
    return replace(task, numbers=numbers, compared=np.ones(len(numbers), np.bool_))
