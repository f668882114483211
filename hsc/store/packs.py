"""Packs: small objects of a version, many in one Zip of stored entries."""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import replace

from hsc.store.manifest import ObjectEntry, digest_entry, pack_key

SMALL_BYTES = 1 << 20
"""An object of less is small."""
MOST_PACK_BYTES = 256 * 10**6
"""A pack takes no more than this, unless a single entry is larger."""

# Unzip takes it for nothing. But zarr, which knows no such folder, can't open a pack as if it were
# a store by itself: it would read what lies beside the pack as never written.
_HERE = "./"
# What a Zip adds to each entry, beside its name twice: local header and directory entry.
_OVERHEAD_BYTES = 30 + 46
_NAME_LENGTHS = struct.Struct("<HH")
_NAME_LENGTHS_AT = 26
_HEADER_BYTES = 30
_DATE = (1980, 1, 1, 0, 0, 0)


class PackBuilder:
    """Puts one pack together; the same entries in the same order give the same bytes.

    Parameters
    ----------
    number
        Number of the pack in its version.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._buffer = io.BytesIO()
        self._zip = zipfile.ZipFile(self._buffer, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._entries: list[ObjectEntry] = []

    def add(self, entry: ObjectEntry, data: bytes) -> None:
        """Add an object; one that is rightly absent is listed and takes no room."""
        if entry.absent:
            self._entries.append(entry)
            return
        told = zipfile.ZipInfo(_HERE + entry.key, _DATE)
        told.create_system = 3  # else it says on which system it was made
        told.external_attr = 0o644 << 16
        start = self._buffer.tell()
        self._zip.writestr(told, data)
        lengths = self._buffer.getbuffer()[start + _NAME_LENGTHS_AT : start + _HEADER_BYTES]
        offset = start + _HEADER_BYTES + sum(_NAME_LENGTHS.unpack(lengths))
        self._entries.append(replace(entry, pack=self._number, pack_offset=offset))

    def finish(self) -> tuple[bytes, list[ObjectEntry]]:
        """Give the pack's bytes, and its own entry with those of what lies in it after it."""
        self._zip.close()
        data = self._buffer.getvalue()
        return data, [digest_entry(pack_key(self._number), data), *self._entries]


def packed_nbytes(key: str, nbytes: int) -> int:
    """Give the bytes that an object takes in a pack."""
    return nbytes + 2 * len((_HERE + key).encode()) + _OVERHEAD_BYTES
