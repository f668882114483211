"""Rewrapping: blocks that HDF5's bitshuffle or LZ4 filter compressed become a Blosc frame.

Chunk of HDF5 filters 32008 and 32004: uncompressed size (8 bytes) and block size (4 bytes),
big-endian; per block a big-endian 4-byte compressed size and the compressed bytes. The last block
of a bitshuffle chunk holds what remains, rounded down to 8 elements; fewer than 8 elements that are
left over stand raw at the end. (github.com/kiyo-masui/bitshuffle, ``src/bshuf_h5filter.c``;
github.com/nexusformat/HDF5-External-Filter-Plugins, ``LZ4``.)

Blosc 1 frame: 16 bytes of header, little-endian 4-byte offset of each block, then per block a
little-endian 4-byte size and the bytes. (github.com/Blosc/c-blosc, ``README_CHUNK_FORMAT.rst``.)
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.transcode.blosc_format import BITS_SHUFFLED, LZ4_FORMAT, NOT_SPLIT
from hsc.transcode.lz4 import decode_lz4
from hsc.transcode.machine import big_u32, copy_bytes, store_u32
from hsc.transcode.malformed import (
    BLOCK,
    LARGE,
    NO_ROOM,
    OVERRUN,
    RECODE,
    SHORT,
    SIZE,
    TAIL,
    TRAILING,
)
from hsc.transcode.planes import unshuffle_bits

_HEADER = 12
# c-blosc takes no frame of more bytes.
_LARGEST = 2**31 - 2**16


@numba.njit(nogil=True, cache=True)
def rewrap_blocks(
    source: NDArray[np.uint8],
    start: int,
    stop: int,
    target: NDArray[np.uint8],
    at: int,
    nbytes: int,
    itemsize: int,
    compressor: int,
    shuffled: bool,
) -> int:
    """Write a chunk's blocks as a Blosc frame at a place of ``target``.

    Returns
    -------
    length
        Bytes of the frame; or a status: RECODE when a bitshuffled block happens to be as long as
        its content, which a Blosc reader would take as raw.
    """
    block = _look(source, start, stop, nbytes, itemsize, shuffled)
    if block < 0:
        return block
    blocks = (nbytes + block - 1) // block
    if target.size - at < 16 + 8 * blocks + (stop - start) + block:
        return NO_ROOM
    last = nbytes - (blocks - 1) * block
    rest = last % (8 * itemsize) if shuffled else 0
    read, write = np.int64(start + _HEADER), np.int64(at + 16 + 4 * blocks)
    for number in range(blocks):
        content = last if number == blocks - 1 else block
        store_u32(target, at + 16 + 4 * number, np.uint32(write - at))
        if rest and number == blocks - 1:
            taken = _plain_block(
                source, read, stop, target, write + 4, content, rest, itemsize, compressor
            )
            if taken < 0:
                return taken
            size = content
            read += taken
        else:
            if stop - read < 4:
                return OVERRUN
            size = big_u32(source, read)
            read += 4
            if size > stop - read:
                return OVERRUN
            if shuffled and size == content:
                return RECODE
            copy_bytes(target, write + 4, source, read, size)
            read += size
        store_u32(target, write, np.uint32(size))
        write += 4 + size
    if read != stop:
        return TRAILING
    _put_header(target, at, compressor, shuffled, itemsize, nbytes, block, write - at)
    return write - at


@numba.njit(nogil=True, cache=True)
def _look(
    source: NDArray[np.uint8], start: int, stop: int, nbytes: int, itemsize: int, shuffled: bool
) -> int:
    """Give the block size of a chunk, or a status."""
    if stop - start < _HEADER:
        return SHORT
    if big_u32(source, start) != nbytes >> 32 or big_u32(source, start + 4) != nbytes & 0xFFFFFFFF:
        return SIZE
    if not 0 < nbytes < _LARGEST:
        return LARGE
    block = big_u32(source, start + 8)
    if block == 0 or (shuffled and block % (8 * itemsize)):
        return BLOCK
    block = min(block, nbytes)
    # Every block has a size of four bytes, but a last one of fewer than 8 elements has none.
    if stop - start < _HEADER + 4 * ((nbytes + block - 1) // block - 1):
        return OVERRUN
    return block


@numba.njit(nogil=True, cache=True)
def _put_header(
    target: NDArray[np.uint8],
    at: int,
    compressor: int,
    shuffled: bool,
    itemsize: int,
    nbytes: int,
    block: int,
    length: int,
) -> None:
    flags = (compressor << 5) | NOT_SPLIT | (BITS_SHUFFLED if shuffled else 0)
    target[at], target[at + 1], target[at + 2], target[at + 3] = 2, 1, flags, itemsize
    store_u32(target, at + 4, np.uint32(nbytes))
    store_u32(target, at + 8, np.uint32(block))
    store_u32(target, at + 12, np.uint32(length))


@numba.njit(nogil=True, cache=True)
def _plain_block(
    source: NDArray[np.uint8],
    start: int,
    stop: int,
    target: NDArray[np.uint8],
    at: int,
    content: int,
    rest: int,
    itemsize: int,
    compressor: int,
) -> int:
    """Write a last block whose elements are no multiple of 8; give how many bytes it was.

    Blosc leaves such a block unshuffled. So its shuffled part is decoded here, joined with the
    left-over elements, and stored raw, which a size equal to its content says.
    """
    shuffled = content - rest
    read = start
    if shuffled:
        if compressor != LZ4_FORMAT:
            return RECODE
        if stop - read < 4:
            return OVERRUN
        size = big_u32(source, read)
        read += 4
        if size > stop - read:
            return OVERRUN
        block = np.empty(shuffled, np.uint8)
        if not decode_lz4(source, read, read + size, block, 0, shuffled):
            return TAIL
        unshuffle_bits(block, 0, target, at, shuffled // itemsize, itemsize)
        read += size
    if stop - read < rest:
        return OVERRUN
    copy_bytes(target, at + shuffled, source, read, rest)
    return read + rest - start
