"""Checking a version's objects against its manifest, streamed; nothing is repaired."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import google_crc32c
import numpy as np

from hsc.errors import (
    CorruptShardError,
    HscError,
    ManifestError,
    MissingShardError,
    ObjectMissingError,
    StoreError,
)
from hsc.model import Record
from hsc.store.buffers import give_back
from hsc.store.layers import Layers
from hsc.store.manifest import ObjectEntry
from hsc.store.objects import ObjectStore
from hsc.store.shards import ChunkState
from hsc.store.stubs import is_stub
from hsc.store.windows import windows

_BRING_BACK = (
    "copy it from a replica that is whole (`hsc show` lists them); hsc.open falls back to that one"
)


class Damage(Record):
    """One object that is not as it was written."""

    key: str
    """Its key below the version's folder."""
    error: str
    """Class name of the error that reading it ends in."""
    message: str
    """What is wrong."""
    where: str = ""
    """URL of the object."""
    next: str = ""
    """What to do."""
    chunks: tuple[int, ...] = ()
    """Which of its inner chunks are wrong, as far as they are; empty where none can be named."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking at one object, and at what lies in it."""

    damaged: tuple[Damage, ...] = ()
    """What is wrong."""
    fetched: bool = True
    """False where a stub lies in its place: it was left out on purpose."""
    nbytes: int = 0
    """Bytes that were read."""


def check_object(
    objects: ObjectStore,
    entry: ObjectEntry,
    inside: Sequence[ObjectEntry] = (),
    *,
    partial: bool = False,
) -> Looked:
    """Check an object and what lies in it; what is wrong is looked at twice.

    Its size, its BLAKE3 digest and, of a shard, its index and the checksum beside each chunk,
    against the table of the manifest. Where the digest is right the bytes are those that were
    written, so that the checksums need not be computed again; where it is wrong they are, to name
    the chunks. It is read once, in windows.

    Parameters
    ----------
    objects
        Objects of the version's folder.
    entry
        The object.
    inside
        What lies in it, of a pack.
    partial
        Whether it was left out when this copy was fetched, so that a stub in its place, or
        nothing, is no damage.

    Raises
    ------
    StoreUnavailableError, StoreError
        The store does not answer, or does not let us read.
    """
    if partial and (objects.size(entry.key) is None or is_stub(objects, entry)):
        return Looked(fetched=False)
    looked = _look(objects, entry, inside)
    return _look(objects, entry, inside) if looked.damaged else looked


def damage(key: str, error: HscError, chunks: Sequence[int] = ()) -> Damage:
    """Word an error as damage of an object."""
    told = error.document()
    return Damage(key=key, **told, chunks=tuple(chunks))


def _look(objects: ObjectStore, entry: ObjectEntry, inside: Sequence[ObjectEntry]) -> Looked:
    where = f"{objects.url}/{entry.key}"
    size = objects.size(entry.key)
    if entry.absent:
        return Looked(() if size is None else (_uninvited(entry.key, where),))
    if size != entry.nbytes:
        return Looked((_sized(entry, size, where),))
    layers = Layers(entry, inside)
    try:
        for buffer, count in windows(objects, entry.key, entry.nbytes):
            layers.take(buffer[:count])
            give_back(buffer)
    except ObjectMissingError:
        return Looked((_sized(entry, None, where),))
    except StoreError as error:
        # A sector of the disk that can't be read is damage of this object; no word from a server
        # is none.
        if getattr(error.__cause__, "errno", None) != errno.EIO:
            raise
        return Looked((damage(entry.key, error),))
    return Looked(tuple(_judged(objects, entry, layers, where)), nbytes=entry.nbytes)


def _judged(
    objects: ObjectStore, entry: ObjectEntry, layers: Layers, where: str
) -> Iterator[Damage]:
    if layers.digest() != entry.digest:
        wrong = _wrong_chunks(lambda a, b: objects.get(entry.key, a, b), entry)
        chunks = f"; {len(wrong)} of its {len(entry.chunks)} chunks are wrong" if wrong else ""
        told = CorruptShardError(
            f"its bytes are not those that were written{chunks}", where=where, next_step=_BRING_BACK
        )
        yield damage(entry.key, told, wrong)
    elif layers.other_table():
        error = ManifestError(
            "its table of chunks is not the manifest's", where=where, next_step=_BRING_BACK
        )
        yield damage(entry.key, error)
    for held in layers.wrong():
        what = f"it is not what was written, in {entry.key}"
        yield damage(held.key, CorruptShardError(what, where=where, next_step=_BRING_BACK))


def _wrong_chunks(read: Callable[[int, int], bytes], entry: ObjectEntry) -> list[int]:
    table, wrong = entry.chunks, []
    for number in map(int, np.flatnonzero(table.states == ChunkState.DATA)):
        start = int(table.offsets[number])
        data = read(start, start + int(table.lengths[number]))
        if google_crc32c.value(data) != int(table.crcs[number]):
            wrong.append(number)
    return wrong


def _sized(entry: ObjectEntry, size: int | None, where: str) -> Damage:
    kind = MissingShardError if size is None else CorruptShardError
    what = "it is gone" if size is None else f"it has {size} bytes"
    error = kind(f"{what}, of {entry.nbytes} written", where=where, next_step=_BRING_BACK)
    return damage(entry.key, error)


def _uninvited(key: str, where: str) -> Damage:
    error = CorruptShardError(
        "an object lies where none was written: other readers take it for data",
        where=where,
        next_step="find out who put it there, and remove it",
    )
    return damage(key, error)
