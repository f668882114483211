"""Checked reading: what the manifest lists is there and is what was written, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import google_crc32c
from blake3 import blake3

from hsc.errors import (
    CorruptShardError,
    DamageError,
    ManifestError,
    MissingShardError,
    ObjectMissingError,
)
from hsc.store.manifest import MANIFEST_KEY, Manifest, ObjectEntry
from hsc.store.objects import ObjectStore, open_objects
from hsc.store.shards import ChunkState, shard_index

_T = TypeVar("_T")
_ADVICE = "read another replica, or ingest the source again; the catalog knows where it came from"


class CheckedVersion:
    """One committed version of a dataset, read against its manifest.

    Parameters
    ----------
    objects
        Objects of the version's folder.
    manifest
        Its manifest.
    """

    def __init__(self, objects: ObjectStore, manifest: Manifest) -> None:
        self.objects = objects
        self.manifest = manifest
        self._entries = {entry.key: entry for entry in manifest.entries}

    def entry(self, key: str) -> ObjectEntry | None:
        """Give what the manifest says of a key; None when it does not know it."""
        return self._entries.get(key)

    def read(self, key: str) -> bytes | None:
        """Give a whole object, its digest checked; None when it is rightly absent.

        Raises
        ------
        MissingShardError
            The manifest lists the object and the store has none.
        CorruptShardError
            The bytes are not those that were written, also after a fresh try.
        """
        entry = self._entries.get(key)
        if entry is None or entry.absent:
            return None

        def attempt() -> bytes:
            data = self._get(entry, 0, None)
            if len(data) != entry.nbytes or blake3(data).digest() != entry.digest:
                raise CorruptShardError(
                    f"the object's {len(data)} bytes are not the {entry.nbytes} that were written",
                    where=self._where(key),
                    next_step=_ADVICE,
                )
            return data

        return _twice(attempt)

    def read_chunk(self, key: str, index: int) -> bytes | None:
        """Give the encoded bytes of an inner chunk, its crc32c checked; None when empty.

        Raises
        ------
        MissingShardError, CorruptShardError
            As `read`; also for a gap, which never reads as data.
        """
        entry = self._entries.get(key)
        if entry is None or entry.chunks.states[index] == ChunkState.EMPTY:
            return None
        start = int(entry.chunks.offsets[index])
        length = int(entry.chunks.lengths[index])

        def attempt() -> bytes:
            data = self._get(entry, start, start + length)
            wrong = google_crc32c.value(data) != int(entry.chunks.crcs[index])
            if len(data) != length or wrong:
                raise CorruptShardError(
                    "the chunk's checksum is wrong",
                    where=f"{self._where(key)}, chunk {index}",
                    next_step=_ADVICE,
                )
            return data

        return _twice(attempt)

    def read_range(self, key: str, start: int, stop: int | None) -> bytes | None:
        """Give a part of an object; checked where it is one inner chunk or the shard's index."""
        entry = self._entries.get(key)
        if entry is None or entry.absent:
            return None
        end = entry.nbytes if stop is None else min(stop, entry.nbytes)

        def attempt() -> bytes:
            data = self._get(entry, start, end)
            if len(data) != end - start or not _part_holds(entry, start, data):
                raise CorruptShardError(
                    f"bytes {start} to {end} are not those that were written",
                    where=self._where(key),
                    next_step=_ADVICE,
                )
            return data

        return _twice(attempt)

    def _get(self, entry: ObjectEntry, start: int, stop: int | None) -> bytes:
        try:
            return self.objects.get(entry.key, start, stop)
        except ObjectMissingError as error:
            raise MissingShardError(
                f"an object of {entry.nbytes} bytes is gone from the store",
                where=self._where(entry.key),
                next_step=_ADVICE,
            ) from error

    def _where(self, key: str) -> str:
        return f"{self.objects.url}/{key}"


def open_version(location: str) -> CheckedVersion:
    """Open a committed version by the URL of its folder.

    Raises
    ------
    ManifestError
        There is no manifest, or it is damaged.
    """
    objects = open_objects(location)
    where = f"{location}/{MANIFEST_KEY}"
    try:
        data = objects.get(MANIFEST_KEY)
    except ObjectMissingError as error:
        raise ManifestError(
            "the version has no manifest", where=where, next_step=_ADVICE
        ) from error
    return CheckedVersion(objects, Manifest.decode(data, where))


def _part_holds(entry: ObjectEntry, start: int, data: bytes) -> bool:
    """Check data against the chunk or the shard index that begins at ``start`` and is as long."""
    table = entry.chunks
    if len(data) == 16 * len(table) + 4 and start + len(data) == entry.nbytes:
        return data[:-4] == shard_index(table) and _crc_holds(data)
    there = table.states != ChunkState.EMPTY
    matches = there & (table.offsets == start) & (table.lengths + 4 == len(data))
    for index in matches.nonzero()[0]:
        if data[-4:] != int(table.crcs[index]).to_bytes(4, "little") or not _crc_holds(data):
            return False
    return True


def _crc_holds(data: bytes) -> bool:
    return bool(google_crc32c.value(data[:-4]).to_bytes(4, "little") == data[-4:])


def _twice(attempt: Callable[[], _T]) -> _T:
    # One fresh try: a proxy or a cache may have cut an answer short.
    try:
        return attempt()
    except DamageError:
        return attempt()
