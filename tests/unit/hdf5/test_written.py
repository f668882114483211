"""Regions that were written cover all of that, nothing twice, in pieces that memory can hold."""

from __future__ import annotations

import math

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.hdf5 import walk
from hsc.hdf5.chunks import chunk_index
from hsc.hdf5.written import cut_region, written_boxes, written_regions


@st.composite
def layouts(draw):
    """Draw a shape, chunks, places of some chunks, and how many elements a region may have."""
    dims = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, 12)) for _ in range(dims))
    chunks = tuple(draw(st.integers(1, 5)) for _ in range(dims))
    grid = [math.ceil(n / c) for n, c in zip(shape, chunks, strict=True)]
    every = list(np.ndindex(*grid))
    kept = draw(st.sets(st.sampled_from(every), min_size=1) | st.just(set(every)))
    return shape, chunks, np.array(sorted(kept), np.int64), draw(st.integers(1, 300))


@given(layouts())
def test_boxes_cover_written_chunks_once(layout):
    shape, chunks, places, most = layout
    wanted, found = np.zeros(shape, int), np.zeros(shape, int)
    for place in places.tolist():
        wanted[tuple(slice(a * c, a * c + c) for a, c in zip(place, chunks, strict=True))] = 1
    for start, stop in written_boxes(shape, chunks, places, most):
        part = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        found[part] += 1
        assert found[part].size <= max(most, math.prod(chunks))
    assert np.array_equal(found, wanted)


@given(layouts())
def test_a_region_is_cut_into_small_ones(layout):
    shape, _, _, most = layout
    found = np.zeros(shape, int)
    for start, stop in cut_region(((0,) * len(shape), shape), most):
        part = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        found[part] += 1
        assert found[part].size <= most
    assert (found == 1).all()


@pytest.mark.parametrize(("row", "expected"), [(0, (1, 0)), (1, (0, 0)), (None, (0, 0))])
def test_of_what_a_file_itself_defines_one_element_is_given(tmp_path, row, expected):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", (4, 4), "S3", chunks=(1, 4), fillvalue=b"abc")
        if row is not None:
            made[row] = b"x"
        regions = list(written_regions(made, chunk_index(made)))
    assert regions[-1] == (expected, tuple(n + 1 for n in expected))
    assert len(regions) == (1 if row is None else 2)


def test_a_fill_value_that_is_no_text_makes_bytes_of_texts_of_which_some_were_written(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", (40,), "S3", chunks=(4,), fillvalue=b"\xff")
        made[0] = b"x"
        (leaf,) = walk(file).datasets
    assert (leaf.element.zarr, leaf.shape) == ("uint8", (40, 3))
