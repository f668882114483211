"""Decoding Blosc frames of bitshuffled LZ4 blocks, which most detectors' pictures travel as.

Numcodecs decodes these, too, and decides of all that is not plain here: other frames, and damaged
ones. It turns bits with older instructions: this takes half of its time for a picture.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cache
from typing import Any

import numba
import numpy as np
from numcodecs import lz4 as lz4_codec
from numpy.typing import NDArray

from hsc.transcode.blosc_format import (
    BITS_SHUFFLED,
    BYTES_SHUFFLED,
    HEADER_BYTES,
    LZ4_FORMAT,
    RESERVED,
    STORED_RAW,
)
from hsc.transcode.frames import parts_of_block
from hsc.transcode.machine import call_lz4, copy_bytes, load_u32
from hsc.transcode.placing import Bytes, decode_into
from hsc.transcode.planes import unshuffle_bits

# A block is unpacked beside its place: larger ones than any that hsc writes are left to Blosc.
_LARGEST_BLOCK = 2**20


@cache
def lz4_address() -> int:
    """Give the address of LZ4's own decoder in the library of numcodecs; 0 where it is hidden."""
    try:
        function = ctypes.CDLL(lz4_codec.__file__).LZ4_decompress_safe
    except (AttributeError, OSError):  # a build that exports none of what it holds
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def unpack_into(data: Bytes, target: NDArray[Any], compressor: Mapping[str, Any] | None) -> bool:
    """Decode a chunk into an array that it fills: `decode_into`, faster for a detector's pictures.

    Parameters
    ----------
    data, target, compressor
        As for `decode_into`.

    Returns
    -------
    done
        As `decode_into` says.

    Raises
    ------
    RuntimeError, ValueError
        It can't be decoded.
    """
    if compressor is not None and compressor["name"] == "blosc":
        flat = target.reshape(-1).view(np.uint8)
        if unpack(np.frombuffer(data, np.uint8), flat, lz4_address()):
            return True
    return decode_into(data, target, compressor)


@numba.njit(nogil=True, cache=True)
def unpack(source: NDArray[np.uint8], target: NDArray[np.uint8], lz4: int) -> bool:
    """Decode a frame of LZ4 blocks that are bitshuffled.

    Parameters
    ----------
    source
        The frame.
    target
        As many bytes as it has decoded.
    lz4
        The address of ``LZ4_decompress_safe``; 0 where there is none.

    Returns
    -------
    done
        False when it is another frame, or no whole one, or LZ4 is not there: what the target
        holds then is nothing.
    """
    size, nbytes = source.size, target.size
    if not lz4 or size < HEADER_BYTES or source[0] != 2 or source[1] != 1:
        return False
    flags: Any = np.int64(source[2])
    itemsize: Any = np.int64(source[3])
    if flags & (BYTES_SHUFFLED | STORED_RAW | BITS_SHUFFLED | RESERVED) != BITS_SHUFFLED:
        return False
    if flags >> 5 != LZ4_FORMAT or itemsize == 0 or nbytes == 0:
        return False
    block: Any = np.int64(load_u32(source, 8))
    if load_u32(source, 4) != nbytes or load_u32(source, 12) != size:
        return False
    if not 0 < block <= min(nbytes, _LARGEST_BLOCK) or block % (8 * itemsize):
        return False
    blocks = (nbytes + block - 1) // block
    if HEADER_BYTES + 4 * blocks > size:
        return False
    splits = parts_of_block(flags, itemsize, block)
    planes = np.empty(block, np.uint8)
    for number in range(blocks):
        at = number * block
        content = min(block, nbytes - at)
        elements = content // itemsize
        if elements * itemsize != content:
            return False
        parts = splits if content == block else 1
        start: Any = np.int64(load_u32(source, HEADER_BYTES + 4 * number))
        if not _unpack_block(source, start, planes, content, parts, lz4):
            return False
        if elements % 8:  # Blosc leaves such a block as it is
            copy_bytes(target, at, planes, 0, content)
        else:
            unshuffle_bits(planes, 0, target, at, elements, itemsize)
    return True


@numba.njit(nogil=True, cache=True)
def _unpack_block(
    source: NDArray[np.uint8],
    start: int,
    planes: NDArray[np.uint8],
    content: int,
    splits: int,
    lz4: int,
) -> bool:
    """Undo the compression of a block, which is one LZ4 block or one for each byte of elements."""
    part = content // splits
    at = start
    for split in range(splits):
        if at < HEADER_BYTES or at + 4 > source.size:
            return False
        length: Any = np.int64(load_u32(source, at))
        at += 4
        if length == 0 or length > source.size - at:
            return False
        room = planes[split * part : (split + 1) * part]
        if length == part:
            copy_bytes(room, 0, source, at, part)
        elif call_lz4(lz4, source, at, length, room, part) != part:
            return False
        at += length
    return True
