"""Looking whether a chunk is a frame that any reader of its codec takes: every field it trusts.

Blosc 1: ``README_CHUNK_FORMAT.rst`` of github.com/Blosc/c-blosc. Zstandard: RFC 8878, section 3.1.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.transcode.blosc_format import (
    BITS_SHUFFLED,
    BYTES_SHUFFLED,
    LEAST_SPLIT,
    MOST_SPLITS,
    NOT_SPLIT,
    RESERVED,
    SNAPPY_FORMAT,
    STORED_RAW,
)
from hsc.transcode.machine import load_u32, load_u64
from hsc.transcode.malformed import FRAME, OVERRUN, RECODE, SHORT, SIZE

_ZSTD_MAGIC = 0xFD2FB528
_ZSTD_RAW, _ZSTD_RLE, _ZSTD_COMPRESSED, _ZSTD_RESERVED = range(4)


@numba.njit(nogil=True, cache=True)
def look_at_blosc(
    source: NDArray[np.uint8], start: int, stop: int, nbytes: int, itemsize: int
) -> int:
    """Give 0 for a frame that can be handed on, else a status.

    RECODE: its compressor is not everywhere (snappy), it was made for another item size, or its
    blocks lie as no c-blosc lays them.
    """
    size = stop - start
    if size < 16:
        return SHORT
    flags = np.int64(source[start + 2])
    both = flags & (BYTES_SHUFFLED | BITS_SHUFFLED) == BYTES_SHUFFLED | BITS_SHUFFLED
    if source[start] != 2 or both or flags & RESERVED:
        return FRAME
    if load_u32(source, start + 4) != nbytes:
        return SIZE
    if load_u32(source, start + 12) != size:
        return FRAME
    compressor = flags >> 5
    if (
        source[start + 1] != 1
        or compressor in (SNAPPY_FORMAT, 5, 6, 7)
        or source[start + 3] != itemsize
    ):
        return RECODE
    block = np.int64(load_u32(source, start + 8))
    if flags & STORED_RAW:
        return 0 if size == nbytes + 16 and 0 < block <= nbytes else RECODE
    if not 0 < block <= nbytes:
        return FRAME
    return _look_at_blocks(source, start, size, nbytes, itemsize, block, flags)


@numba.njit(nogil=True, cache=True)
def parts_of_block(flags: int, itemsize: int, block: int) -> int:
    """Give in how many parts, compressed by themselves, a whole block lies: the last is one."""
    few = itemsize > MOST_SPLITS or block // itemsize < LEAST_SPLIT
    return 1 if few or flags & NOT_SPLIT else itemsize


@numba.njit(nogil=True, cache=True)
def _look_at_blocks(
    source: NDArray[np.uint8],
    start: int,
    size: int,
    nbytes: int,
    itemsize: int,
    block: int,
    flags: int,
) -> int:
    blocks = (nbytes + block - 1) // block
    if 16 + 4 * blocks > size:
        return OVERRUN
    for number in range(blocks):
        at = np.int64(load_u32(source, start + 16 + 4 * number))
        if at < 16 + 4 * blocks:
            return FRAME
        content = min(block, nbytes - number * block)
        splits = parts_of_block(flags, itemsize, block) if content == block else 1
        for _ in range(splits):
            if at + 4 > size:
                return OVERRUN
            length = np.int64(load_u32(source, start + at))
            if length > content // splits or length == 0:
                return RECODE
            at += 4 + length
        if at > size:
            return OVERRUN
    return 0


@numba.njit(nogil=True, cache=True)
def look_at_zstd(source: NDArray[np.uint8], start: int, stop: int, nbytes: int) -> int:
    """Give 0 for one frame that tells its content's size and is all of the chunk, else a status.

    RECODE: it tells no size, needs a dictionary, or something follows it.
    """
    if stop - start < 6:
        return SHORT
    if load_u32(source, start) != _ZSTD_MAGIC:
        return FRAME
    descriptor = np.int64(source[start + 4])
    single = (descriptor >> 5) & 1
    at = start + 5 + (1 - single)
    told = descriptor >> 6
    width = (single, 2, 4, 8)[told]
    if descriptor & 0x08:
        return FRAME
    if descriptor & 0x03 or width == 0:
        return RECODE
    if stop - at < 8:  # the shortest block, and what a size is read with
        return _short_zstd(source, at, stop, nbytes, width, descriptor)
    size = load_u64(source, at)
    if width < 8:
        size &= np.uint64((1 << (8 * width)) - 1)
    if np.int64(size) + (256 if width == 2 else 0) != nbytes:
        return SIZE
    return _look_at_zstd_blocks(source, at + width, stop, descriptor)


@numba.njit(nogil=True, cache=True)
def _short_zstd(
    source: NDArray[np.uint8], at: int, stop: int, nbytes: int, width: int, descriptor: int
) -> int:
    if stop - at < width:
        return SHORT
    size = np.int64(0)
    for place in range(width):
        size |= np.int64(source[at + place]) << (8 * place)
    if size + (256 if width == 2 else 0) != nbytes:
        return SIZE
    return _look_at_zstd_blocks(source, at + width, stop, descriptor)


@numba.njit(nogil=True, cache=True)
def _look_at_zstd_blocks(source: NDArray[np.uint8], at: int, stop: int, descriptor: int) -> int:
    last = False
    while not last:
        if stop - at < 3:
            return OVERRUN
        head = (
            np.int64(source[at])
            | (np.int64(source[at + 1]) << 8)
            | (np.int64(source[at + 2]) << 16)
        )
        last = bool(head & 1)
        kind = (head >> 1) & 3
        if kind == _ZSTD_RESERVED:
            return FRAME
        at += 3 + (1 if kind == _ZSTD_RLE else head >> 3)
    at += 4 * ((descriptor >> 2) & 1)
    if at > stop:
        return OVERRUN
    return 0 if at == stop else RECODE
