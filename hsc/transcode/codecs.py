"""Encoding and decoding of one inner chunk, without its crc32c."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numcodecs import blosc as blosc_codec
from numcodecs import zstd as zstd_codec
from numcodecs.vlen import VLenUTF8
from numpy.typing import NDArray

_SHUFFLES = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}
# Blosc's own threads put a frame's blocks in the order in which they end, so that the same pixels
# would give other bytes each time; numcodecs uses them on the main thread unless told otherwise.
blosc_codec.use_threads = False


def encode_chunk(
    array: NDArray[Any], compressor: Mapping[str, Any] | None, *, big_endian: bool = False
) -> bytes:
    """Encode an array of a chunk's full shape.

    Parameters
    ----------
    array
        Numbers of any byte order, booleans, or objects of ``str``.
    compressor
        Zarr codec configuration (Blosc or Zstandard); None for raw bytes.
    big_endian
        Byte order that the encoded numbers shall have.
    """
    if array.dtype == object:
        raw: Any = bytes(VLenUTF8().encode(array.ravel()))
    else:
        order = array.dtype.newbyteorder(">" if big_endian else "<")
        raw = np.ascontiguousarray(array, dtype=order).reshape(-1).view(np.uint8)
    if compressor is None:
        return bytes(raw)
    settings = compressor["configuration"]
    if compressor["name"] == "zstd":
        return bytes(zstd_codec.compress(raw, settings["level"]))
    return bytes(
        blosc_codec.compress(
            raw,
            settings["cname"].encode(),
            settings["clevel"],
            _SHUFFLES[settings["shuffle"]],
            settings["blocksize"],
            settings["typesize"],
        )
    )


def decode_chunk(
    data: bytes | memoryview,
    dtype: str,
    shape: tuple[int, ...],
    compressor: Mapping[str, Any] | None,
    *,
    big_endian: bool = False,
) -> NDArray[Any]:
    """Decode a chunk.

    Parameters
    ----------
    data
        Encoded bytes without crc32c.
    dtype
        Zarr's name of the element type, or ``string``.
    shape
        Full shape of a chunk, also at the array's edge.
    compressor
        As for `encode_chunk`.
    big_endian
        Byte order that the encoded numbers have.

    Returns
    -------
    array
        Of ``shape``, little-endian; text as objects of ``str``.
    """
    raw = _decompress(data, compressor)
    if dtype == "string":
        return np.asarray(VLenUTF8().decode(raw), dtype=object).reshape(shape)
    stored = np.frombuffer(raw, np.dtype(dtype).newbyteorder(">" if big_endian else "<"))
    return stored.reshape(shape).astype(stored.dtype.newbyteorder("<"), copy=False)


def _decompress(data: bytes | memoryview, compressor: Mapping[str, Any] | None) -> Any:
    if compressor is None:
        return data
    if compressor["name"] == "zstd":
        return zstd_codec.decompress(data)
    return blosc_codec.decompress(data)
