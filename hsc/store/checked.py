"""Checked reading: what the manifest lists is there and is what was written, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import google_crc32c
import numpy as np
from blake3 import blake3

from hsc.errors import (
    CorruptShardError,
    DamageError,
    GapError,
    ManifestError,
    MissingShardError,
    ObjectMissingError,
)
from hsc.store.kept import KeptPacks
from hsc.store.manifest import MANIFEST_KEY, Manifest, ObjectEntry, pack_key
from hsc.store.objects import ObjectStore
from hsc.store.shards import ChunkState, shard_index
from hsc.store.url import open_objects

_T = TypeVar("_T")
_ADVICE = "restore it from a copy of the store; `hsc lineage` tells which files it was made of"


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
        self._packs = KeptPacks(objects)

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
                    where=self._where(entry),
                    next_step=_ADVICE,
                )
            return data

        return self._twice(entry, attempt)

    def read_chunk(self, key: str, index: int) -> bytes | None:
        """Give the encoded bytes of an inner chunk, its crc32c checked; None when empty.

        Raises
        ------
        MissingShardError, CorruptShardError
            As `read`.
        GapError
            The chunk is a gap, which never reads as data.
        ManifestError
            The manifest does not list the chunk, not even as empty.
        """
        entry = self._entries.get(key)
        if entry is None or index >= len(entry.chunks):
            raise ManifestError(
                "the manifest does not know the chunk",
                where=f"{self.objects.url}/{key}, chunk {index}",
                next_step=_ADVICE,
            )
        if entry.chunks.states[index] == ChunkState.EMPTY:
            return None
        if entry.chunks.states[index] == ChunkState.GAP:
            raise self._gap(entry, index)
        start = int(entry.chunks.offsets[index])
        length = int(entry.chunks.lengths[index])

        def attempt() -> bytes:
            data = self._get(entry, start, start + length)
            wrong = google_crc32c.value(data) != int(entry.chunks.crcs[index])
            if len(data) != length or wrong:
                raise CorruptShardError(
                    "the chunk's checksum is wrong",
                    where=f"{self._where(entry)}, chunk {index}",
                    next_step=_ADVICE,
                )
            return data

        return self._twice(entry, attempt)

    def read_range(self, key: str, start: int, stop: int | None) -> bytes | None:
        """Give a part of an object, checked.

        A part that is made of whole inner chunks and the shard's index is checked against their
        checksums; for any other the whole object is read.

        Raises
        ------
        GapError
            It holds a gap.
        """
        entry = self._entries.get(key)
        if entry is None or entry.absent:
            return None
        end = entry.nbytes if stop is None else min(stop, entry.nbytes)
        self.refuse_gaps(key, start, end)
        parts = _parts(entry, start, end)
        if parts is None:
            return (self.read(key) or b"")[start:end]

        def attempt() -> bytes:
            data = self._get(entry, start, end)
            held = (_part_holds(data[a - start : b - start], crc) for a, b, crc in parts)
            if len(data) != end - start or not all(held):
                raise CorruptShardError(
                    f"bytes {start} to {end} are not those that were written",
                    where=self._where(entry),
                    next_step=_ADVICE,
                )
            return data

        return self._twice(entry, attempt)

    def refuse_gaps(self, key: str, start: int = 0, stop: int | None = None) -> None:
        """Refuse a part of an object that touches a gap.

        Raises
        ------
        GapError
            It does.
        """
        entry = self._entries.get(key)
        if entry is None:
            return
        table = entry.chunks
        for index in map(int, table.gaps):
            first = int(table.offsets[index])
            last = first + int(table.lengths[index]) + 4
            if start < last and (stop is None or first < stop):
                raise self._gap(entry, index)

    def check_present(self) -> None:
        """Look whether every object of the store is there with its size; nothing is read.

        Raises
        ------
        MissingShardError, CorruptShardError
            One is not.
        """
        for entry in self.manifest.entries:
            if entry.absent or entry.packed:
                continue
            found = self.objects.size(entry.key)
            if found == entry.nbytes:
                continue
            kind = MissingShardError if found is None else CorruptShardError
            raise kind(
                f"an object of {entry.nbytes} bytes has {found or 0}",
                where=self._where(entry),
                next_step=_ADVICE,
            )

    def _gap(self, entry: ObjectEntry, index: int) -> GapError:
        return GapError(
            "the chunk is a gap: it could not be carried over from its source",
            where=f"{self._where(entry)}, chunk {index}",
            next_step="`hsc show` gives the reason; read the chunks beside it",
        )

    def _get(self, entry: ObjectEntry, start: int, stop: int | None) -> bytes:
        pack = self._pack(entry)
        try:
            if pack is None:
                return self.objects.get(entry.key, start, stop)
            end = entry.nbytes if stop is None else min(stop, entry.nbytes)
            first = entry.pack_offset
            return self._packs.get(pack.key, pack.nbytes, first + start, first + end)
        except ObjectMissingError as error:
            lost = pack or entry
            raise MissingShardError(
                f"an object of {lost.nbytes} bytes is gone from the store",
                where=self._where(entry),
                next_step=_ADVICE,
            ) from error

    def _pack(self, entry: ObjectEntry) -> ObjectEntry | None:
        """Give the pack that an object lies in; None for an object of its own."""
        if not entry.packed:
            return None
        pack = self._entries.get(pack_key(entry.pack))
        if pack is None:
            raise ManifestError(
                f"the manifest does not know pack {entry.pack}",
                where=self._where(entry),
                next_step=_ADVICE,
            )
        return pack

    def _twice(self, entry: ObjectEntry, attempt: Callable[[], _T]) -> _T:
        # One fresh try: a proxy or a cache may have cut an answer short.
        try:
            return attempt()
        except DamageError:
            if entry.packed:
                self._packs.forget(pack_key(entry.pack))
            return attempt()

    def _where(self, entry: ObjectEntry) -> str:
        key = f"{pack_key(entry.pack)}, {entry.key}" if entry.packed else entry.key
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


def _parts(entry: ObjectEntry, start: int, stop: int) -> list[tuple[int, int, int]] | None:
    """Give begin, end and crc32c of the chunks and the index that make up a part of an object.

    None when the part begins or ends inside of one of them.
    """
    table = entry.chunks
    there = np.flatnonzero(table.states != ChunkState.EMPTY)
    rows = [
        (int(table.offsets[n]), int(table.offsets[n] + table.lengths[n]) + 4, int(table.crcs[n]))
        for n in there[(table.offsets[there] >= start) & (table.offsets[there] < stop)]
    ]
    rows.sort()
    index_at = entry.nbytes - 16 * len(table) - 4
    if start <= index_at < stop:
        rows.append((index_at, entry.nbytes, google_crc32c.value(shard_index(table))))
    bounds = [start, *(end for _, end, _ in rows)]
    whole = [begin for begin, _, _ in rows] == bounds[:-1] and bounds[-1] == stop
    return rows if whole else None


def _part_holds(data: bytes, crc: int) -> bool:
    stored = crc.to_bytes(4, "little")
    return bool(data[-4:] == stored and google_crc32c.value(data[:-4]) == crc)
