"""Assets: bytes of a run that are no array, carried as they are under ``files/``.

An asset is one object. One of more than 256 MB is cut into numbered parts, ``<name>%part-00000``
..., so that each is one PUT of bounded memory; joined in order they are the file again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.errors import SourceChangedError, SourceMissingError, VerificationError
from hsc.ingestion.known import NO_MAKINGS, KnownObject
from hsc.layouts import Asset, Run
from hsc.store import (
    BUFFER_BYTES,
    FILES,
    CheckedVersion,
    Manifest,
    ObjectEntry,
    VersionWriter,
    give_back,
    open_objects,
    store_names,
    take_buffer,
)
from hsc.workers import Progress, Workers

PART_BYTES = 256 * 10**6
_SAMPLES = 16


@dataclass(frozen=True, slots=True)
class PlannedAsset:
    """One object of an asset: all of it, or a numbered part."""

    key: str
    """Key of the object below the version's folder."""
    path: str
    """The file that it stands in."""
    source: int
    """Index of that file into the manifest's files."""
    start: int
    """First byte."""
    stop: int
    """End of the last byte."""

    @property
    def nbytes(self) -> int:
        """Bytes of the object."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class AssetTask:
    """One object of an asset, and where it goes."""

    store: str
    """URL of the store; the worker opens it with its own credentials."""
    location: str
    """Folder of the version below the store."""
    asset: PlannedAsset
    """The object."""
    resumed: bool
    """Whether an earlier attempt may have written it."""
    makings: bytes = NO_MAKINGS
    """What it is made of; zeros: not known."""
    known: KnownObject | None = None
    """What the version before has under its key; None: nothing to be copied."""

    @property
    def memory_nbytes(self) -> int:
        """Bytes of memory that writing it may take."""
        # To a directory it goes part by part, to an object store in one piece.
        held = 0 if self.store.startswith("file:") else self.asset.nbytes
        return held + min(self.asset.nbytes, 2 * BUFFER_BYTES)


@dataclass(frozen=True, slots=True)
class MadeAsset:
    """One object of an asset that is there."""

    entry: ObjectEntry
    """What the manifest says of it."""
    copied: bool = False
    """Whether it was copied inside the store."""


def plan_assets(run: Run, part_bytes: int = PART_BYTES) -> tuple[PlannedAsset, ...]:
    """Give the objects of all assets of a run, by key.

    Parameters
    ----------
    part_bytes
        Most bytes of one object.
    """
    index = {file.path: number for number, file in enumerate(run.sources)}
    keys = asset_keys(asset.name for asset in run.assets)
    planned = [
        PlannedAsset(key, str(asset.path), index[asset.path], start, stop)
        for asset in run.assets
        for key, start, stop in _parts(asset, keys[asset.name], part_bytes)
    ]
    return tuple(sorted(planned, key=lambda each: each.key.encode()))


def asset_keys(names: Iterable[str]) -> dict[str, str]:
    """Give the key of each asset by its name, safe for every store; made per folder.

    Examples
    --------
    >>> asset_keys(["notes/día 1.txt", "notes/a:b"])
    {'notes/día 1.txt': 'files/notes/día 1.txt', 'notes/a:b': 'files/notes/a%3Ab'}
    """
    wanted = list(names)
    children: dict[str, set[str]] = {}
    for name in wanted:
        steps = name.split("/")
        for depth, step in enumerate(steps):
            children.setdefault("/".join(steps[:depth]), set()).add(step)
    keys = {"": FILES}
    for folder in sorted(children, key=lambda each: each.count("/") if each else -1):
        for name, stored in store_names(children[folder]).items():
            keys[f"{folder}/{name}" if folder else name] = f"{keys[folder]}/{stored}"
    return {name: keys[name] for name in wanted}


def write_assets(
    tasks: Sequence[AssetTask], *, workers: Workers, progress: Progress
) -> list[MadeAsset]:
    """Write assets on workers.

    Raises
    ------
    SourceMissingError, SourceChangedError
        A file went away, or ends earlier than it did.
    """
    if not tasks:
        return []
    weights = [task.asset.nbytes for task in tasks]
    progress.start("carry files", sum(weights), "bytes")
    needs = [task.memory_nbytes for task in tasks]
    made = workers.map(make_asset, tasks, progress=progress, weights=weights, needs=needs)
    progress.finish()
    return list(made)


def make_asset(task: AssetTask) -> MadeAsset:
    """Write one object of an asset; one that an earlier attempt finished is left as it is."""
    writer = VersionWriter(open_objects(task.store), task.location)
    finished = writer.finished(task.asset.key) if task.resumed else None
    if finished is not None:
        return MadeAsset(finished)
    known = task.known
    if known is not None and known.same:
        entry = _entry(task.asset, known.entry.digest, task.makings)
        if known.copy_as(entry, writer):
            return MadeAsset(entry, copied=True)
    with writer.open_object(task.asset.key) as written:
        digest = blake3()
        for buffer, nbytes in _blocks(task.asset):
            digest.update(buffer[:nbytes].data)
            if not written.write(buffer, nbytes):
                give_back(buffer)
        entry = _entry(task.asset, digest.digest(), task.makings)
        writer.place(entry, written)
    return MadeAsset(entry)


def build_asset(asset: PlannedAsset) -> tuple[ObjectEntry, bytes]:
    """Read one object of an asset, and make its entry."""
    data = _read(asset)
    # An empty file is an object too, of no bytes: absent means that chunks are empty.
    return _entry(asset, blake3(data).digest(), NO_MAKINGS), data


def verify_assets(
    assets: Sequence[PlannedAsset], version: str, entries: Sequence[ObjectEntry], *, how: str
) -> None:
    """Compare what was written of assets with the files, byte for byte.

    Parameters
    ----------
    version
        URL of the version's folder.
    how
        ``none``, ``sample`` (16 objects at most, the smallest) or ``full``.

    Raises
    ------
    VerificationError
        An object differs from the file.
    DamageError
        An object can't be read back.
    """
    if how == "none":
        return
    written = CheckedVersion(open_objects(version), Manifest(root="", entries=tuple(entries)))
    chosen = assets if how == "full" else sorted(assets, key=lambda each: each.nbytes)[:_SAMPLES]
    for asset in chosen:
        if written.read(asset.key) != build_asset(asset)[1]:
            raise VerificationError(
                "what was written differs from the source",
                where=f"{asset.path}, {asset.key}",
                next_step="nothing was committed; look whether somebody writes to the file",
            )


def same_assets(assets: Sequence[PlannedAsset], entries: Iterable[ObjectEntry]) -> bool:
    """Tell whether committed entries are those of the assets, byte for byte."""
    digests = {entry.key: entry.digest for entry in entries if entry.key.startswith(f"{FILES}/")}
    return set(digests) == {asset.key for asset in assets} and all(
        build_asset(asset)[0].digest == digests[asset.key] for asset in assets
    )


def _entry(asset: PlannedAsset, digest: bytes, makings: bytes) -> ObjectEntry:
    return ObjectEntry(
        asset.key,
        asset.nbytes,
        digest,
        source_file=asset.source,
        source_start=asset.start,
        source_stop=asset.stop,
        makings=makings,
    )


def _parts(asset: Asset, key: str, part_bytes: int) -> Iterable[tuple[str, int, int]]:
    stop = asset.start + asset.nbytes
    if asset.nbytes <= part_bytes:
        yield key, asset.start, stop
        return
    # No name becomes such a key: a per cent sign in a name is escaped.
    for number, start in enumerate(range(asset.start, stop, part_bytes)):
        yield f"{key}%part-{number:05}", start, min(start + part_bytes, stop)


def _read(asset: PlannedAsset) -> bytes:
    parts: list[bytes] = []
    for buffer, nbytes in _blocks(asset):
        parts.append(buffer[:nbytes].tobytes())
        give_back(buffer)
    return b"".join(parts)


def _blocks(asset: PlannedAsset) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Give an object's bytes in buffers, each whoever takes it to keep or to give back."""
    left = asset.nbytes
    while left:
        buffer = take_buffer(min(left, BUFFER_BYTES))
        with _told(asset), open(asset.path, "rb", buffering=0) as file:
            file.seek(asset.stop - left)
            nbytes = file.readinto(buffer[:left].data)
        if not nbytes:
            raise SourceChangedError(
                f"the file ends {left} bytes earlier than it did",
                where=asset.path,
                next_step="wait until nothing writes to it any more, then ingest again",
            )
        left -= nbytes
        yield buffer, nbytes


@contextmanager
def _told(asset: PlannedAsset) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceMissingError(
            f"the file can't be read: {error.strerror}",
            where=asset.path,
            next_step="look where it went and who may read it, then ingest again",
        ) from error
