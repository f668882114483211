"""Returning chunks: from what their Zarr codec wants back to a chunk of the HDF5 filters.

The way of `hsc.transcode.carrying` backwards, undecoded, without the interpreter's lock.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from numcodecs import lz4
from numpy.typing import NDArray

from hsc.transcode.blosc_format import LZ4_FORMAT, ZSTD_FORMAT
from hsc.transcode.checksums import fletcher32
from hsc.transcode.machine import copy_bytes, store_u32
from hsc.transcode.malformed import NO_ROOM
from hsc.transcode.pipeline import BITSHUFFLE, Filter, Row
from hsc.transcode.unwrapping import shuffle_tail, tail_nbytes, unwrap_blocks

_BITSHUFFLE_LZ4, _BITSHUFFLE_ZSTD, _LZ4 = (
    int(Row.BITSHUFFLE_LZ4),
    int(Row.BITSHUFFLE_ZSTD),
    int(Row.LZ4),
)
_DEFAULT_BLOCK_BYTES, _LEAST_BLOCK = 8192, 128
_NO_TAIL = np.empty(0, np.uint8)
# numcodecs puts the plain size before an LZ4 block.
_LZ4_PREFIX = 4


def return_chunk(
    row: Row,
    frame: NDArray[np.uint8],
    *,
    nbytes: int,
    itemsize: int,
    filters: Sequence[Filter],
    summed: bool = False,
) -> NDArray[np.uint8] | None:
    """Turn one encoded chunk into the bytes that it had in its HDF5 file, without decoding it.

    Parameters
    ----------
    row
        Row of the table that it travelled by.
    frame
        The encoded chunk, without its crc32c.
    nbytes
        Bytes of the decoded chunk.
    itemsize
        Bytes of an element.
    filters
        The dataset's pipeline, in the order of writing.
    summed
        Whether the pipeline ends in Fletcher's checksum.

    Returns
    -------
    chunk
        The chunk as HDF5 stores it, ``frame`` itself where that is the same; None when it has to
        be decoded and encoded. Bytes are those of the source, but for a left-over block of a
        bitshuffled chunk that another LZ4 compressed.
    """
    walked = row in (Row.BITSHUFFLE_LZ4, Row.BITSHUFFLE_ZSTD, Row.LZ4)
    if not walked and not summed:
        return frame
    tail = _tail(row, frame, nbytes, itemsize) if walked else _NO_TAIL
    if tail is None:
        return None
    target = np.empty(frame.size + tail.size + 64, np.uint8)
    told = block_bytes(filters, itemsize)
    length = _return(int(row), frame, target, nbytes, itemsize, told, summed, tail)
    return target[:length] if length >= 0 else None


def append_fletcher32(chunk: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give a chunk with the checksum behind it that HDF5's filter 3 appends."""
    target = np.empty(chunk.size + 4, np.uint8)
    _append(chunk, target)
    return target


@numba.njit(nogil=True, cache=True)
def _append(chunk: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    copy_bytes(target, 0, chunk, 0, chunk.size)
    store_u32(target, chunk.size, np.uint32(fletcher32(chunk, 0, chunk.size)))


def block_bytes(filters: Sequence[Filter], itemsize: int) -> int:
    """Give the block size that a bitshuffle filter has been told, or takes by default; else 0.

    (github.com/kiyo-masui/bitshuffle, ``bshuf_default_block_size``.)
    """
    first = filters[0] if filters else Filter(0, ())
    if first.id != BITSHUFFLE:
        return 0
    elements = (*first.values, 0, 0, 0, 0)[3]
    return itemsize * (elements or max(_DEFAULT_BLOCK_BYTES // itemsize // 8 * 8, _LEAST_BLOCK))


def _tail(
    row: Row, frame: NDArray[np.uint8], nbytes: int, itemsize: int
) -> NDArray[np.uint8] | None:
    """Shuffle and compress the left-over block of a frame; None when the frame can't be walked."""
    if row is Row.LZ4 or not nbytes % (8 * itemsize):
        return _NO_TAIL
    compressor = LZ4_FORMAT if row is Row.BITSHUFFLE_LZ4 else ZSTD_FORMAT
    size = int(tail_nbytes(frame, 0, frame.size, nbytes, itemsize, compressor))
    if size <= 0:
        return _NO_TAIL if not size else None
    if row is not Row.BITSHUFFLE_LZ4:
        return None
    shuffled = np.empty(size, np.uint8)
    shuffle_tail(frame, frame.size, nbytes, itemsize, shuffled)
    return np.frombuffer(lz4.compress(shuffled), np.uint8)[_LZ4_PREFIX:]


@numba.njit(nogil=True, cache=True)
def _return(
    row: int,
    frame: NDArray[np.uint8],
    target: NDArray[np.uint8],
    nbytes: int,
    itemsize: int,
    block_told: int,
    summed: bool,
    tail: NDArray[np.uint8],
) -> int:
    """Write the chunk; give its length or a status."""
    end = frame.size
    if row == _BITSHUFFLE_LZ4:
        length = unwrap_blocks(
            frame, 0, end, target, 0, nbytes, itemsize, block_told, LZ4_FORMAT, True, tail
        )
    elif row == _BITSHUFFLE_ZSTD:
        length = unwrap_blocks(
            frame, 0, end, target, 0, nbytes, itemsize, block_told, ZSTD_FORMAT, True, tail
        )
    elif row == _LZ4:
        length = unwrap_blocks(
            frame, 0, end, target, 0, nbytes, itemsize, block_told, LZ4_FORMAT, False, tail
        )
    else:
        length = end
        copy_bytes(target, 0, frame, 0, end)
    if length < 0 or not summed:
        return length
    if target.size - length < 4:
        return NO_ROOM
    store_u32(target, length, np.uint32(fletcher32(target, 0, length)))
    return length + 4
