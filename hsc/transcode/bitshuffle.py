"""Rewrapping: a bitshuffle-LZ4 chunk of HDF5 becomes a Blosc frame without decoding its pixels.

Chunk of HDF5 filter 32008: uncompressed size (8 bytes) and block size (4 bytes), big-endian; per
block a big-endian 4-byte compressed size and the LZ4 bytes. The last block holds what remains,
rounded down to 8 elements; fewer than 8 elements that are left over stand raw at the end.
(github.com/kiyo-masui/bitshuffle, ``src/bshuf_h5filter.c``.)

Blosc 1 frame: 16 bytes of header, little-endian 4-byte offset of each block, then per block a
little-endian 4-byte size and the bytes. (github.com/Blosc/c-blosc, ``README_CHUNK_FORMAT.rst``.)
"""

from __future__ import annotations

import struct
from typing import Any

import numba
import numpy as np
from numcodecs import blosc as blosc_codec
from numpy.typing import NDArray

_HDF5_HEADER = struct.Struct(">QI")
_BLOSC_HEADER = struct.Struct("<BBBBIII")
_BLOSC_FORMAT, _LZ4_FORMAT = 2, 1
# Bitshuffled, blocks not split, LZ4.
_FLAGS = 0x04 | 0x10 | (1 << 5)
_LARGEST = 2**31 - 2**16
_OVERRUN, _AMBIGUOUS = -1, -2


class MalformedChunkError(ValueError):
    """A chunk's bytes contradict its own header or its dataset; the caller knows the place."""


def rewrap(chunk: bytes, nbytes: int, itemsize: int) -> bytes | None:
    """Turn a bitshuffle-LZ4 chunk into a Blosc frame that decodes to the same pixels.

    Parameters
    ----------
    chunk
        The chunk as it lies in the HDF5 file.
    nbytes
        Bytes of the decoded chunk.
    itemsize
        Bytes of an element.

    Returns
    -------
    frame
        The Blosc frame; None when a compressed block happens to be as long as its content, which
        a Blosc reader would take as raw: such a chunk has to be decoded and encoded.

    Raises
    ------
    MalformedChunkError
        The chunk is not a whole bitshuffle-LZ4 chunk of ``nbytes``.
    """
    block = _block_bytes(chunk, nbytes, itemsize)
    blocks = -(-nbytes // block)
    tail = nbytes - (blocks - 1) * block
    shuffled_tail = tail - tail % (8 * itemsize)
    whole = blocks - (1 if tail != shuffled_tail else 0)

    source = np.frombuffer(chunk, np.uint8)
    frame = np.empty(16 + 8 * blocks + len(chunk) + min(block, nbytes), np.uint8)
    read, written = _copy_blocks(source, frame, blocks, whole, block, tail)
    if read == _AMBIGUOUS:
        return None
    if read == _OVERRUN:
        raise MalformedChunkError("a block reaches past the end of its chunk")
    if whole < blocks:
        ends = _append_tail(chunk, frame, int(read), int(written), whole, tail, itemsize)
        if ends is None:
            return None
        read, written = ends
    if read != len(chunk):
        raise MalformedChunkError(f"{len(chunk) - read} bytes follow the last block")
    head = _BLOSC_HEADER.pack(
        _BLOSC_FORMAT, _LZ4_FORMAT, _FLAGS, itemsize, nbytes, min(block, nbytes), written
    )
    frame[:16] = np.frombuffer(head, np.uint8)
    return frame[:written].tobytes()


def _block_bytes(chunk: bytes, nbytes: int, itemsize: int) -> int:
    if len(chunk) < _HDF5_HEADER.size:
        raise MalformedChunkError(f"the chunk has only {len(chunk)} bytes")
    size, block = _HDF5_HEADER.unpack_from(chunk)
    if size != nbytes:
        raise MalformedChunkError(f"its header says {size} bytes where the dataset has {nbytes}")
    if block == 0 or block % (8 * itemsize):
        raise MalformedChunkError(f"its blocks of {block} bytes are no multiple of 8 elements")
    if not 0 < nbytes < _LARGEST:
        raise MalformedChunkError(f"{nbytes} bytes do not fit a Blosc frame")
    return int(block)


@numba.njit(nogil=True, cache=True)
def _copy_blocks(
    source: NDArray[np.uint8],
    frame: NDArray[np.uint8],
    blocks: int,
    whole: int,
    block: int,
    tail: int,
) -> tuple[int, int]:
    """Copy the blocks that need no change; give how far was read and written."""
    read = 12
    written = 16 + 4 * blocks
    for number in range(whole):
        if read + 4 > source.size:
            return _OVERRUN, 0
        size = int(
            (np.int64(source[read]) << 24)
            | (np.int64(source[read + 1]) << 16)
            | (np.int64(source[read + 2]) << 8)
            | np.int64(source[read + 3])
        )
        read += 4
        if read + size > source.size:
            return _OVERRUN, 0
        if size == (tail if number == blocks - 1 else block):
            return _AMBIGUOUS, 0
        for byte in range(4):
            frame[16 + 4 * number + byte] = (written >> (8 * byte)) & 0xFF
            frame[written + byte] = (size >> (8 * byte)) & 0xFF
        written += 4
        frame[written : written + size] = source[read : read + size]
        read += size
        written += size
    return read, written


def _append_tail(
    chunk: bytes,
    frame: NDArray[np.uint8],
    read: int,
    written: int,
    number: int,
    tail: int,
    itemsize: int,
) -> tuple[int, int] | None:
    """Append the last block, whose elements are no multiple of 8.

    Blosc leaves such a block unshuffled, so its shuffled part is decoded, joined with the
    left-over elements, and stored raw (its size equal to its content says so). None when the
    compressed part is as long as its content and can't be handed to Blosc.
    """
    shuffled = tail - tail % (8 * itemsize)
    plain = b""
    if shuffled:
        if read + 4 > len(chunk):
            raise MalformedChunkError("its last block is cut off")
        size = int.from_bytes(chunk[read : read + 4], "big")
        read += 4
        if read + size > len(chunk):
            raise MalformedChunkError("its last block is cut off")
        if size == shuffled:
            return None
        plain = _decode_block(chunk[read : read + size], shuffled, itemsize)
        read += size
    rest = tail - shuffled
    plain += chunk[read : read + rest]
    if len(plain) != tail:
        raise MalformedChunkError("the left-over elements are cut off")
    position = 16 + 4 * number
    frame[position : position + 4] = _bytes(written)
    frame[written : written + 4] = _bytes(tail)
    frame[written + 4 : written + 4 + tail] = np.frombuffer(plain, np.uint8)
    return read + rest, written + 4 + tail


def _decode_block(compressed: bytes, nbytes: int, itemsize: int) -> bytes:
    """Decode one bitshuffled LZ4 block by handing it to Blosc as a frame of one block."""
    total = 16 + 4 + 4 + len(compressed)
    head = _BLOSC_HEADER.pack(_BLOSC_FORMAT, _LZ4_FORMAT, _FLAGS, itemsize, nbytes, nbytes, total)
    frame = head + (20).to_bytes(4, "little") + len(compressed).to_bytes(4, "little") + compressed
    try:
        decoded: Any = blosc_codec.decompress(frame)
    except RuntimeError as error:
        raise MalformedChunkError(f"its last block can't be decoded: {error}") from error
    return bytes(decoded)


def _bytes(number: int) -> NDArray[np.uint8]:
    return np.frombuffer(number.to_bytes(4, "little"), np.uint8)
