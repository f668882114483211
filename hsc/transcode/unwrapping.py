"""Unwrapping, the reverse header walk: a Blosc frame's blocks become a chunk of HDF5's filters.

The layouts are those of `hsc.transcode.bitshuffle`; what that module wrote is turned back byte for
byte, but for the left-over block, which is shuffled and compressed anew. Frames that c-blosc made
unwrap as well where their blocks lie alike.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.transcode.blosc_format import BITS_SHUFFLED, NOT_SPLIT
from hsc.transcode.machine import copy_bytes, load_u32
from hsc.transcode.malformed import NO_ROOM, RECODE
from hsc.transcode.shuffling import shuffle_bits

_HEADER, _FRAME_HEADER = 12, 16


@numba.njit(nogil=True, cache=True)
def unwrap_blocks(
    source: NDArray[np.uint8],
    start: int,
    stop: int,
    target: NDArray[np.uint8],
    at: int,
    nbytes: int,
    itemsize: int,
    block_told: int,
    compressor: int,
    shuffled: bool,
    tail: NDArray[np.uint8],
) -> int:
    """Write a frame's blocks as a chunk at a place of ``target``; give its length or a status.

    ``block_told`` is the block size that the filter tells, ``tail`` the left-over block, shuffled
    and compressed, empty where `tail_nbytes` gives 0. RECODE: it has to be decoded and encoded.
    """
    if not _alike(source, start, stop, nbytes, itemsize, compressor, shuffled):
        return RECODE
    block = np.int64(load_u32(source, start + 8))
    blocks = (nbytes + block - 1) // block
    unit = 8 * itemsize if shuffled else 1
    if (blocks > 1 and block % unit) or stop - start < _FRAME_HEADER + 8 * blocks:
        return RECODE
    if target.size - at < _HEADER + (stop - start) + tail.size:
        return NO_ROOM
    last = nbytes - (blocks - 1) * block
    rest = last % unit
    write = at + _HEADER
    read = np.int64(start + _FRAME_HEADER + 4 * blocks)
    for number in range(blocks):
        content = last if number == blocks - 1 else block
        if stop - read < 4 or load_u32(source, start + 16 + 4 * number) != read - start:
            return RECODE
        size = np.int64(load_u32(source, read))
        read += 4
        if size > stop - read:
            return RECODE
        if rest and number == blocks - 1:
            if size != content or (content > rest and not tail.size):
                return RECODE
            write = _put_tail(target, write, tail, source, read + content - rest, rest)
        else:
            if shuffled and size == content:
                return RECODE
            _put_big(target, write, size)
            copy_bytes(target, write + 4, source, read, size)
            write += 4 + size
        read += size
    if read != stop:
        return RECODE
    _put_big(target, at, nbytes >> 32)
    _put_big(target, at + 4, nbytes & 0xFFFFFFFF)
    _put_big(target, at + 8, _block_size(block, nbytes, unit, block_told))
    return write - at


@numba.njit(nogil=True, cache=True)
def shuffle_tail(
    source: NDArray[np.uint8],
    stop: int,
    nbytes: int,
    itemsize: int,
    tail: NDArray[np.uint8],
) -> None:
    """Bitshuffle the left-over block, which ends a frame raw, but for its last few elements."""
    rest = nbytes % (8 * itemsize)
    shuffle_bits(source, stop - rest - tail.size, tail, 0, tail.size // itemsize, itemsize)


@numba.njit(nogil=True, cache=True)
def tail_nbytes(
    source: NDArray[np.uint8], start: int, stop: int, nbytes: int, itemsize: int, compressor: int
) -> int:
    """Give how many bytes of a frame's left-over block are shuffled; 0 for none.

    RECODE when the frame is not one that `unwrap_blocks` takes.
    """
    if not _alike(source, start, stop, nbytes, itemsize, compressor, True):
        return RECODE
    block = np.int64(load_u32(source, start + 8))
    last = nbytes - ((nbytes + block - 1) // block - 1) * block
    rest = last % (8 * itemsize)
    if not rest:
        return 0
    if stop - start < _FRAME_HEADER + last:
        return RECODE
    return last - rest


@numba.njit(nogil=True, cache=True)
def _alike(
    source: NDArray[np.uint8],
    start: int,
    stop: int,
    nbytes: int,
    itemsize: int,
    compressor: int,
    shuffled: bool,
) -> bool:
    """Tell whether a frame has the header that rewrapping gives it."""
    if stop - start < _FRAME_HEADER:
        return False
    flags = (compressor << 5) | NOT_SPLIT | (BITS_SHUFFLED if shuffled else 0)
    head = source[start] == 2 and source[start + 1] == 1 and source[start + 2] == flags
    told = load_u32(source, start + 4) == nbytes and load_u32(source, start + 12) == stop - start
    block = np.int64(load_u32(source, start + 8))
    return head and source[start + 3] == itemsize and told and 0 < block <= nbytes


@numba.njit(nogil=True, cache=True)
def _block_size(block: int, nbytes: int, unit: int, told: int) -> int:
    """Give the block size of a chunk's header.

    A frame of one block says no more than the chunk's size; bitshuffle's may be larger, LZ4's
    not (``H5Zlz4.c``).
    """
    if block < nbytes or unit == 1:
        return block
    if told >= nbytes and told % unit == 0:
        return told
    return (nbytes + unit - 1) // unit * unit


@numba.njit(nogil=True, cache=True)
def _put_tail(
    target: NDArray[np.uint8],
    write: int,
    tail: NDArray[np.uint8],
    source: NDArray[np.uint8],
    read: int,
    rest: int,
) -> int:
    """Write the left-over block and its last few elements; give where it ends."""
    if tail.size:
        _put_big(target, write, tail.size)
        copy_bytes(target, write + 4, tail, 0, tail.size)
        write += 4 + tail.size
    copy_bytes(target, write, source, read, rest)
    return write + rest


@numba.njit(nogil=True, cache=True)
def _put_big(target: NDArray[np.uint8], at: int, value: int) -> None:
    for byte in range(4):
        target[at + byte] = np.uint8((value >> (24 - 8 * byte)) & 0xFF)
