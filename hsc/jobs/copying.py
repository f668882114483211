"""Copying the objects of a version from where it lies to another place, on workers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from hsc.errors import (
    CorruptShardError,
    DamageError,
    ManifestError,
    ObjectExistsError,
    StoreFullError,
)
from hsc.jobs.space import check_space
from hsc.store import (
    MANIFEST_KEY,
    REFERENCES_KEY,
    CheckedVersion,
    CopiesFrom,
    DirectoryObjects,
    Manifest,
    NewObject,
    ObjectEntry,
    ObjectStore,
    begin_object,
    copy_object,
    holds,
    open_objects,
)
from hsc.workers import Progress, Workers

_LOG = logging.getLogger(__name__)
_PARTS_BYTES = 32 << 20
_BATCH_BYTES = 32 << 20
_BATCH_OBJECTS = 32


@dataclass(frozen=True, slots=True)
class CopyTask:
    """Objects of a version that one worker copies."""

    sources: tuple[str, ...]
    """URLs of folders that the version lies in; the first that has an object as it was written
    gives it."""
    store: str
    """URL of the store to copy to."""
    folder: str
    """Folder of the version below it; empty for the store itself."""
    entries: tuple[ObjectEntry, ...]
    """The objects."""
    over: bool = False
    """Whether a stub is replaced in one step; for a folder that readers may be at."""
    read_back: bool = False
    """Whether each object is read again from where it was copied to."""

    @property
    def nbytes(self) -> int:
        """Bytes to copy."""
        return sum(entry.nbytes for entry in self.entries)

    def key(self, entry: ObjectEntry) -> str:
        """Give an object's key below the store."""
        return f"{self.folder}/{entry.key}" if self.folder else entry.key


@dataclass(frozen=True, slots=True)
class Copied:
    """What came of copying."""

    objects: int = 0
    """Objects that were written."""
    nbytes: int = 0
    """Their bytes."""
    kept: int = 0
    """Objects that lay there complete, and were checked and kept."""

    def __add__(self, other: Copied) -> Copied:
        """Give both together."""
        return Copied(
            self.objects + other.objects, self.nbytes + other.nbytes, self.kept + other.kept
        )


def copy_entries(
    entries: Sequence[ObjectEntry], like: CopyTask, workers: Workers, progress: Progress
) -> Copied:
    """Copy objects, those that readers begin with last.

    Until its metadata is there no reader takes a half-copied array for one with empty places.

    Parameters
    ----------
    entries
        The objects.
    like
        From where to where, without any objects.

    Raises
    ------
    StoreFullError
        There is no room for what is not there yet.
    DamageError
        An object is damaged in all replicas.
    """
    own = [entry for entry in entries if not entry.absent and not entry.packed]
    _check_space(own, like)
    progress.start("copy", sum(entry.nbytes for entry in own), "bytes")
    done = Copied()
    for late in (False, True):
        tasks = list(_batches([e for e in own if _begins(e) is late], like))
        weights = [task.nbytes for task in tasks]
        needs = [_need(task) for task in tasks]
        parts = workers.map(copy_batch, tasks, progress=progress, weights=weights, needs=needs)
        done = sum(parts, done)
    progress.finish()
    return done


def manifest_bytes(version: CheckedVersion) -> bytes:
    """Give the bytes of an open version's manifest, once more from its store.

    Raises
    ------
    ManifestError
        They are no longer those of that version.
    """
    data, where = version.objects.get(MANIFEST_KEY), f"{version.objects.url}/{MANIFEST_KEY}"
    if Manifest.decode(data, where).root != version.manifest.root:
        raise ManifestError("the manifest changed while the version was copied", where=where)
    return data


def _check_space(own: Sequence[ObjectEntry], like: CopyTask) -> None:
    try:
        check_space(like.store, sum(entry.nbytes for entry in own), len(own))
    except StoreFullError:  # some of it may be there: an attempt died
        target = open_objects(like.store)
        missing = [entry for entry in own if target.size(like.key(entry)) != entry.nbytes]
        check_space(like.store, sum(entry.nbytes for entry in missing), len(missing))


def copy_batch(task: CopyTask) -> Copied:
    """Copy some objects; runs on a worker."""
    target = open_objects(task.store)
    return sum((_copy_one(target, task, entry) for entry in task.entries), Copied())


def _begins(entry: ObjectEntry) -> bool:
    """Tell whether readers learn from an object what else there is."""
    name = entry.key.rpartition("/")[2]
    return name == "zarr.json" or entry.key == REFERENCES_KEY or entry.key.endswith(".zip")


def _batches(entries: Sequence[ObjectEntry], like: CopyTask) -> Iterator[CopyTask]:
    batch: list[ObjectEntry] = []
    nbytes = 0
    for entry in entries:
        batch.append(entry)
        nbytes += entry.nbytes
        if nbytes >= _BATCH_BYTES or len(batch) >= _BATCH_OBJECTS:
            yield _task(like, batch)
            batch, nbytes = [], 0
    if batch:
        yield _task(like, batch)


def _task(like: CopyTask, entries: Sequence[ObjectEntry]) -> CopyTask:
    return replace(like, entries=tuple(entries))


def _need(task: CopyTask) -> int:
    """Give the memory that a task takes: a store that takes no parts has each object whole."""
    whole = 0 if task.store.startswith("file:") else max(e.nbytes for e in task.entries)
    return whole + _PARTS_BYTES


def _copy_one(target: ObjectStore, task: CopyTask, entry: ObjectEntry) -> Copied:
    key = task.key(entry)
    there = target.size(key)
    if there is not None:
        if holds(target, key, entry):
            return Copied(kept=1)
        if not task.over:  # an attempt left it; nothing is committed yet
            target.delete(key)
    try:
        if _by_server(target, task, entry, key):
            return Copied(1, entry.nbytes)
        _from_first(task, entry, _beginner(target, key, over=task.over))
    except ObjectExistsError:  # somebody copies the same at the same time
        if not holds(target, key, entry):
            raise
        return Copied(kept=1)
    if task.read_back and not holds(target, key, entry):
        raise CorruptShardError(
            "what was copied reads back as other bytes",
            where=f"{target.url}/{key}",
            next_step="look after the store and the way to it; nothing was committed there",
        )
    return Copied(1, entry.nbytes)


def _by_server(target: ObjectStore, task: CopyTask, entry: ObjectEntry, key: str) -> bool:
    """Have the server that both lie on copy an object, and read the copy; False: not that way."""
    source = open_objects(task.sources[0])
    if not isinstance(target, CopiesFrom) or not target.copy_from(
        source, entry.key, key, entry.nbytes
    ):
        return False
    if holds(target, key, entry):
        return True
    target.delete(key)  # the source is damaged: another replica may not be
    return False


def _from_first(task: CopyTask, entry: ObjectEntry, begin: Callable[[], NewObject]) -> None:
    """Copy an object from the first place that has it as it was written."""
    first: DamageError | None = None
    for location in task.sources:
        try:
            copy_object(open_objects(location), entry, begin)
        except DamageError as error:
            _LOG.warning("%s: %s; trying another replica", error.message, error.where)
            first = first or error
        else:
            return
    raise first or AssertionError("a version has at least one replica")


def _beginner(target: ObjectStore, key: str, *, over: bool) -> Callable[[], NewObject]:
    if over and isinstance(target, DirectoryObjects):
        return lambda: target.begin(key, over=True)
    return lambda: begin_object(target, key)
