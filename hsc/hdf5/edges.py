"""Edge chunks that a file keeps unfiltered (``H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS``)."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

import h5py
import numpy as np
from h5py._objects import phil
from numpy.typing import NDArray

_DONT_FILTER_PARTIAL = 0x02


def edge_masks(
    dataset: h5py.Dataset, places: NDArray[np.int64], masks: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Mark all filters as skipped for chunks that the file keeps unfiltered.

    HDF5 has an option that leaves out the filters where a chunk reaches beyond the dataset, and
    says nothing of it in such a chunk's own mask.

    Parameters
    ----------
    places
        (n, dimensions): place of each chunk in the chunk grid.
    masks
        (n,): filters that were skipped for each, as the chunk index says it.
    """
    created = dataset.id.get_create_plist()
    chunks, shape = np.array(dataset.chunks, np.int64), np.array(dataset.shape, np.int64)
    if not created.get_nfilters() or not (shape % chunks).any() or not _unfiltered(created):
        return masks
    partial = ((places + 1) * chunks > shape).any(axis=1)
    every = np.uint32((1 << created.get_nfilters()) - 1)
    return np.where(partial, every, masks).astype(np.uint32)


def _unfiltered(created: Any) -> bool:
    asked = _asking()
    if asked is None:
        return False
    options = ctypes.c_uint()
    with phil:
        status = asked(created.id, ctypes.byref(options))
    return status >= 0 and bool(options.value & _DONT_FILTER_PARTIAL)


@lru_cache(maxsize=1)
def _asking() -> Any:
    """Give HDF5's function, which h5py has not; None where its library can't be reached."""
    library: Any = ctypes.CDLL(h5py.h5d.__file__)
    if not hasattr(library, "H5Pget_chunk_opts"):
        return None
    asked = library.H5Pget_chunk_opts
    asked.argtypes, asked.restype = (ctypes.c_int64, ctypes.c_void_p), ctypes.c_int
    return asked
