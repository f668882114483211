"""How one array travels: by the table, if its bytes are plain and its pieces lie alike."""

from __future__ import annotations

import math

import numpy as np

from hsc.hdf5 import Carry, SourceDataset
from hsc.ingestion.grid import MAX_CHUNK_BYTES, inner_chunks
from hsc.ingestion.ranges import in_ranges
from hsc.layouts import RunArray
from hsc.model import Way
from hsc.transcode import Row, Travel, choose_travel, decodable, recoded

# Each chunk costs a reader 20 bytes of index and a request; smaller ones are joined.
_SMALLEST_KEPT_BYTES = 4096


def array_travel(array: RunArray) -> tuple[Travel, bool, tuple[int, ...]]:
    """Choose how an array travels.

    Returns
    -------
    travel
        How its chunks travel.
    placed
        Whether each inner chunk is one range of bytes in a file, read by its position.
    chunks
        Shape of an inner chunk.
    """
    first = array.pieces[0].dataset
    dtype, itemsize, stored = first.element.zarr or "", first.itemsize, first.index.chunks
    plain = dtype != "string" and _alike(array)
    travel = choose_travel(
        first.filters, dtype=dtype, itemsize=itemsize, little_endian=first.element.little_endian
    )
    chunks = inner_chunks(array.shape, stored, itemsize, keep=False)
    if plain and stored is None and travel.row is Row.RAW and in_ranges(array, chunks):
        return travel, True, chunks
    if plain and stored is not None and _worth_keeping(first, travel):
        return travel, True, stored
    if dtype != "string":
        travel = recoded(itemsize)
    return travel, plain and stored == chunks and decodable(first.filters), chunks


def _alike(array: RunArray) -> bool:
    """Tell whether all pieces lie alike, as plain numbers, and fill whole chunks of the stack."""
    first = array.pieces[0].dataset
    rows, *rest = first.index.chunks or (1,)
    if math.prod((rows, *rest)) * first.itemsize > MAX_CHUNK_BYTES:
        return False
    return all(piece.dataset.shape[0] % rows == 0 for piece in array.pieces[:-1]) and all(
        _plain(piece.dataset)
        and piece.dataset.storage == first.storage
        and piece.dataset.index.chunks == first.index.chunks
        and piece.dataset.filters == first.filters
        and piece.dataset.element == first.element
        and (piece.dataset.index.owners is None or len(piece.owners) > 0)
        for piece in array.pieces
    )


def _plain(dataset: SourceDataset) -> bool:
    """Tell whether a dataset's bytes are its elements, as NumPy names them and no more."""
    element, part = dataset.element, dataset.part
    whole = part is None or not (part.steps or part.dims or part.attribute)
    carried = Carry.PLAIN if part is None else Carry.BYTES
    return (
        whole
        and element.carry in (Carry.PLAIN, carried)
        and np.dtype(element.view).itemsize == dataset.itemsize
    )


def _worth_keeping(dataset: SourceDataset, travel: Travel) -> bool:
    """Tell whether chunks travel undecoded; tiny ones are joined, for which they are decoded."""
    if travel.row is None:
        return False
    nbytes = math.prod(dataset.index.chunks or (1,)) * dataset.itemsize
    return travel.way is Way.REWRAP or nbytes >= _SMALLEST_KEPT_BYTES or len(dataset.index) <= 1
