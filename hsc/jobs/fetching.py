"""The fetch job: a version, or parts of it, as a local folder that any reader opens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from hsc.client import connect
from hsc.errors import ObjectExistsError, StoreError
from hsc.jobs.copying import CopyTask, copy_entries, manifest_bytes
from hsc.jobs.locating import Located, locate, locate_folder
from hsc.jobs.selecting import read_parts
from hsc.model import Pid, Record, canonical_json
from hsc.reading import open_dataset
from hsc.store import (
    CHECKSUMS_KEY,
    FETCHED_KEY,
    MANIFEST_KEY,
    STUB,
    DirectoryObjects,
    FetchedFolder,
    Manifest,
    ObjectEntry,
    checksum_lines,
    is_stub,
    read_fetched,
    withheld_keys,
)
from hsc.workers import Bounds, Progress, Silent, open_workers


class FetchRequest(Record):
    """What to bring home, and where to."""

    pid: Pid | None = None
    """The dataset; without a version the newest. None: what `location` names."""
    location: str | None = None
    """URL of a version's folder, in place of a PID."""
    folder: str
    """Absolute path of the local folder; made when it is not there."""
    select: tuple[str, ...] = ()
    """Paths of arrays, groups or carried files; nothing: everything."""
    workers: int | None = Field(default=None, ge=1)
    """Threads at work; None: as many as there are processors."""
    max_rate: int | None = Field(default=None, ge=1)
    """Bytes a second that are written; None: as fast as it goes."""


class Fetched(Record):
    """What lies in the folder now."""

    pid: Pid
    """The dataset, without a version."""
    version: int
    """Which version of it."""
    root: str
    """Its root."""
    folder: str
    """Absolute path of the local folder."""
    objects: int
    """Objects that were fetched."""
    bytes: int
    """Their bytes."""
    kept: int
    """Objects that lay there complete, and were checked."""
    not_fetched: tuple[str, ...] = ()
    """Arrays and carried files that are not there: reading one is an error, never zeros."""
    seconds: float = 0.0
    """How long it took."""


def fetch(request: FetchRequest, *, progress: Progress | None = None) -> Fetched:
    """Bring a version home, checked; the same again goes on where it was, or brings the rest.

    The folder is a version by itself: its ``data.zarr`` opens with stock zarr, the whole with
    `hsc.open`, and ``b3sum --check manifest.b3`` checks it.

    Raises
    ------
    DatasetNotFoundError
        There is no such dataset.
    ArchivedError
        No replica can be read.
    DamageError
        An object is damaged in all replicas.
    ObjectExistsError
        The folder holds something else.
    RoleMissingError
        There is nothing at a path that was asked for.
    """
    started = time.perf_counter()
    located = _locate(request)
    record = located.record
    dataset = open_dataset(record, located.others)
    parts = read_parts(dataset)
    chosen = parts.chosen(request.select)
    home = _Home(Path(request.folder), located)
    left = {
        name: entries
        for name, entries in {**parts.arrays, **parts.files}.items()
        if name not in chosen and not home.holds(entries)
    }
    withheld = withheld_keys(dataset.version.objects, dataset.version.manifest)
    out = [each.key for entries in left.values() for each in entries] + sorted(withheld)
    home.claim(dataset.version.manifest, out)
    home.put_stubs([e for name in left if name in parts.arrays for e in left[name]])
    wanted = [each for each in parts.entries(chosen) if each.key not in withheld]
    with open_workers("threads", request.workers, Bounds(None, request.max_rate)) as workers:
        like = CopyTask(located.locations, home.url, "", (), over=True)
        done = copy_entries(wanted, like, workers, progress or Silent())
    home.finish(dataset.version.manifest, manifest_bytes(dataset.version))
    return Fetched(
        pid=record.pid,
        version=record.version,
        root=record.root,
        folder=request.folder,
        objects=done.objects,
        bytes=done.nbytes,
        kept=done.kept,
        not_fetched=tuple(name for name, entries in left.items() if entries),
        seconds=round(time.perf_counter() - started, 3),
    )


def _locate(request: FetchRequest) -> Located:
    if request.location is not None or request.pid is None:
        return locate_folder(request.location or "")
    with connect(create=False) as catalog:
        return locate(catalog, request.pid)


class _Home:
    """The local folder."""

    def __init__(self, folder: Path, located: Located) -> None:
        self._folder = folder
        self._objects = DirectoryObjects(folder)
        self._located = located
        self.url = self._objects.url

    def claim(self, manifest: Manifest, left: Sequence[str]) -> None:
        """Make the folder ours before anything is put there.

        Raises
        ------
        ObjectExistsError
            It holds something else.
        StoreError
            A key would lead out of it.
        """
        before = read_fetched(self._objects)
        if self._others(before):
            raise ObjectExistsError(
                "the folder holds something else",
                where=str(self._folder),
                next_step="name an empty or a new one, or the one that this version was fetched "
                "to before",
            )
        for entry in manifest.entries:
            self._check_inside(entry.key)
        # What is asked for now and was left out before is so until it is here.
        self._tell(frozenset(left) | (before.left if before is not None else frozenset()))
        for key, _ in self._objects.strays():
            self._objects.delete(key)

    def holds(self, entries: Sequence[ObjectEntry]) -> bool:
        """Tell whether objects were fetched before: each has its size, and is no stub."""
        return all(
            self._objects.size(each.key) == each.nbytes and not is_stub(self._objects, each)
            for each in entries
        )

    def put_stubs(self, entries: Sequence[ObjectEntry]) -> None:
        """Put a stub wherever an object is left out and other readers would see zeros."""
        for entry in entries:
            if self._objects.size(entry.key) is None:
                self._put(entry.key, STUB)

    def finish(self, manifest: Manifest, encoded: bytes) -> None:
        """Put the list of what is there, then the manifest: from here on there is a version."""
        there = [e for e in manifest.entries if not (e.absent or e.packed) and self.holds([e])]
        held = {entry.key for entry in there}
        kept = (e.key for e in manifest.entries if not (e.absent or e.packed))
        self._tell(frozenset(key for key in kept if key not in held))
        lines = checksum_lines(Manifest(manifest.root, tuple(there)), encoded)
        self._put(CHECKSUMS_KEY, lines)
        self._put(MANIFEST_KEY, encoded)
        temporary = self._folder / ".tmp"
        if temporary.is_dir() and not any(temporary.iterdir()):
            temporary.rmdir()

    def _others(self, before: FetchedFolder | None) -> bool:
        """Tell whether the folder holds something else."""
        if before is not None:
            return before.root != self._located.record.root
        if not self._folder.is_dir():
            return self._folder.exists()
        return any(each.name != ".tmp" for each in self._folder.iterdir())

    def _tell(self, left: frozenset[str]) -> None:
        record = self._located.record
        told = FetchedFolder(pid=record.pid.at(record.version), root=record.root, left=left)
        document = told.document()
        document["left"].sort()
        self._put(FETCHED_KEY, canonical_json(document))

    def _check_inside(self, key: str) -> None:
        root = self._folder.resolve()
        if "\\" in key or not (root / key).resolve().is_relative_to(root):
            raise StoreError(
                f"{key!r} leads out of the folder",
                where=str(self._folder),
                next_step="do not trust the store that it came from; look for links in the folder",
            )

    def _put(self, key: str, data: bytes) -> None:
        with self._objects.begin(key, over=True) as made:
            made.write(np.frombuffer(data, np.uint8), len(data))
            made.place()
