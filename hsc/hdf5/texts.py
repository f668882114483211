"""Text datasets: what of them can't be read, or is no UTF-8."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import h5py
import numpy as np

from hsc.hdf5.types import decode_text

_MOST_CHECKED = 1_000_000
_MOST_CHECKED_NBYTES = 256 * 2**20


def text_obstacle(dataset: h5py.Dataset) -> str:
    """Tell why a text dataset can't be carried over; an empty text when it can.

    It is read and decoded once, for whether it is UTF-8 stands nowhere else in the file. Beyond
    1,000,000 elements or 256 MiB it is not: an ingest meets bad text there while it writes.
    """
    if dataset.size > _MOST_CHECKED or dataset.size * dataset.dtype.itemsize > _MOST_CHECKED_NBYTES:
        return ""
    try:
        values = np.asarray(dataset[()], object)
    except OSError as error:
        if "no write intent" in str(error):
            return (
                "HDF5 can't read it: variable-length text with a fill value of its own, "
                "and only some of its chunks were written"
            )
        # Damage, as in any other data: an ingest says so while it reads them, with the place.
        return ""
    items: Iterable[tuple[tuple[int, ...], Any]] = np.ndenumerate(values)
    wrong = next((place for place, value in items if decode_text(value) is None), None)
    return "" if wrong is None else f"a text that is no UTF-8, element {wrong}"
