"""Rows of variable length are read in blocks that memory can hold."""

from __future__ import annotations

import h5py
import numpy as np

from hsc.hdf5.ragged import row_regions


def test_long_rows_are_read_one_by_one_and_short_ones_together(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("short", (200,), h5py.vlen_dtype("u1"))
        assert list(row_regions(file["short"])) == [
            ((start,), (min(start + 64, 200),)) for start in range(0, 200, 64)
        ]
        long = file.create_dataset("long", (2,), h5py.vlen_dtype("u1"))
        for row in range(2):
            long[row] = np.zeros(20 * 2**20, np.uint8)
        file.flush()
        assert list(row_regions(long)) == [((0,), (1,)), ((1,), (2,))]
