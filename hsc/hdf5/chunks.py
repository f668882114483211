"""Where a dataset's chunks lie in its file, found in one pass, and its filter pipeline."""

from __future__ import annotations

import os
from array import array
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from hsc.hdf5.edges import edge_masks
from hsc.transcode import Filter


@dataclass(frozen=True, slots=True)
class ChunkIndex:
    """Chunks that were written, in C order of the chunk grid."""

    chunks: tuple[int, ...] | None
    """Shape of an HDF5 chunk; None when the dataset is not chunked."""
    places: NDArray[np.int64]
    """(n, dimensions): place of each chunk in the chunk grid."""
    offsets: NDArray[np.uint64]
    """(n,): first byte in the file."""
    sizes: NDArray[np.uint64]
    """(n,): bytes in the file."""
    masks: NDArray[np.uint32]
    """(n,): filters that were skipped for the chunk, as bits; 0 for none."""
    owners: NDArray[np.int32] | None = None
    """(n,): which of the tree's files each chunk lies in; None: all in the dataset's own."""

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def stored_nbytes(self) -> int:
        """Bytes of all chunks in the file."""
        return int(self.sizes.sum())


def chunk_index(dataset: h5py.Dataset) -> ChunkIndex:
    """Index a dataset's chunks by one pass of ``H5Dchunk_iter``.

    (``get_chunk_info`` by number takes time that grows with the square of their count.) A
    contiguous dataset counts as one chunk, compact and virtual ones as one without an offset.
    """
    if dataset.chunks is None:
        return _whole(dataset)
    # One flat row for each chunk: dimensions, offset, size, mask. A list of tuples takes ten
    # times the memory.
    rows = array("Q")

    def take(info: Any) -> None:
        rows.extend((*info.chunk_offset, info.byte_offset, info.size, info.filter_mask))

    if dataset.size:
        dataset.id.chunk_iter(take)
    table = np.frombuffer(rows, np.uint64).reshape(-1, dataset.ndim + 3)
    places = table[:, : dataset.ndim].astype(np.int64) // np.array(dataset.chunks, np.int64)
    grid = -(-np.array(dataset.shape, np.int64) // np.array(dataset.chunks, np.int64))
    # Nobody can read what lies beyond the dataset's shape.
    inside = np.flatnonzero((places < grid).all(axis=1) & (places >= 0).all(axis=1))
    order = inside[np.lexsort(places[inside].T[::-1])]
    if (places[order[1:]] == places[order[:-1]]).all(axis=1).any():
        raise ValueError("two chunks of its index have the same place")
    offsets, sizes = _within(dataset.file, table[order, -3], table[order, -2])
    return ChunkIndex(
        chunks=dataset.chunks,
        places=places[order],
        offsets=offsets,
        sizes=sizes,
        masks=edge_masks(dataset, places[order], table[order, -1].astype(np.uint32)),
    )


def _within(
    file: h5py.File, offsets: NDArray[np.uint64], sizes: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Cut places in a file at its end, where reading says that it ends too early.

    A damaged index may give any number up to 2^64, and nobody is to make room for so much.
    """
    end = np.uint64(os.stat(os.fsencode(file.filename)).st_size)
    return np.minimum(offsets, end), np.minimum(sizes, end + np.uint64(1))


def _whole(dataset: h5py.Dataset) -> ChunkIndex:
    virtual = dataset.id.get_create_plist().get_layout() == h5py.h5d.VIRTUAL
    stored = dataset.id.get_storage_size()
    # A contiguous dataset has no storage until something is written.
    count = 1 if dataset.size and (virtual or stored) else 0
    # An address that HDF5 has not is 2^64 - 1.
    address = np.full(count, dataset.id.get_offset() or 0, np.uint64)
    offsets, _ = _within(dataset.file, address, address)
    return ChunkIndex(
        chunks=None,
        places=np.zeros((count, dataset.ndim if dataset.shape else 0), np.int64),
        offsets=offsets,
        sizes=np.full(count, stored, np.uint64),
        masks=np.zeros(count, np.uint32),
    )


def filter_pipeline(dataset: h5py.Dataset) -> tuple[Filter, ...]:
    """Give a dataset's filters in the order of writing."""
    created = dataset.id.get_create_plist()
    found = (created.get_filter(number) for number in range(created.get_nfilters()))
    return tuple(Filter(int(code), tuple(map(int, values))) for code, _, values, _ in found)
