"""Rows of variable length are read in blocks that memory can hold, and empty ones not at all."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from hsc.hdf5 import read_part, walk
from hsc.hdf5.chunks import chunk_index
from hsc.hdf5.parts import VLEN
from hsc.hdf5.ragged import ragged_tables

LEVEL = ((VLEN,),)


def rows_of(dataset: h5py.Dataset) -> tuple[int, ...]:
    return ragged_tables(dataset, chunk_index(dataset), [LEVEL])[LEVEL].rows


def test_long_rows_are_read_one_by_one_and_short_ones_together(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("short", (200,), h5py.vlen_dtype("u1"))
        assert rows_of(file["short"]) == (0, 64, 128, 192, 200)
        long = file.create_dataset("long", (2,), h5py.vlen_dtype("u1"))
        for row in range(2):
            long[row] = np.zeros(20 * 2**20, np.uint8)
        file.flush()
        assert rows_of(long) == (0, 1, 2)


def test_a_sparse_dataset_is_read_where_it_was_written_only(tmp_path):
    count, at = 10**9, 654_321_000
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", (count,), h5py.vlen_dtype("i4"), chunks=(1000,))
        made[at] = [1, 2, 3]
        made[count - 1] = [4]
    with h5py.File(tmp_path / "a.h5") as file:
        tree = walk(file)
        assert tree.problems == ()
        offsets, values = tree.datasets
        assert (offsets.shape, values.shape) == ((count + 1,), (4,))
        node = file["d"].id
        assert read_part(node, values.part, (0,), (4,)).tolist() == [1, 2, 3, 4]
        assert read_part(node, offsets.part, (at - 1,), (at + 3,)).tolist() == [0, 0, 3, 3]
        assert read_part(node, offsets.part, (count - 1,), (count + 1,)).tolist() == [3, 4]


def test_more_elements_than_can_be_counted_are_a_problem(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", (10**6, 10**6), h5py.vlen_dtype("i4"), chunks=(10, 10))
        (problem,) = walk(file).problems
        assert "are too many to be counted" in problem.reason


@pytest.mark.parametrize("dtype", [h5py.string_dtype(), "S20"])
def test_a_sparse_dataset_of_texts_is_checked_where_it_was_written_only(tmp_path, dtype):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", (10**9,), dtype, chunks=(1000,))
        made[654_321_000] = b"x"
        wrong = file.create_dataset("e", (10**9,), dtype, chunks=(1000,))
        wrong[654_321_000] = b"\xff"
        leaves = {leaf.path: leaf.element.zarr for leaf in walk(file).datasets}
    assert leaves.pop("/d") == "string"
    assert "string" not in leaves.values()
