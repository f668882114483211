"""What Dask asks an array for is what NumPy would give, and no more is read than it spans."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.reading.lazy import lazy_array

VALUES = np.arange(6 * 5 * 4).reshape(6, 5, 4)


class Read:
    """An array in memory that tells which regions of it were read."""

    shape, chunks, shards, dtype = VALUES.shape, (1, 5, 4), (4, 5, 4), VALUES.dtype

    def __init__(self):
        self.regions = []

    def region(self, start, stop, **_):
        self.regions.append((tuple(start), tuple(stop)))
        return VALUES[tuple(map(slice, start, stop))]


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (np.s_[2], 1),
        (np.s_[-1], 1),
        (np.s_[1:4], 3),
        (np.s_[0:6:2], None),
        (np.s_[4:0:-1], None),
        (np.s_[::-3, 1], None),
        (np.s_[3, 4, 1:3], 1),
        (np.s_[5:5], 0),
        (np.s_[[3, 1]], None),
        (np.s_[:, [4, 0, 0]], None),
        (np.s_[..., 2], None),
    ],
    ids=str,
)
def test_an_index_gives_what_numpy_gives(index, rows):
    array = Read()
    found = lazy_array(array)[index].compute(scheduler="synchronous")
    assert np.array_equal(found, VALUES[index])
    if rows is not None:
        assert sum(stop[0] - start[0] for start, stop in array.regions) == rows
