"""Manifest: every object of a version, its digest, its source, and each inner chunk.

The byte layout is specified in ``docs/reference/manifest.md``.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from blake3 import blake3
from numcodecs import zstd
from numpy.typing import NDArray

from hsc.errors import FormatVersionError, ManifestError
from hsc.model import Gap, canonical_json
from hsc.store.shards import ChunkTable

MANIFEST_KEY = "manifest"
FORMAT_VERSION = 1

_MAGIC = b"HSCM"
_HEAD = struct.Struct("<4sHHI")
_SECTION = struct.Struct("<QQ")
_DIGEST_BYTES = 32
_NO_DIGEST = bytes(_DIGEST_BYTES)
_MALFORMED = (IndexError, KeyError, MemoryError, RuntimeError, TypeError, ValueError, struct.error)
# No object is as large, and two or three such places added up are still a place in a file.
_MOST_BYTES = 2**60


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """One object of a version, or one that is absent because all its chunks are empty."""

    key: str
    """Key below the version's folder."""
    nbytes: int
    """Bytes of the object; 0 when absent."""
    digest: bytes
    """BLAKE3 of the object; 32 zero bytes when absent."""
    chunks: ChunkTable = field(default_factory=ChunkTable.none)
    """Its inner chunks; none for metadata and files."""
    source_file: int = -1
    """Index into the manifest's files of where the first chunk came from; -1 for none."""
    source_start: int = 0
    """First byte that was read there."""
    source_stop: int = 0
    """End of the last byte that was read there."""
    pack: int = -1
    """Number of the pack that it lies in (`pack_key`); -1 for an object of its own."""
    pack_offset: int = 0
    """Its first byte in the pack."""
    makings: bytes = _NO_DIGEST
    """BLAKE3 over all that it was made of and how, by which the next version of a run that grew
    knows it as unchanged; zeros: nothing is known of them."""

    @property
    def packed(self) -> bool:
        """Whether it lies in a pack, as one of its entries."""
        return self.pack >= 0

    @property
    def absent(self) -> bool:
        """Whether there is no such object in the store, rightly."""
        return self.digest == _NO_DIGEST


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is needed to check a version of a dataset."""

    root: str
    """BLAKE3 root, ``blake3:`` and 64 hexadecimal digits."""
    entries: tuple[ObjectEntry, ...]
    """All objects, by key."""
    source_id: str | None = None
    """Identity of the source; None for derived data."""
    files: tuple[str, ...] = ()
    """Run-relative names of the source files."""
    gaps: tuple[Gap, ...] = ()
    """What of the source is missing, with reasons."""

    def encode(self) -> bytes:
        """Give the manifest as one object."""
        header = {
            "root": self.root,
            "source_id": self.source_id,
            "files": list(self.files),
            "gaps": [gap.document() for gap in self.gaps],
            "objects": len(self.entries),
        }
        body = b"".join(map(_pack, [canonical_json(header), *_columns(self.entries)]))
        head = _HEAD.pack(_MAGIC, FORMAT_VERSION, 0, len(_COLUMNS) + 1)
        return head + body + blake3(head + body).digest()

    @classmethod
    def decode(cls, data: bytes, where: str) -> Manifest:
        """Read a manifest.

        Raises
        ------
        ManifestError
            The bytes are not a whole manifest.
        FormatVersionError
            A newer hsc wrote it.
        """
        try:
            sections = _sections(data, where)
            header: dict[str, Any] = json.loads(sections[0])
            return cls(
                root=header["root"],
                entries=_entries(sections[1:]),
                source_id=header["source_id"],
                files=tuple(header["files"]),
                gaps=tuple(Gap(**gap) for gap in header["gaps"]),
            )
        except _MALFORMED as error:  # its digest holds, but that anybody can make
            raise _damaged(where) from error

    @property
    def nbytes(self) -> int:
        """Bytes of all objects of the store; a packed one's are its pack's."""
        return sum(entry.nbytes for entry in self.entries if not entry.packed)


def pack_key(number: int) -> str:
    """Give the key of a pack: ``small.zip``, ``small-1.zip`` ..."""
    return f"small-{number}.zip" if number else "small.zip"


def digest_entry(key: str, data: bytes, **facts: Any) -> ObjectEntry:
    """Make the entry of an object from its bytes."""
    if not data:
        return ObjectEntry(key, 0, _NO_DIGEST, **facts)
    return ObjectEntry(key, len(data), blake3(data).digest(), **facts)


def dataset_root(entries: Sequence[ObjectEntry]) -> str:
    """Give the root over the objects below ``data.zarr/`` and ``files/``.

    Leaf of an object: BLAKE3 of key, size, digest and chunk states, each with its length;
    root: BLAKE3 of a tag and the leaves in the order of the keys' bytes. No PID, time, host,
    path, flag or library version goes in.
    """
    counted = (e for e in entries if e.key.startswith(("data.zarr/", "files/")))
    root = blake3(b"hsc.root/1")
    for entry in sorted(counted, key=lambda e: e.key.encode()):
        key = entry.key.encode()
        leaf = blake3(struct.pack("<I", len(key)) + key)
        leaf.update(struct.pack("<Q", entry.nbytes) + entry.digest)
        leaf.update(struct.pack("<I", len(entry.chunks)) + entry.chunks.states.tobytes())
        root.update(leaf.digest())
    return f"blake3:{root.hexdigest()}"


_COLUMNS = (
    "keys",
    "nbytes",
    "digests",
    "source_files",
    "source_starts",
    "source_stops",
    "chunk_counts",
    "states",
    "offsets",
    "lengths",
    "crcs",
    "packs",
    "pack_offsets",
    "makings",
)


# Sections may be added at the end: the first manifests end before this one.
_MAKINGS = _COLUMNS.index("makings")


def _columns(entries: Sequence[ObjectEntry]) -> list[bytes]:
    return [
        "\n".join(entry.key for entry in entries).encode(),
        np.array([entry.nbytes for entry in entries], "<u8").tobytes(),
        b"".join(entry.digest for entry in entries),
        np.array([entry.source_file for entry in entries], "<i4").tobytes(),
        np.array([entry.source_start for entry in entries], "<u8").tobytes(),
        np.array([entry.source_stop for entry in entries], "<u8").tobytes(),
        np.array([len(entry.chunks) for entry in entries], "<u4").tobytes(),
        b"".join(entry.chunks.states.tobytes() for entry in entries),
        b"".join(entry.chunks.offsets.astype("<u8").tobytes() for entry in entries),
        b"".join(entry.chunks.lengths.astype("<u8").tobytes() for entry in entries),
        b"".join(entry.chunks.crcs.astype("<u4").tobytes() for entry in entries),
        np.array([entry.pack for entry in entries], "<i4").tobytes(),
        np.array([entry.pack_offset for entry in entries], "<u8").tobytes(),
        b"".join(entry.makings for entry in entries),
    ]


def _entries(columns: Sequence[bytes]) -> tuple[ObjectEntry, ...]:
    keys = columns[0].decode().split("\n") if columns[0] else []
    nbytes, starts, stops = (np.frombuffer(columns[i], "<u8") for i in (1, 4, 5))
    files = np.frombuffer(columns[3], "<i4")
    counts = np.frombuffer(columns[6], "<u4")
    bounds = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    states: NDArray[np.uint8] = np.frombuffer(columns[7], "u1")
    offsets: NDArray[np.uint64] = np.frombuffer(columns[8], "<u8")
    lengths: NDArray[np.uint64] = np.frombuffer(columns[9], "<u8")
    crcs: NDArray[np.uint32] = np.frombuffer(columns[10], "<u4")
    packs, pack_offsets = np.frombuffer(columns[11], "<i4"), np.frombuffer(columns[12], "<u8")
    if any(np.any(places > _MOST_BYTES) for places in (nbytes, offsets, lengths, pack_offsets)):
        raise ValueError("a place that no object has")
    makings = columns[_MAKINGS] if len(columns) > _MAKINGS else _NO_DIGEST * len(keys)
    made = []
    for i, key in enumerate(keys):
        part = slice(bounds[i], bounds[i + 1])
        own = slice(_DIGEST_BYTES * i, _DIGEST_BYTES * (i + 1))
        made.append(
            ObjectEntry(
                key=key,
                nbytes=int(nbytes[i]),
                digest=columns[2][own],
                chunks=ChunkTable(states[part], offsets[part], lengths[part], crcs[part]),
                source_file=int(files[i]),
                source_start=int(starts[i]),
                source_stop=int(stops[i]),
                pack=int(packs[i]),
                pack_offset=int(pack_offsets[i]),
                makings=makings[own],
            )
        )
    return tuple(made)


def _pack(raw: bytes) -> bytes:
    stored = zstd.compress(raw, 3) if raw else b""
    return _SECTION.pack(len(raw), len(stored)) + stored


def _sections(data: bytes, where: str) -> list[bytes]:
    if len(data) < _HEAD.size + _DIGEST_BYTES or data[:4] != _MAGIC:
        raise _damaged(where)
    _, version, _, count = _HEAD.unpack_from(data)
    if version > FORMAT_VERSION:
        raise FormatVersionError(
            f"the dataset is of format {version}; this release knows {FORMAT_VERSION}",
            where=where,
            next_step="install a newer hanseatic-science-cloud",
        )
    if blake3(data[:-_DIGEST_BYTES]).digest() != data[-_DIGEST_BYTES:]:
        raise _damaged(where)
    sections, position = [], _HEAD.size
    for _ in range(count):
        raw, stored = _SECTION.unpack_from(data, position)
        position += _SECTION.size
        part = data[position : position + stored]
        sections.append(zstd.decompress(part) if raw else b"")
        position += stored
    return sections


def _damaged(where: str) -> ManifestError:
    return ManifestError(
        "the manifest is damaged",
        where=where,
        next_step="restore it from a copy of the store",
    )
