"""Carrying many chunks at once from where they were read into the buffer of their shard.

One call of one kernel, without the interpreter's lock: check, rewrap or copy each chunk, and append
its crc32c.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.transcode.bitshuffle import rewrap_blocks
from hsc.transcode.blosc_format import LZ4_FORMAT, ZSTD_FORMAT
from hsc.transcode.checksums import crc32c, right_sum
from hsc.transcode.frames import look_at_blosc, look_at_zstd
from hsc.transcode.machine import copy_bytes, load_u32, store_u32
from hsc.transcode.malformed import NO_ROOM, RAW, REASONS, RECODE, SHORT, SUM, MalformedChunkError
from hsc.transcode.pipeline import Row

_RAW, _BLOSC, _ZSTD, _BITSHUFFLE_LZ4, _BITSHUFFLE_ZSTD, _LZ4 = map(int, Row)


class Carried(IntEnum):
    """Why a call of `carry_chunks` ended."""

    ALL = 0
    """Every chunk was carried."""
    NO_ROOM = NO_ROOM
    """The target has no room for the next one."""
    RECODE = RECODE
    """The next one has to be decoded and encoded."""


@dataclass(frozen=True, slots=True)
class CarriedChunks:
    """What one call of `carry_chunks` did."""

    count: int
    """Chunks that were carried; the next one is the reason for ending."""
    nbytes: int
    """Bytes that were written, each chunk's crc32c included."""
    end: int
    """`Carried`, or the status of a malformed chunk."""

    @property
    def malformed(self) -> str:
        """Say what is wrong with the next chunk; empty when nothing is."""
        return REASONS.get(self.end, "")


def carry_chunks(
    row: Row,
    source: NDArray[np.uint8],
    places: NDArray[np.int64],
    target: NDArray[np.uint8],
    carried: NDArray[np.int64],
    *,
    nbytes: int,
    itemsize: int,
    summed: bool,
    padded: bool,
) -> CarriedChunks:
    """Carry chunks one after the other into ``target``, from its beginning.

    Parameters
    ----------
    row
        Row of the table that they travel by.
    source
        Bytes that were read.
    places
        (n, 2): first byte of each chunk in ``source``, and its bytes.
    target
        Where they go.
    carried
        (n, 2): is given length without crc32c, and crc32c, of each chunk that was carried.
    nbytes
        Bytes of a decoded chunk.
    itemsize
        Bytes of an element.
    summed
        Whether each ends in Fletcher's checksum, which is checked and left behind.
    padded
        Whether a raw chunk may be shorter, at the array's edge; zeros fill it up.
    """
    count, written, end = _carry(
        int(row), source, places, target, carried, nbytes, itemsize, summed, padded
    )
    return CarriedChunks(int(count), int(written), int(end))


def room_needed(row: Row, chunk: NDArray[np.uint8], nbytes: int) -> int:
    """Give how much room `carry_chunks` wants for a chunk, of whatever bytes that is.

    Parameters
    ----------
    row
        Row of the table that it travels by.
    chunk
        The chunk as it lies in the HDF5 file.
    nbytes
        Bytes of the decoded chunk.
    """
    if row is Row.RAW:
        return nbytes + 4
    if row in (Row.BLOSC, Row.ZSTD) or chunk.size < 12:
        return chunk.size + 4
    block = max(1, min(nbytes, int.from_bytes(chunk[8:12].tobytes(), "big")))
    offsets = min(8 * -(-nbytes // block), 2 * chunk.size + 8)
    return 16 + offsets + chunk.size + block + 4


def rewrap(chunk: bytes, nbytes: int, itemsize: int, row: Row = Row.BITSHUFFLE_LZ4) -> bytes | None:
    """Turn one chunk into what its Zarr codec wants, without decoding it.

    Parameters
    ----------
    chunk
        The chunk as it lies in the HDF5 file.
    nbytes
        Bytes of the decoded chunk.
    itemsize
        Bytes of an element.
    row
        Row of the table that it travels by.

    Returns
    -------
    frame
        The encoded chunk; None when it has to be decoded and encoded.

    Raises
    ------
    MalformedChunkError
        The chunk is not a whole chunk of ``nbytes``.
    """
    source = np.frombuffer(chunk, np.uint8)
    target = np.empty(room_needed(row, source, nbytes), np.uint8)
    carried = np.zeros((1, 2), np.int64)
    places = np.array([[0, len(chunk)]], np.int64)
    done = carry_chunks(
        row, source, places, target, carried, nbytes=nbytes, itemsize=itemsize, summed=False,
        padded=False,
    )  # fmt: skip
    if done.malformed:
        raise MalformedChunkError(done.malformed)
    return target[: carried[0, 0]].tobytes() if done.count else None


@numba.njit(nogil=True, cache=True)
def _carry(
    row: int,
    source: NDArray[np.uint8],
    places: NDArray[np.int64],
    target: NDArray[np.uint8],
    carried: NDArray[np.int64],
    nbytes: int,
    itemsize: int,
    summed: bool,
    padded: bool,
) -> tuple[int, int, int]:
    at = np.int64(0)
    for number in range(len(places)):
        start = places[number, 0]
        stop = start + places[number, 1]
        if summed:
            if stop - start < 4:
                return number, at, SHORT
            stop -= 4
            if not right_sum(source, start, stop, np.int64(load_u32(source, stop))):
                return number, at, SUM
        length = _one(row, source, start, stop, target, at, nbytes, itemsize, padded)
        if length < 0:
            return number, at, length
        if target.size - at - length < 4:
            return number, at, NO_ROOM
        crc = crc32c(target, at, at + length)
        store_u32(target, at + length, np.uint32(crc))
        carried[number, 0] = length
        carried[number, 1] = crc
        at += length + 4
    return len(places), at, 0


@numba.njit(nogil=True, cache=True)
def _one(
    row: int,
    source: NDArray[np.uint8],
    start: int,
    stop: int,
    target: NDArray[np.uint8],
    at: int,
    nbytes: int,
    itemsize: int,
    padded: bool,
) -> int:
    """Write one chunk; give its length or a status."""
    if row == _BITSHUFFLE_LZ4:
        return rewrap_blocks(source, start, stop, target, at, nbytes, itemsize, LZ4_FORMAT, True)
    if row == _BITSHUFFLE_ZSTD:
        return rewrap_blocks(source, start, stop, target, at, nbytes, itemsize, ZSTD_FORMAT, True)
    if row == _LZ4:
        return rewrap_blocks(source, start, stop, target, at, nbytes, itemsize, LZ4_FORMAT, False)
    length = stop - start
    if row == _BLOSC:
        status = look_at_blosc(source, start, stop, nbytes, itemsize)
    elif row == _ZSTD:
        status = look_at_zstd(source, start, stop, nbytes)
    else:
        status = 0 if length == nbytes or (padded and length < nbytes) else RAW
    if status:
        return status
    room = nbytes if row == _RAW else length
    if target.size - at < room:
        return NO_ROOM
    copy_bytes(target, at, source, start, length)
    for place in range(at + length, at + room):
        target[place] = 0
    return room
