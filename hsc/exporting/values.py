"""Values: brought into a dataset of HDF5, many chunks at once, a bounded number in memory."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from h5py import h5d, h5s
from numpy.typing import NDArray

from hsc.errors import GapError
from hsc.exporting.elements import Leaves, Resolve, Rows, image
from hsc.exporting.storage import Storage, Travelling
from hsc.exporting.stored import Batch, StoredArray, inside
from hsc.hdf5 import element_type, write_memory
from hsc.transcode import Filter, append_fletcher32, return_chunk, shuffle_bytes

_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3
_BLOCK_BYTES = 16 * 2**20
_WAITING_PER_THREAD = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """What goes into the file at once."""

    start: tuple[int, ...]
    """First element along each dimension."""
    data: Any
    """The chunk's bytes, or the elements of a region."""
    direct: bool
    """Whether it is a chunk as HDF5 stores it."""


def write_chunks(
    made: Any,
    stored: StoredArray,
    storage: Storage,
    pool: ThreadPoolExecutor,
    threads: int,
    advance: Callable[[int], None],
) -> None:
    """Write all chunks of a plain array that hold data.

    Parameters
    ----------
    made
        Identifier of the dataset that was made.
    pool, threads
        Where chunks are read and turned back, and how many at once.
    advance
        Is told the bytes of each batch that was written.
    """
    type_id = made.get_type()
    view = np.dtype(element_type(type_id).view)
    filled = made.get_create_plist().fill_value_defined() != h5d.FILL_VALUE_UNDEFINED
    batches = stored.batches(storage.travelling is not Travelling.UNDECODED)

    def prepare(batch: Batch) -> tuple[list[Piece], int]:
        return list(_pieces(batch, stored, storage, view, filled)), batch.nbytes

    for pieces, nbytes in _in_order(pool, prepare, batches, threads * _WAITING_PER_THREAD):
        for piece in pieces:
            if piece.direct:
                made.write_direct_chunk(piece.start, piece.data)
            else:
                write_region(made, type_id, piece.start, piece.data)
        advance(nbytes)


def write_region(
    made: Any, memory: Any, start: Sequence[int], values: NDArray[Any], *, addresses: bool = False
) -> None:
    """Write a region of a dataset, its elements of type ``memory``.

    ``addresses`` tells that they hold addresses, which HDF5 has to follow itself.
    """
    space = made.get_space()
    plain = np.ascontiguousarray(values)
    if start:
        space.select_hyperslab(tuple(start), plain.shape)
        there = h5s.create_simple(plain.shape)
    else:
        plain, there = plain.reshape(()), h5s.create(h5s.SCALAR)
    if addresses:
        write_memory(made, memory, plain, (there, space))
    else:
        made.write(there, space, plain, mtype=memory)


def write_elements(
    made: Any,
    shape: tuple[int, ...],
    leaves: Leaves,
    resolve: Resolve,
    blocks: Iterator[tuple[int, int]],
) -> list[GapError]:
    """Write elements that are made of several leaves, or are no plain numbers.

    Parameters
    ----------
    made
        Identifier of the dataset that was made.
    shape
        Its shape.
    blocks
        First row of each block of rows that holds data, and the one after its last; a scalar
        has none.

    Returns
    -------
    gaps
        Those of blocks that could not be read, which are not written.
    """
    type_id = made.get_type()
    gaps = []
    for start, stop in blocks if shape else [(-1, 0)]:
        rows = Rows(start, (stop - start, *shape[1:]) if shape else ())
        try:
            elements = image(type_id, "", rows, leaves, resolve)
        except GapError as error:
            gaps.append(error)
            continue
        low, held = (start, *[0] * (len(shape) - 1)) if shape else (), bool(elements.held)
        write_region(made, elements.memory, low, elements.values, addresses=held)
    return gaps


def row_blocks(shape: tuple[int, ...], itemsize: int, step: int) -> Iterator[tuple[int, int]]:
    """Cut rows into blocks of some megabytes, each a multiple of ``step`` rows."""
    each = max(1, int(np.prod(shape[1:], dtype=np.int64)) * itemsize)
    rows = max(step, _BLOCK_BYTES // each // step * step)
    for start in range(0, shape[0], rows):
        yield start, min(start + rows, shape[0])


def _pieces(
    batch: Batch, stored: StoredArray, storage: Storage, view: np.dtype[Any], filled: bool
) -> Iterator[Piece]:
    summed = bool(storage.filters) and storage.filters[-1].id == _FLETCHER32
    for place, payload in zip(batch.places, stored.read(batch), strict=True):
        if storage.travelling is Travelling.UNDECODED and storage.row is not None:
            chunk = return_chunk(
                storage.row,
                np.frombuffer(payload, np.uint8),
                nbytes=stored.nbytes,
                itemsize=view.itemsize,
                filters=storage.filters,
                summed=summed,
            )
            if chunk is not None:
                yield Piece(stored.region(place)[0], chunk, True)
                continue
        start, stop = stored.region(place)
        values = stored.decode(payload, place).astype(view, copy=False)
        if storage.chunks is None or any(
            n % c for n, c in zip(values.shape, storage.chunks, strict=True)
        ):
            yield Piece(start, values[inside(start, stop)], False)
        else:
            yield from _cut(values, start, stored, storage, filled)


def _cut(
    values: NDArray[Any],
    start: tuple[int, ...],
    stored: StoredArray,
    storage: Storage,
    filled: bool,
) -> Iterator[Piece]:
    """Cut an inner chunk into those of HDF5.

    Where several were joined, one that holds the fill value only is taken as never written, if
    what was never written reads as that (``filled``).
    """
    chunks = storage.chunks or ()
    steps = (range(0, n, c) for n, c in zip(values.shape, chunks, strict=True))
    fill = stored.fill.astype(values.dtype).tobytes() if filled and values.shape != chunks else b""
    for low in product(*steps):
        at = tuple(a + b for a, b in zip(start, low, strict=True))
        stop = tuple(min(a + c, n) for a, c, n in zip(at, chunks, stored.shape, strict=True))
        if any(a >= b for a, b in zip(at, stop, strict=True)):
            continue
        part = values[tuple(slice(a, a + c) for a, c in zip(low, chunks, strict=True))]
        held = part[inside(at, stop)]
        if fill and held.tobytes() == fill * held.size:
            continue
        if storage.travelling is Travelling.ENCODED:
            plain = np.ascontiguousarray(part).reshape(-1).view(np.uint8)
            yield Piece(at, encode_filters(plain, storage.filters), True)
        else:
            yield Piece(at, held, False)


def encode_filters(plain: NDArray[np.uint8], filters: Sequence[Filter]) -> Any:
    """Encode a chunk's bytes with deflate, shuffle and checksums, as HDF5 does."""
    data: Any = plain
    for stage in filters:
        if stage.id == _SHUFFLE:
            target = np.empty(data.size, np.uint8)
            shuffle_bytes(data, target, stage.values[0])
            data = target
        elif stage.id == _DEFLATE:
            data = np.frombuffer(zlib.compress(data, stage.values[0]), np.uint8)
        elif stage.id == _FLETCHER32:
            data = append_fletcher32(data)
    return data


def _in_order(
    pool: ThreadPoolExecutor,
    work: Callable[[Batch], tuple[list[Piece], int]],
    batches: Iterator[Batch],
    most: int,
) -> Iterator[tuple[list[Piece], int]]:
    """Give what comes of batches in their order, while no more than ``most`` are at work."""
    waiting: deque[Future[tuple[list[Piece], int]]] = deque()
    try:
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for each in waiting:
            each.cancel()
