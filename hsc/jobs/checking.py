"""Checking one replica of a version: its objects on workers, then what it says as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hsc.errors import DamageError, ManifestError
from hsc.jobs.locating import split_location
from hsc.jobs.rebuilding import recall
from hsc.jobs.verified import VerifiedReplica
from hsc.model import Dataset
from hsc.store import (
    CRATE_KEY,
    MANIFEST_KEY,
    CheckedVersion,
    Damage,
    Looked,
    ObjectEntry,
    check_object,
    claim_keys,
    damage,
    dataset_root,
    open_objects,
    open_version,
    pack_key,
    read_fetched,
    withheld_keys,
)
from hsc.workers import Progress, Workers

_BATCH_BYTES = 64 << 20
_BATCH_OBJECTS = 64


@dataclass(frozen=True, slots=True)
class CheckTask:
    """Objects of one version that one worker looks at."""

    location: str
    """URL of the version's folder."""
    left: frozenset[str]
    """Keys of those that were left out when this copy was fetched."""
    objects: tuple[tuple[ObjectEntry, tuple[ObjectEntry, ...]], ...]
    """Each object, with what lies in it."""

    @property
    def nbytes(self) -> int:
        """Bytes that are read."""
        return sum(entry.nbytes for entry, _ in self.objects)


def check_version(
    record: Dataset, location: str, workers: Workers, progress: Progress
) -> VerifiedReplica:
    """Check one replica of a version: manifest, objects, crate and claim."""
    try:
        version = open_version(location)
    except DamageError as error:
        return VerifiedReplica(
            location=location, objects=0, bytes=0, damaged=(damage(MANIFEST_KEY, error),)
        )
    entries = version.manifest.entries
    fetched = read_fetched(version.objects)
    left = fetched.left if fetched is not None else frozenset[str]()
    left |= withheld_keys(version.objects, version.manifest)
    tasks = list(_tasks(CheckTask(location, left, ()), entries))
    weights = [task.nbytes for task in tasks]
    progress.start("verify", sum(weights), "bytes")
    batches = workers.map(check_batch, tasks, progress=progress, weights=weights)
    progress.finish()
    looked = [one for batch in batches for one in batch]
    keys = [entry.key for task in tasks for entry, _ in task.objects]
    found = [one for each in looked for one in each.damaged]
    return VerifiedReplica(
        location=location,
        objects=sum(not entry.absent and not entry.packed for entry in entries),
        bytes=sum(each.nbytes for each in looked),
        damaged=(*_about(version, record), *found),
        not_fetched=tuple(k for k, each in zip(keys, looked, strict=True) if not each.fetched),
    )


def check_batch(task: CheckTask) -> list[Looked]:
    """Look at some objects; runs on a worker."""
    objects = open_objects(task.location)
    return [
        check_object(objects, entry, inside, partial=entry.key in task.left)
        for entry, inside in task.objects
    ]


def _tasks(like: CheckTask, entries: Sequence[ObjectEntry]) -> Iterator[CheckTask]:
    """Put objects together so that none of the tasks is small, and few are large."""
    packed: dict[str, list[ObjectEntry]] = {}
    for entry in entries:
        if entry.packed:
            packed.setdefault(pack_key(entry.pack), []).append(entry)
    batch: list[tuple[ObjectEntry, tuple[ObjectEntry, ...]]] = []
    nbytes = 0
    for entry in entries:
        if entry.packed:
            continue
        batch.append((entry, tuple(packed.get(entry.key, ()))))
        nbytes += entry.nbytes
        if nbytes >= _BATCH_BYTES or len(batch) >= _BATCH_OBJECTS:
            yield replace(like, objects=tuple(batch))
            batch, nbytes = [], 0
    if batch:
        yield replace(like, objects=tuple(batch))


def _about(version: CheckedVersion, record: Dataset) -> Iterator[Damage]:
    """Check what the manifest says as a whole, and what stands beside it."""
    manifest = version.manifest
    listed = {entry.key for entry in manifest.entries}
    lost = {pack_key(entry.pack) for entry in manifest.entries if entry.packed} - listed
    roots = {manifest.root, dataset_root(manifest.entries), record.root}
    if len(roots) > 1 or lost:
        error = ManifestError(
            f"the manifest is not of {record.pid}@{record.version}: it was altered, or is of "
            "another version",
            where=f"{version.objects.url}/{MANIFEST_KEY}",
            next_step="restore it from a replica that is whole",
        )
        yield damage(MANIFEST_KEY, error)
    try:
        recall(version)
    except DamageError as error:
        yield damage(CRATE_KEY, error)
    if manifest.source_id is not None:
        yield from _about_claim(version.objects.url, manifest.source_id)


def _about_claim(location: str, source_id: str) -> Iterator[Damage]:
    """Check that the store knows what its source became; a folder by itself is no store."""
    split = split_location(location)
    objects = open_objects(split[0]) if split else None
    if objects is None or objects.size(".attempts/0") is None:
        return
    keys, _ = claim_keys(objects, source_id)
    if not keys:
        key = f".claims/{source_id.removeprefix('blake3:')}"
        error = ManifestError(
            "its claim is gone: the same source would become a second dataset in this store",
            where=f"{objects.url}/{key}",
            next_step="restore it from a copy of the store, or `hsc replicate` it here again",
        )
        yield damage(key, error)
