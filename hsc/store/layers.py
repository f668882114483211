"""Layers: one object's bytes passing by, held against its manifest entry and those inside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import google_crc32c
import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.store.manifest import ObjectEntry
from hsc.store.shards import ChunkState, ChunkTable, shard_index

_CRC_BYTES = 4


class Layers:
    """Hashes an object and what lies in it, and gathers the checksums that stand in it.

    Parameters
    ----------
    entry
        The object.
    inside
        What lies in it, of a pack.
    """

    def __init__(self, entry: ObjectEntry, inside: Sequence[ObjectEntry] = ()) -> None:
        there = (each for each in inside if not each.absent)
        self._inside = sorted(there, key=lambda each: each.pack_offset)
        self._whole = blake3()
        self._hashes = [blake3() for _ in self._inside]
        self._ends = np.array([each.pack_offset + each.nbytes for each in self._inside], np.int64)
        self._crcs = _Checksums([(entry, 0), *((each, each.pack_offset) for each in self._inside)])
        self._position = 0

    def take(self, part: NDArray[np.uint8]) -> None:
        """Take the next bytes of the object."""
        view = part.data
        self._whole.update(view)
        start, stop = self._position, self._position + part.size
        first = int(np.searchsorted(self._ends, start, side="right"))
        for number in range(first, len(self._inside)):
            begin, end = self._inside[number].pack_offset, int(self._ends[number])
            if begin >= stop:
                break
            self._hashes[number].update(view[max(begin, start) - start : min(end, stop) - start])
        self._crcs.take(start, part)
        self._position = stop

    def digest(self) -> bytes:
        """Give the digest of all that was taken."""
        return self._whole.digest()

    def wrong(self) -> Iterator[ObjectEntry]:
        """Give what lies in the object and is not what was written."""
        for entry, seen in zip(self._inside, self._hashes, strict=True):
            if seen.digest() != entry.digest:
                yield entry

    def other_table(self) -> bool:
        """Tell whether checksums or indexes that stand in the object are not the manifest's."""
        return not self._crcs.right()


class _Checksums:
    """Gathers bytes of an object at known places and compares them with those expected.

    The places are those of the checksum beside each chunk, and of the shards' indexes.
    """

    def __init__(self, placed: Sequence[tuple[ObjectEntry, int]]) -> None:
        places: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        expected: list[NDArray[np.uint8]] = [np.empty(0, np.uint8)]
        for entry, base in placed:
            for start, wanted in _checksums(entry.chunks, entry.nbytes):
                places.append((start + base)[:, None] + np.arange(wanted.shape[1]))
                expected.append(wanted)
        self._places = np.concatenate([each.ravel() for each in places])
        order = np.argsort(self._places, kind="stable")
        self._places = self._places[order]
        self._expected = np.concatenate([each.ravel() for each in expected])[order]
        self._found = np.zeros(len(self._places), np.uint8)
        self._taken = 0

    def take(self, start: int, part: NDArray[np.uint8]) -> None:
        first, last = np.searchsorted(self._places, (start, start + part.size))
        if first < last:
            self._found[first:last] = part[self._places[first:last] - start]
            self._taken += int(last - first)

    def right(self) -> bool:
        taken = self._taken == len(self._places)
        return taken and bool(np.array_equal(self._found, self._expected))


def _checksums(
    table: ChunkTable, nbytes: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
    """Give first bytes, and rows of bytes expected there: checksums of chunks, and the index."""
    there = np.flatnonzero(table.states != ChunkState.EMPTY)
    if not len(there):
        return
    ends = (table.offsets[there] + table.lengths[there]).astype(np.int64)
    crcs = np.ascontiguousarray(table.crcs[there].astype("<u4"))
    yield ends, crcs.view(np.uint8).reshape(-1, _CRC_BYTES)
    if int(ends.max()) + _CRC_BYTES == nbytes and len(table) == 1:
        return  # an object that is its only chunk
    index = shard_index(table)
    index += google_crc32c.value(index).to_bytes(_CRC_BYTES, "little")
    row = np.frombuffer(index, np.uint8).reshape(1, -1)
    yield np.array([nbytes - len(index)], np.int64), row
