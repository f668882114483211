"""Decoding a chunk to where it is wanted: straight into a larger array, or a part of it alone."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numcodecs import blosc as blosc_codec
from numcodecs import zstd as zstd_codec
from numpy.typing import NDArray

from hsc.transcode.blosc_format import STORED_RAW

Bytes = bytes | memoryview

_BLOSC_HEADER = struct.Struct("<4B3I")
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SIZES = (1, 2, 4, 8)
_PART_OF_ALL = 4  # a part of no more than a fourth is decoded alone


def decode_into(data: Bytes, target: NDArray[Any], compressor: Mapping[str, Any] | None) -> bool:
    """Decode a chunk into an array that it fills.

    Parameters
    ----------
    data
        Encoded bytes without crc32c, of elements in the array's own byte order.
    target
        C-contiguous; of the chunk's shape and type.
    compressor
        Zarr codec configuration (Blosc or Zstandard); None for raw bytes.

    Returns
    -------
    done
        False when the chunk does not say by itself that it fills the array: then nothing of it
        was written, and it is to be decoded by itself.

    Raises
    ------
    RuntimeError, ValueError
        It can't be decoded.
    """
    flat = target.reshape(-1).view(np.uint8)
    if compressor is None:
        if len(data) != flat.size:
            return False
        flat[:] = np.frombuffer(data, np.uint8)
    elif compressor["name"] == "zstd":
        if _zstd_size(data) != flat.size:
            return False
        zstd_codec.decompress(data, flat)
    else:
        if _blosc_sizes(data)[0] != flat.size:
            return False
        blosc_codec.decompress(data, flat)
    return True


def decode_part(
    data: Bytes, start: int, stop: int, nbytes: int, compressor: Mapping[str, Any] | None
) -> NDArray[np.uint8] | None:
    """Decode a small part of a chunk, where its codec lets one.

    Parameters
    ----------
    data
        Encoded bytes without crc32c.
    start, stop
        First byte of the decoded chunk that is wanted, and the one after the last.
    nbytes
        Bytes of the decoded chunk.
    compressor
        As for `decode_into`.

    Returns
    -------
    part
        (stop - start,): None when the whole chunk has to be decoded.

    Raises
    ------
    RuntimeError, ValueError
        It can't be decoded.
    """
    if compressor is None:
        return np.frombuffer(data, np.uint8)[start:stop] if len(data) == nbytes else None
    if compressor["name"] == "zstd" or (stop - start) * _PART_OF_ALL > nbytes:
        return None
    return _blosc_part(data, start, stop, nbytes)


def _blosc_sizes(data: Bytes) -> tuple[int, int]:
    """Give a frame's decoded bytes and the size of its blocks."""
    if len(data) < _BLOSC_HEADER.size:
        raise ValueError("the Blosc frame is cut short")
    *_, nbytes, block, stored = _BLOSC_HEADER.unpack_from(data)
    if stored > len(data):  # the codec would read on behind its end
        raise ValueError(f"the Blosc frame of {stored} bytes has {len(data)}")
    return nbytes, block


def _blosc_part(data: Bytes, start: int, stop: int, nbytes: int) -> NDArray[np.uint8] | None:
    """Make a frame of the blocks that a part lies in, and decode that."""
    size, block = _blosc_sizes(data)
    form, version, flags, typesize, _, _, stored = _BLOSC_HEADER.unpack_from(data)
    if size != nbytes or not block or form != 2:
        return None
    if flags & STORED_RAW:
        first = _BLOSC_HEADER.size
        if stored != first + nbytes:
            return None
        return np.frombuffer(data, np.uint8)[first + start : first + stop]
    count = -(-nbytes // block)
    if _BLOSC_HEADER.size + 4 * count > stored:
        return None
    places = np.frombuffer(data, "<u4", count, _BLOSC_HEADER.size).astype(np.int64)
    bounds = np.append(places, stored)
    # Several threads of Blosc leave blocks in any order; such a frame is decoded whole.
    if places[0] < _BLOSC_HEADER.size + 4 * count or np.any(np.diff(bounds) < 0):
        return None
    # Blosc takes no frame that is smaller than a block of it, as the last alone might be.
    low, high = min(start // block, max(0, count - 2)), -(-stop // block)
    body = memoryview(data)[int(bounds[low]) : int(bounds[high])]
    head = _BLOSC_HEADER.size + 4 * (high - low)
    part = min(high * block, nbytes) - low * block
    index = (places[low:high] - places[low] + head).astype("<u4").tobytes()
    header = _BLOSC_HEADER.pack(form, version, flags, typesize, part, block, head + len(body))
    target = np.empty(part, np.uint8)
    blosc_codec.decompress(b"".join((header, index, body)), target)
    return target[start - low * block : stop - low * block]


def _zstd_size(data: Bytes) -> int:
    """Give what a frame says of its decoded bytes; -1 when it says nothing (RFC 8878, 3.1.1)."""
    if len(data) < 6 or bytes(data[:4]) != _ZSTD_MAGIC:
        return -1
    descriptor = data[4]
    single, code = descriptor >> 5 & 1, descriptor >> 6
    if not single and not code:
        return -1
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3]
    width = _ZSTD_SIZES[code]
    stored = int.from_bytes(data[at : at + width], "little")
    return stored + 256 if width == 2 else stored
