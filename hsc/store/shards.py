"""Shards: inner chunks, each with its crc32c, and their index, as one object."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import google_crc32c
import numpy as np
from numpy.typing import NDArray

_ABSENT = 2**64 - 1
GAP_PAYLOAD = b"hsc: a gap, see the manifest"
"""What lies where a chunk could not be carried over."""


class ChunkState(IntEnum):
    """What became of an inner chunk."""

    EMPTY = 0
    """Never written at the source: reads as the fill value."""
    DATA = 1
    """There."""
    GAP = 2
    """Should be there and could not be carried over; its crc32c is wrong on purpose."""


@dataclass(frozen=True, slots=True)
class ChunkTable:
    """Where each inner chunk of an object lies, in C order."""

    states: NDArray[np.uint8]
    """State of each chunk."""
    offsets: NDArray[np.uint64]
    """First byte of each chunk in the object; 0 when empty."""
    lengths: NDArray[np.uint64]
    """Bytes of each chunk without its crc32c; 0 when empty."""
    crcs: NDArray[np.uint32]
    """The crc32c that follows each chunk: of a gap a wrong one; 0 when empty."""

    @classmethod
    def none(cls, count: int = 0) -> ChunkTable:
        """Make a table of ``count`` empty chunks."""
        return cls(
            np.zeros(count, np.uint8),
            np.zeros(count, np.uint64),
            np.zeros(count, np.uint64),
            np.zeros(count, np.uint32),
        )

    def __len__(self) -> int:
        return len(self.states)

    @property
    def gaps(self) -> NDArray[np.intp]:
        """Give the numbers of the chunks that are gaps."""
        return np.flatnonzero(self.states == ChunkState.GAP)


class ShardBuilder:
    """Puts one object together, chunk by chunk, in the order of the chunks.

    Parameters
    ----------
    count
        Inner chunks in the shard, absent ones included.
    indexed
        Whether a shard index ends the object; without it the object is its only chunk.
    """

    def __init__(self, count: int, *, indexed: bool) -> None:
        self._table = ChunkTable.none(count)
        self._indexed = indexed
        self._parts: list[bytes] = []
        self._length = 0

    def add(self, index: int, payload: bytes) -> None:
        """Add the encoded bytes of chunk number ``index``."""
        self._append(index, ChunkState.DATA, payload, google_crc32c.value(payload))

    def add_gap(self, index: int) -> None:
        """Add a chunk that could not be carried over: stock readers raise on its crc32c."""
        crc = google_crc32c.value(GAP_PAYLOAD) ^ 0xFFFFFFFF
        self._append(index, ChunkState.GAP, GAP_PAYLOAD, crc)

    def _append(self, index: int, state: ChunkState, payload: bytes, crc: int) -> None:
        table = self._table
        table.states[index] = state
        table.offsets[index] = self._length
        table.lengths[index] = len(payload)
        table.crcs[index] = crc
        self._parts += [payload, crc.to_bytes(4, "little")]
        self._length += len(payload) + 4

    def finish(self) -> tuple[bytes, ChunkTable]:
        """Give the object's bytes (none when all chunks are empty) and its chunk table."""
        if not self._parts:
            return b"", self._table
        if self._indexed:
            index = shard_index(self._table)
            self._parts += [index, google_crc32c.value(index).to_bytes(4, "little")]
        return b"".join(self._parts), self._table


def shard_index(table: ChunkTable) -> bytes:
    """Give a shard's index without its crc32c: offset and length of each chunk, u8 little-endian.

    Zarr v3 ``sharding_indexed``: an absent chunk has both at 2^64 - 1; a chunk's length counts
    the crc32c that its codec chain ends in.
    """
    index = np.full((len(table), 2), _ABSENT, "<u8")
    there = table.states != ChunkState.EMPTY
    index[there, 0] = table.offsets[there]
    index[there, 1] = table.lengths[there] + np.uint64(4)
    return index.tobytes()


def indexed_shard(table: ChunkTable, nbytes: int) -> bytes | None:
    """Give the index of a shard with its crc32c, as it ends in; None for an object without one."""
    there = table.states != ChunkState.EMPTY
    body = int(table.lengths[there].sum()) + 4 * int(there.sum())
    if body + 16 * len(table) + 4 != nbytes:
        return None
    index = shard_index(table)
    return index + crc32c(index).to_bytes(4, "little")


def shard_parts(
    table: ChunkTable, nbytes: int, start: int, stop: int
) -> list[tuple[int, int, int]] | None:
    """Give begin, end and crc32c of the chunks and the index that make up a part of a shard.

    None when the part begins or ends inside of one of them.
    """
    there = np.flatnonzero(table.states != ChunkState.EMPTY)
    rows = [
        (int(table.offsets[n]), int(table.offsets[n] + table.lengths[n]) + 4, int(table.crcs[n]))
        for n in there[(table.offsets[there] >= start) & (table.offsets[there] < stop)]
    ]
    rows.sort()
    index = indexed_shard(table, nbytes)
    if index is not None and start <= nbytes - len(index) < stop:
        rows.append((nbytes - len(index), nbytes, int.from_bytes(index[-4:], "little")))
    bounds = [start, *(end for _, end, _ in rows)]
    whole = [begin for begin, _, _ in rows] == bounds[:-1] and bounds[-1] == stop
    return rows if whole else None


def part_holds(data: memoryview, crc: int) -> bool:
    """Tell whether a part of `shard_parts` is what it was: its bytes, then their crc32c."""
    return bytes(data[-4:]) == crc.to_bytes(4, "little") and crc32c(data[:-4]) == crc


def crc32c(data: bytes | memoryview) -> int:
    """Give the CRC-32C of bytes."""
    # The package takes no memoryview; an array over the same bytes it does.
    return int(google_crc32c.value(np.frombuffer(data, np.uint8)))
