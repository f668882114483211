"""The table: from an HDF5 filter pipeline to the way its chunks travel and their Zarr codec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from hsc.model import Way
from hsc.store import blosc, zstd

DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3
LZF, BLOSC, LZ4, BITSHUFFLE, ZSTD = 32000, 32001, 32004, 32008, 32015
_BITSHUFFLE_LZ4, _BITSHUFFLE_ZSTD = 2, 3
_DEFAULT_BLOCK_BYTES = 8192
_BLOSC_COMPRESSORS = {0: "blosclz", 1: "lz4", 2: "lz4hc", 4: "zlib", 5: "zstd"}
_BLOSC_SHUFFLES = ("noshuffle", "shuffle", "bitshuffle")
_LARGEST_TYPE = 255
_OUTSIDE = (DEFLATE, SHUFFLE, FLETCHER32, LZF, BLOSC, LZ4, BITSHUFFLE, ZSTD)


class Row(IntEnum):
    """Rows of the table whose chunks travel undecoded."""

    RAW = 0
    """No filter: the elements as they are."""
    BLOSC = 1
    """Filter 32001: a chunk is a Blosc frame."""
    ZSTD = 2
    """Filter 32015: a chunk is a Zstandard frame."""
    BITSHUFFLE_LZ4 = 3
    """Filter 32008 with LZ4."""
    BITSHUFFLE_ZSTD = 4
    """Filter 32008 with Zstandard."""
    LZ4 = 5
    """Filter 32004."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of an HDF5 pipeline."""

    id: int
    """Registered number, as in 32008 for bitshuffle."""
    values: tuple[int, ...]
    """Its client data (``cd_values``)."""


@dataclass(frozen=True, slots=True)
class Travel:
    """How the chunks of an array travel."""

    way: Way
    """Untouched, rewrapped, or decoded and encoded."""
    compressor: Mapping[str, Any] | None
    """Zarr codec that they arrive in; None for raw bytes."""
    row: Row | None = None
    """Row of the table when they travel undecoded."""
    summed: bool = False
    """Whether a chunk ends in Fletcher's checksum, to be checked and left behind."""
    big_endian: bool = False
    """Whether the elements arrive big-endian."""


def choose_travel(
    filters: Sequence[Filter], *, dtype: str, itemsize: int, little_endian: bool
) -> Travel:
    """Choose how an array's chunks travel.

    A row of the table holds only when its filter is the sole one of the pipeline, but for a
    checksum after it: a shuffle before it would otherwise be lost, and the pixels with it.

    Parameters
    ----------
    filters
        The dataset's filter pipeline, in the order of writing.
    dtype
        Zarr's name of the element type.
    itemsize
        Bytes of an element.
    little_endian
        Whether the stored elements have Zarr's byte order.
    """
    if dtype == "string":
        return Travel(Way.RECODE, zstd(3))
    summed = bool(filters) and filters[-1].id == FLETCHER32
    rest = filters[:-1] if summed else filters
    row = _row(rest, itemsize)
    if row is None:
        return recoded(itemsize)
    way = Way.PASSTHROUGH if row in (Row.RAW, Row.BLOSC, Row.ZSTD) else Way.REWRAP
    return Travel(way, _codec(row, rest, itemsize), row, summed, not little_endian)


def recoded(itemsize: int) -> Travel:
    """Give how chunks of numbers travel that are decoded and encoded."""
    return Travel(Way.RECODE, blosc("zstd", 1, itemsize))


def decodable(filters: Sequence[Filter]) -> bool:
    """Tell whether chunks of a pipeline can be decoded outside of HDF5 (`decode_filters`)."""
    return all(stage.id in _OUTSIDE for stage in filters)


def _row(filters: Sequence[Filter], itemsize: int) -> Row | None:
    if not filters:
        return Row.RAW
    first = filters[0]
    if len(filters) > 1 or itemsize > _LARGEST_TYPE:
        return None
    if first.id == BITSHUFFLE:
        return _bitshuffle_row(first.values, itemsize)
    if first.id == BLOSC:
        return Row.BLOSC if _blosc_codec(first.values, itemsize) else None
    return {LZ4: Row.LZ4, ZSTD: Row.ZSTD}.get(first.id)


def _bitshuffle_row(values: tuple[int, ...], itemsize: int) -> Row | None:
    # cd_values of bitshuffle: version major, minor, element size, block size, compressor.
    if len(values) < 5 or values[2] != itemsize:
        return None
    return {_BITSHUFFLE_LZ4: Row.BITSHUFFLE_LZ4, _BITSHUFFLE_ZSTD: Row.BITSHUFFLE_ZSTD}.get(
        values[4]
    )


def _codec(row: Row, filters: Sequence[Filter], itemsize: int) -> Mapping[str, Any] | None:
    values = filters[0].values if filters else ()
    match row:
        case Row.RAW:
            return None
        case Row.BLOSC:
            return _blosc_codec(values, itemsize)
        case Row.ZSTD:
            # The level stands in an unsigned number, and may be below zero.
            level = values[0] - 2**32 if values and values[0] >= 2**31 else (*values, 3)[0]
            return zstd(max(-(2**17), min(level, 22)))
        case Row.LZ4:
            return blosc("lz4", 5, itemsize, shuffle="noshuffle")
        case Row.BITSHUFFLE_ZSTD:
            return blosc("zstd", 3, itemsize, _DEFAULT_BLOCK_BYTES)
        case Row.BITSHUFFLE_LZ4:
            return blosc("lz4", 5, itemsize, _DEFAULT_BLOCK_BYTES)


def _blosc_codec(values: tuple[int, ...], itemsize: int) -> dict[str, Any] | None:
    """Give the codec of Blosc chunks; None when readers of Zarr may not have its compressor."""
    # cd_values: filter revision, format, type size, chunk size, level, shuffle, compressor.
    level, shuffle, compressor = (*values, *(5, 1, 0)[len(values) - 4 :])[4:7]
    name = _BLOSC_COMPRESSORS.get(compressor)
    if len(values) < 4 or values[2] != itemsize or name is None or shuffle > 2 or level > 9:
        return None
    return blosc(name, level, itemsize, shuffle=_BLOSC_SHUFFLES[shuffle])
