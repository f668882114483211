"""Elements in memory that hold addresses: rows of variable length, which HDF5 itself follows.

h5py takes such rows as Python objects only, and converts each: arrays inside of them it can't, and
of texts of fixed length it loses a letter.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
from h5py._objects import phil
from numpy.typing import NDArray

_ALL = 0


def addressed_rows(ends: NDArray[np.int64], values: NDArray[Any]) -> NDArray[Any]:
    """Give one ``hvl_t`` for each row: its length, and where it begins in ``values``.

    Parameters
    ----------
    ends
        (n + 1,): where each row begins, and the end of the last.
    values
        All rows' elements, one after the other; must live as long as what is given.
    """
    word = np.dtype(f"u{ctypes.sizeof(ctypes.c_void_p)}")
    made = np.zeros(len(ends) - 1, [("length", word), ("address", word)])
    lengths = np.diff(ends)
    made["length"] = lengths
    starts = values.ctypes.data + (ends[:-1] - ends[0]) * values.dtype.itemsize
    made["address"] = np.where(lengths > 0, starts, 0)
    return made


def write_memory(node: Any, memory: Any, values: NDArray[Any], spaces: Sequence[Any] = ()) -> None:
    """Write elements to a dataset or attribute as they lie in memory.

    Parameters
    ----------
    node
        Identifier of the dataset or attribute.
    memory
        Type of the elements.
    values
        The elements, contiguous.
    spaces
        Of a dataset: what they fill in memory, and in the file.

    Raises
    ------
    ValueError
        HDF5 does not take them.
    """
    library = _library()
    data = ctypes.c_void_p(values.ctypes.data)
    identifiers = [ctypes.c_int64(each.id) for each in (node, memory, *spaces)]
    with phil:
        if isinstance(node, h5py.h5a.AttrID):
            status = library.H5Awrite(*identifiers, data)
        else:
            status = library.H5Dwrite(*identifiers, ctypes.c_int64(_ALL), data)
    if status < 0:
        raise ValueError("HDF5 does not take rows of variable length")


def undefine_fill(properties: Any) -> None:
    """Say of a dataset to be made that what was never written has no value at all.

    Raises
    ------
    ValueError
        HDF5 does not take that.
    """
    given = (ctypes.c_int64(properties.id), ctypes.c_int64(h5py.h5t.NATIVE_INT8.id), None)
    with phil:
        if _library().H5Pset_fill_value(*given) < 0:
            raise ValueError("a fill value can't be undefined")


def _library() -> Any:
    # Python's lock is held: elements may be Python objects as well, which h5py converts.
    library: Any = ctypes.PyDLL(h5py.h5l.__file__)
    if not hasattr(library, "H5Dwrite"):
        raise ValueError("rows of variable length can't be written on this system")
    return library
