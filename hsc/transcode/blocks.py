"""Decoding chunks of blocks, as HDF5's bitshuffle and LZ4 filters write them, outside of HDF5."""

from __future__ import annotations

import numba
import numpy as np
from numcodecs import zstd as zstd_codec
from numpy.typing import NDArray

from hsc.transcode.frames import look_at_zstd
from hsc.transcode.lz4 import decode_lz4
from hsc.transcode.machine import big_u32
from hsc.transcode.malformed import (
    BLOCK,
    OVERRUN,
    REASONS,
    RECODE,
    SHORT,
    SIZE,
    TAIL,
    TRAILING,
    MalformedChunkError,
)
from hsc.transcode.planes import unshuffle_bits

_HEADER = 12
_DEFAULT_BLOCK_BYTES, _BLOCK_MULTIPLE, _LEAST_BLOCK = 8192, 8, 128


def decode_bitshuffle_raw(
    source: NDArray[np.uint8], itemsize: int, block_elements: int
) -> NDArray[np.uint8]:
    """Decode a chunk of bitshuffle without compression, which has no header.

    Raises
    ------
    MalformedChunkError
        Its blocks are no multiple of 8 elements.
    """
    elements = block_elements or max(
        _DEFAULT_BLOCK_BYTES // itemsize // _BLOCK_MULTIPLE * _BLOCK_MULTIPLE, _LEAST_BLOCK
    )
    if elements % _BLOCK_MULTIPLE:
        raise MalformedChunkError(REASONS[BLOCK])
    target = source.copy()
    count = source.size // itemsize
    for start in range(0, count, elements):
        turned = min(elements, count - start) // 8 * 8
        at = start * itemsize
        unshuffle_bits(source, at, target, at, turned, itemsize)
    return target


def decode_lz4_blocks(
    source: NDArray[np.uint8], nbytes: int, itemsize: int, *, shuffled: bool
) -> NDArray[np.uint8]:
    """Decode a chunk of LZ4 blocks, bitshuffled or not.

    Raises
    ------
    MalformedChunkError
        It is not a whole chunk of ``nbytes``.
    """
    target = np.empty(nbytes, np.uint8)
    status = _decode_lz4(source, target, itemsize, shuffled)
    if status:
        raise MalformedChunkError(REASONS[status])
    return target


def decode_bitshuffle_zstd(
    source: NDArray[np.uint8], nbytes: int, itemsize: int
) -> NDArray[np.uint8]:
    """Decode a chunk of bitshuffled Zstandard blocks.

    Raises
    ------
    MalformedChunkError
        It is not a whole chunk of ``nbytes``.
    """
    block = _look_at_header(source, nbytes, itemsize, True)
    if block < 0:
        raise MalformedChunkError(REASONS[block])
    target = np.empty(nbytes, np.uint8)
    at, read = 0, _HEADER
    while nbytes - at >= 8 * itemsize:
        content = min(block, (nbytes - at) // (8 * itemsize) * 8 * itemsize)
        if source.size - read < 4:
            raise MalformedChunkError(REASONS[OVERRUN])
        size = int(big_u32(source, read))
        if size > source.size - read - 4:
            raise MalformedChunkError(REASONS[OVERRUN])
        plain = _decode_zstd(source[read + 4 : read + 4 + size], content)
        unshuffle_bits(plain, 0, target, at, content // itemsize, itemsize)
        read += 4 + size
        at += content
    if source.size - read != nbytes - at:
        raise MalformedChunkError(REASONS[TRAILING if source.size - read > nbytes - at else TAIL])
    target[at:] = source[read:]
    return target


def _decode_zstd(source: NDArray[np.uint8], nbytes: int) -> NDArray[np.uint8]:
    # The codec leaves the rest of a target as it was when a frame tells a smaller size.
    status = look_at_zstd(source, 0, source.size, nbytes)
    if status not in (0, RECODE):
        raise MalformedChunkError(REASONS[status])
    plain = np.empty(nbytes, np.uint8)
    try:
        if status == RECODE:
            plain = np.frombuffer(zstd_codec.decompress(source), np.uint8)
        else:
            zstd_codec.decompress(source, plain)
    except (RuntimeError, ValueError) as error:
        raise MalformedChunkError(REASONS[TAIL]) from error
    if plain.size != nbytes:
        raise MalformedChunkError(REASONS[SIZE])
    return plain


@numba.njit(nogil=True, cache=True)
def _look_at_header(source: NDArray[np.uint8], nbytes: int, itemsize: int, shuffled: bool) -> int:
    """Give the block size of a chunk, or a status."""
    if source.size < _HEADER:
        return SHORT
    if big_u32(source, 0) != nbytes >> 32 or big_u32(source, 4) != nbytes & 0xFFFFFFFF:
        return SIZE
    block = big_u32(source, 8)
    if block == 0 or (shuffled and block % (8 * itemsize)):
        return BLOCK
    return block


@numba.njit(nogil=True, cache=True)
def _decode_lz4(
    source: NDArray[np.uint8], target: NDArray[np.uint8], itemsize: int, shuffled: bool
) -> int:
    block = _look_at_header(source, target.size, itemsize, shuffled)
    if block < 0:
        return block
    unit = 8 * itemsize if shuffled else 1
    planes = np.empty(min(block, target.size) if shuffled else 0, np.uint8)
    at, read = np.int64(0), np.int64(_HEADER)
    while target.size - at >= unit:
        content = min(block, (target.size - at) // unit * unit)
        if source.size - read < 4:
            return OVERRUN
        size = big_u32(source, read)
        read += 4
        if size > source.size - read:
            return OVERRUN
        if shuffled:
            if not decode_lz4(source, read, read + size, planes, 0, content):
                return TAIL
            unshuffle_bits(planes, 0, target, at, content // itemsize, itemsize)
        elif size == content:
            target[at : at + content] = source[read : read + size]
        elif not decode_lz4(source, read, read + size, target, at, at + content):
            return TAIL
        read += size
        at += content
    rest = target.size - at
    if source.size - read < rest:
        return OVERRUN
    if source.size - read > rest:
        return TRAILING
    target[at:] = source[read:]
    return 0
