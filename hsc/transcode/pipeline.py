"""The table: from an HDF5 filter pipeline to the way its chunks travel and their Zarr codec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hsc.model import Way
from hsc.store import blosc

BITSHUFFLE = 32008
_BITSHUFFLE_LZ4 = 2
_DEFAULT_BLOCK_BYTES = 8192


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


def choose_travel(
    filters: Sequence[Filter], *, dtype: str, itemsize: int, little_endian: bool
) -> Travel:
    """Choose how an array's chunks travel.

    A row of the table holds only when its filter is the sole one of the pipeline: a shuffle
    before it would otherwise be lost, and the pixels with it.

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
        return Travel(
            Way.RECODE, {"name": "zstd", "configuration": {"level": 3, "checksum": False}}
        )
    if little_endian and len(filters) == 1 and _is_bitshuffle_lz4(filters[0], itemsize):
        return Travel(Way.REWRAP, blosc("lz4", 5, itemsize, _DEFAULT_BLOCK_BYTES))
    return Travel(Way.RECODE, blosc("zstd", 1, itemsize))


def _is_bitshuffle_lz4(stage: Filter, itemsize: int) -> bool:
    # cd_values of bitshuffle: version major, minor, element size, block size, compressor.
    values = stage.values
    return (
        stage.id == BITSHUFFLE
        and len(values) >= 5
        and values[2] == itemsize
        and values[4] == _BITSHUFFLE_LZ4
    )
