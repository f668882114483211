"""Decoding a chunk through its filters outside of HDF5, so that many are decoded at once.

HDF5 decodes one chunk at a time in a process, whatever the threads. What is not here (SZIP, N-bit,
scale-offset, Blosc2 ...) goes through it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numcodecs import blosc as blosc_codec
from numcodecs import zstd as zstd_codec
from numpy.typing import NDArray

from hsc.transcode.blocks import (
    decode_bitshuffle_raw,
    decode_bitshuffle_zstd,
    decode_lz4_blocks,
)
from hsc.transcode.checksums import right_sum
from hsc.transcode.frames import look_at_blosc, look_at_zstd
from hsc.transcode.lzf import decode_lzf
from hsc.transcode.malformed import RAW, REASONS, RECODE, SHORT, SUM, MalformedChunkError
from hsc.transcode.pipeline import (
    BITSHUFFLE,
    BLOSC,
    DEFLATE,
    FLETCHER32,
    LZ4,
    LZF,
    SHUFFLE,
    ZSTD,
    Filter,
)
from hsc.transcode.planes import unshuffle_bytes

_BITSHUFFLE_NONE, _BITSHUFFLE_LZ4, _BITSHUFFLE_ZSTD = 0, 2, 3


def decode_filters(
    chunk: NDArray[np.uint8], filters: Sequence[Filter], mask: int, nbytes: int
) -> NDArray[np.uint8] | None:
    """Decode a chunk.

    Parameters
    ----------
    chunk
        The chunk as it lies in the HDF5 file.
    filters
        The dataset's pipeline, in the order of writing.
    mask
        Which of them were skipped for this chunk, as bits.
    nbytes
        Bytes of the decoded chunk.

    Returns
    -------
    bytes
        (nbytes,): elements in the file's byte order; None when only HDF5 can decode it.

    Raises
    ------
    MalformedChunkError
        The chunk contradicts its dataset or itself.
    """
    applied = [stage for number, stage in enumerate(filters) if not mask >> number & 1]
    for number, stage in reversed(list(enumerate(applied))):
        # Checksums that were appended before this filter are a part of what it was given.
        sums = sum(before.id == FLETCHER32 for before in applied[:number])
        plain = _decode(stage, chunk, nbytes + 4 * sums)
        if plain is None:
            return None
        chunk = plain
    if chunk.size != nbytes:
        raise MalformedChunkError(REASONS[RAW])
    return chunk


def _decode(stage: Filter, chunk: NDArray[np.uint8], nbytes: int) -> NDArray[np.uint8] | None:
    """Undo one filter; what comes of it has ``nbytes``, but for a checksum."""
    if stage.id == SHUFFLE:
        return _unshuffle(stage.values, chunk)
    if stage.id == BITSHUFFLE:
        return _decode_bitshuffle(stage.values, chunk, nbytes)
    decode = _DECODERS.get(stage.id)
    return decode(chunk, nbytes) if decode else None


def _unshuffle(values: tuple[int, ...], chunk: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    if not values or not values[0]:
        return None
    target = np.empty(chunk.size, np.uint8)
    unshuffle_bytes(chunk, target, values[0])
    return target


def _inflate(chunk: NDArray[np.uint8], nbytes: int) -> NDArray[np.uint8]:
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(
            chunk.data, nbytes + 1
        )  # never more than that of a crafted stream
    except zlib.error as error:
        raise MalformedChunkError(f"its deflate stream can't be decoded: {error}") from error
    if len(plain) != nbytes or not stream.eof:
        raise MalformedChunkError("its deflate stream gives another size than the dataset has")
    return np.frombuffer(plain, np.uint8)


def _summed(chunk: NDArray[np.uint8], _: int) -> NDArray[np.uint8]:
    if chunk.size < 4:
        raise MalformedChunkError(REASONS[SHORT])
    if not right_sum(chunk, 0, chunk.size - 4, int(chunk[-4:].view("<u4")[0])):
        raise MalformedChunkError(REASONS[SUM])
    return chunk[:-4]


def _decode_lzf(chunk: NDArray[np.uint8], nbytes: int) -> NDArray[np.uint8]:
    target = np.empty(nbytes, np.uint8)
    if decode_lzf(chunk, target) != nbytes:
        raise MalformedChunkError("its LZF stream can't be decoded")
    return target


def _decode_lz4(chunk: NDArray[np.uint8], nbytes: int) -> NDArray[np.uint8]:
    return decode_lz4_blocks(chunk, nbytes, 1, shuffled=False)


def _decode_blosc(chunk: NDArray[np.uint8], nbytes: int) -> NDArray[np.uint8] | None:
    itemsize = int(chunk[3]) if chunk.size > 3 else 1
    status = look_at_blosc(chunk, 0, chunk.size, nbytes, max(1, itemsize))
    if status == RECODE:
        return None
    if status:
        raise MalformedChunkError(REASONS[status])
    target = np.empty(nbytes, np.uint8)
    try:
        blosc_codec.decompress(chunk, target)
    except RuntimeError as error:
        raise MalformedChunkError("its Blosc frame can't be decoded") from error
    return target


def _decode_zstd(chunk: NDArray[np.uint8], nbytes: int) -> NDArray[np.uint8] | None:
    status = look_at_zstd(chunk, 0, chunk.size, nbytes)
    if status == RECODE:
        return None
    if status:
        raise MalformedChunkError(REASONS[status])
    target = np.empty(nbytes, np.uint8)
    try:
        zstd_codec.decompress(chunk, target)
    except (RuntimeError, ValueError) as error:
        raise MalformedChunkError("its Zstandard frame can't be decoded") from error
    return target


def _decode_bitshuffle(
    values: tuple[int, ...], chunk: NDArray[np.uint8], nbytes: int
) -> NDArray[np.uint8] | None:
    if len(values) < 3 or not values[2]:
        return None
    itemsize, block = values[2], (*values, 0, 0)[3]
    compressor = (*values, 0, 0)[4]
    if compressor == _BITSHUFFLE_NONE:
        return decode_bitshuffle_raw(chunk, itemsize, block)
    if compressor == _BITSHUFFLE_LZ4:
        return decode_lz4_blocks(chunk, nbytes, itemsize, shuffled=True)
    return (
        decode_bitshuffle_zstd(chunk, nbytes, itemsize) if compressor == _BITSHUFFLE_ZSTD else None
    )


_DECODERS: dict[int, Callable[[NDArray[np.uint8], int], NDArray[np.uint8] | None]] = {
    DEFLATE: _inflate,
    FLETCHER32: _summed,
    LZF: _decode_lzf,
    BLOSC: _decode_blosc,
    LZ4: _decode_lz4,
    ZSTD: _decode_zstd,
}
