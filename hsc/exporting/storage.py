"""Storage: how a dataset of HDF5 is laid out and filtered, and how its chunks come there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import h5py
import numpy as np

from hsc.exporting.stored import StoredArray
from hsc.store import blosc
from hsc.transcode import Filter, Row, choose_travel

_DEFLATE, _SHUFFLE, _FLETCHER32, _SZIP, _NBIT, _SCALE_OFFSET = 1, 2, 3, 4, 5, 6
_BLOSC, _BITSHUFFLE = 32001, 32008
_GZIP_LEVEL = 4
_KEPT_ANYWAY, _MOST_KEPT = 2**20, 2**30
_KEPT_SLOTS = 10007
# Filters that give back every bit. Of others, as ZFP or SZ, the values are written, for to
# compress them again would change them.
_EXACT = {
    _DEFLATE, _SHUFFLE, _FLETCHER32, _SZIP, _NBIT, 305, 307, 32000, _BLOSC, 32004, _BITSHUFFLE,
    32015, 32026,
}  # fmt: skip
_ENCODED_HERE = {_DEFLATE, _SHUFFLE, _FLETCHER32}
_INTEGER_SCALING = 2
_BLOSC_COMPRESSORS = {"blosclz": 0, "lz4": 1, "lz4hc": 2, "zlib": 4, "zstd": 5}
_BLOSC_SHUFFLES = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}


class Filters(StrEnum):
    """What the chunks of an exported file are compressed with."""

    ORIGINAL = "original"
    """The filters that the dataset had in its file."""
    BLOSC = "blosc"
    """Blosc (32001) where it had any, undecoded where it is stored so."""
    GZIP = "gzip"
    """Deflate where it had any, which every HDF5 reads without a plug-in."""


class Travelling(StrEnum):
    """How values come into the file."""

    UNDECODED = "undecoded"
    """Chunks as they are stored, their headers rewritten."""
    ENCODED = "encoded"
    """Decoded, and encoded outside of HDF5, many at once."""
    THROUGH_HDF5 = "through HDF5"
    """Decoded, and given to HDF5."""


@dataclass(frozen=True, slots=True)
class Storage:
    """How one dataset is stored."""

    layout: str
    """``chunked``, ``contiguous`` or ``compact``."""
    chunks: tuple[int, ...] | None = None
    """Shape of an HDF5 chunk; None for other layouts."""
    filters: tuple[Filter, ...] = ()
    """Filter pipeline, in the order of writing."""
    travelling: Travelling = Travelling.THROUGH_HDF5
    """How its values come there."""
    row: Row | None = None
    """Row of the table that undecoded chunks are turned back by."""
    note: str = ""
    """What is not as it was; empty for nothing."""


def plan_storage(
    facts: Mapping[str, Any],
    stored: StoredArray | None,
    shape: tuple[int, ...],
    itemsize: int,
    filters: Filters,
) -> Storage:
    """Plan how a dataset is stored.

    Parameters
    ----------
    facts
        What ``hsc:hdf5`` says of it; empty for an array that a reduction made.
    stored
        Its array when it is one of plain numbers; None for others, which go through HDF5.
    shape, itemsize
        Of the dataset in HDF5.
    filters
        What is asked for.
    """
    chunks = tuple(facts["chunks"]) if facts.get("chunks") else None
    pipeline = tuple(Filter(code, tuple(values)) for code, values in facts.get("filters", ()))
    if not facts and stored is not None and shape:
        return _computed(stored, shape, itemsize, filters)
    if chunks is None:
        layout = str(facts.get("storage", "contiguous"))
        return Storage("compact" if layout == "compact" else "contiguous")
    if stored is None:
        return _through_hdf5(chunks, pipeline, itemsize, filters)
    if pipeline and filters is Filters.BLOSC:
        return _as_blosc(stored, chunks)
    if pipeline and filters is Filters.GZIP:
        return _encoded(stored, chunks, _gzip(itemsize), "")
    return _original(stored, chunks, pipeline)


def creation(storage: Storage) -> Any:
    """Give HDF5's properties of a dataset to be made that say how it is stored."""
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if storage.layout == "compact":
        made.set_layout(h5py.h5d.COMPACT)
    if storage.chunks is not None:
        made.set_chunk(storage.chunks)
        for stage in storage.filters:
            _set_filter(made, stage)
    return made


def kept_nbytes(
    storage: Storage, stored: StoredArray | None, shape: tuple[int, ...], itemsize: int
) -> int:
    """Give what HDF5 is to keep of chunks that are written piece by piece; 0: what it keeps anyway.

    A chunk that it does not keep is decoded and encoded anew for each piece.
    """
    if storage.chunks is None or storage.travelling is not Travelling.THROUGH_HDF5:
        return 0
    each = math.prod(storage.chunks) * itemsize
    if each <= _KEPT_ANYWAY:
        return 0
    near = stored.array.shards if stored is not None else (1, *shape[1:])
    count = math.prod(-(-n // c) for n, c in zip(near, storage.chunks, strict=True))
    return max(each, min(each * count, _MOST_KEPT))


def keeping(nbytes: int) -> Any:
    """Give HDF5's properties for access to a dataset of whose chunks so much is kept."""
    made = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    if nbytes:
        made.set_chunk_cache(_KEPT_SLOTS, nbytes, 1.0)
    return made


def _set_filter(made: Any, stage: Filter) -> None:
    values = stage.values
    if stage.id == _BITSHUFFLE:  # it puts its version and the element size before what it is told
        values = values[3:]
    elif stage.id == _SCALE_OFFSET:
        values = values[:2]
    elif stage.id == _NBIT:
        values = ()
    elif stage.id == _SZIP:
        made.set_szip(values[0], values[1])
        return
    # Optional, as h5py and HDF5 set them: what a filter can't make smaller stays as it is.
    flags = h5py.h5z.FLAG_MANDATORY if stage.id == _FLETCHER32 else h5py.h5z.FLAG_OPTIONAL
    made.set_filter(stage.id, flags, values)


def _original(
    stored: StoredArray, chunks: tuple[int, ...], pipeline: tuple[Filter, ...]
) -> Storage:
    itemsize = stored.array.dtype.itemsize
    travel = choose_travel(
        pipeline, dtype=stored.dtype, itemsize=itemsize, little_endian=not stored.big_endian
    )
    alike = stored.chunks == chunks and travel.compressor == stored.compressor
    kept, note = _kept(pipeline)
    if alike and travel.row is not None and not note:
        return Storage("chunked", chunks, pipeline, Travelling.UNDECODED, travel.row)
    return _encoded(stored, chunks, kept, note)


def _kept(pipeline: tuple[Filter, ...]) -> tuple[tuple[Filter, ...], str]:
    """Give the filters to encode with, and a note when they are not those that were."""
    lossy = [stage.id for stage in pipeline if stage.id not in _EXACT and not _scaled(stage)]
    absent = [stage.id for stage in pipeline if not h5py.h5z.filter_avail(stage.id)]
    unable = [
        stage.id
        for stage in pipeline
        if stage.id not in absent
        and not h5py.h5z.get_filter_info(stage.id) & h5py.h5z.FILTER_CONFIG_ENCODE_ENABLED
    ]
    for reason, which in (
        ("no plug-in for filter", absent),
        ("nothing here encodes filter", unable),
        ("to encode again would change values with filter", lossy),
    ):
        if which:
            told = f"{reason} {', '.join(map(str, which))}: written without filters"
            return (), told
    return pipeline, ""


def _scaled(stage: Filter) -> bool:
    """Tell whether scale-offset is of integers, and with as many bits as they need."""
    return stage.id == _SCALE_OFFSET and stage.values[:2] == (_INTEGER_SCALING, 0)


def _encoded(
    stored: StoredArray, chunks: tuple[int, ...], pipeline: tuple[Filter, ...], note: str
) -> Storage:
    whole = all(inner % outer == 0 for inner, outer in zip(stored.chunks, chunks, strict=True))
    here = whole and all(stage.id in _ENCODED_HERE for stage in pipeline)
    travelling = Travelling.ENCODED if here else Travelling.THROUGH_HDF5
    return Storage("chunked", chunks, pipeline, travelling, note=note)


def _through_hdf5(
    chunks: tuple[int, ...], pipeline: tuple[Filter, ...], itemsize: int, filters: Filters
) -> Storage:
    if pipeline and filters is not Filters.ORIGINAL:
        return Storage("chunked", chunks, _gzip(itemsize))
    kept, note = _kept(pipeline)
    return Storage("chunked", chunks, kept, note=note)


def _gzip(itemsize: int) -> tuple[Filter, ...]:
    shuffle = (Filter(_SHUFFLE, (itemsize,)),) if itemsize > 1 else ()
    return (*shuffle, Filter(_DEFLATE, (_GZIP_LEVEL,)))


def _blosc_filter(facts: Mapping[str, Any], nbytes: int) -> Filter:
    # cd_values: filter revision, format, type size, chunk size, level, shuffle, compressor.
    shuffle, compressor = _BLOSC_SHUFFLES[facts["shuffle"]], _BLOSC_COMPRESSORS[facts["cname"]]
    values = (2, 2, facts["typesize"], nbytes, facts["clevel"], shuffle, compressor)
    return Filter(_BLOSC, values)


def _as_blosc(stored: StoredArray, otherwise: tuple[int, ...]) -> Storage:
    """Store chunks as Blosc frames: those that are in the store, or of the shape ``otherwise``."""
    codec, itemsize = stored.compressor, stored.array.dtype.itemsize
    if codec is not None and codec["name"] == "blosc":
        stage = _blosc_filter(codec["configuration"], stored.nbytes)
        chunks = _within_bounds(stored.chunks, stored.shape)
        if chunks == stored.chunks:
            return Storage("chunked", chunks, (stage,), Travelling.UNDECODED, Row.BLOSC)
    facts = blosc("zstd", 1, itemsize)["configuration"]
    return Storage("chunked", otherwise, (_blosc_filter(facts, math.prod(otherwise) * itemsize),))


def _within_bounds(chunks: Sequence[int], shape: Sequence[int]) -> tuple[int, ...]:
    """Cut chunks at the dataset's end: HDF5 takes none that is larger than a fixed dataset."""
    return tuple(min(c, max(1, n)) for c, n in zip(chunks, shape, strict=True))


def _computed(
    stored: StoredArray, shape: tuple[int, ...], itemsize: int, filters: Filters
) -> Storage:
    """Give what a reduction made: its chunks, compressed where it is not small."""
    if math.prod(shape) * itemsize < 4096 or stored.dtype == "string":
        return Storage("contiguous")
    chunks = _within_bounds(stored.chunks, shape)
    if filters is Filters.BLOSC:
        return _as_blosc(stored, chunks)
    return _encoded(stored, chunks, _gzip(np.dtype(stored.dtype).itemsize), "")
