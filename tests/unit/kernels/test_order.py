"""Order statistics of groups against sorting, and smaller pictures against NumPy's sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.kernels import halve_picture, ranked
from hsc.reductions.statistics.order import medians, quartiles

NUMBERS = st.one_of(
    st.floats(allow_nan=False),
    st.integers(-3, 3).map(float),  # many are the same
    st.floats(0.9, 1.1),
)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.lists(NUMBERS, max_size=60), min_size=1, max_size=4), st.randoms())
def test_numbers_are_found_as_by_sorting(groups, random):
    starts = np.cumsum([0, *(len(each) for each in groups)])
    values = np.array([number for each in groups for number in each], np.float64)
    ranks = np.array([[random.randint(-1, len(each) - 1) for each in groups] for _ in range(2)])
    found = ranked(values, starts, ranks)
    for place, row in enumerate(ranks):
        for group, rank in enumerate(row):
            ordered = sorted(groups[group])
            expected = [np.nan, np.nan] if rank < 0 else [*ordered[rank:], ordered[-1]][:2]
            np.testing.assert_array_equal(found[place, group], expected)


@pytest.mark.parametrize("size", [4, 5, 6, 7, 1000, 16385])
@pytest.mark.parametrize("draw", ["normal", "exponential", "standard_cauchy"])
def test_medians_and_quartiles_are_numpys_to_the_bit(size, draw):
    values = getattr(np.random.default_rng(size), draw)(size=2 * size)
    values[size + 1 : size + 3] = 0, 1e300
    starts, both = np.array([0, size, 2 * size]), np.array([True, True])
    for group, part in enumerate(np.split(values, 2)):
        assert medians(values, starts, both)[group] == np.median(part)
        found = quartiles(values, starts, both)[:, group]
        assert found.tolist() == np.quantile(part, (0.25, 0.75)).tolist()


@pytest.mark.parametrize("dtype", [np.uint64, np.float64, np.uint16])
@pytest.mark.parametrize("shape", [(4, 6), (5, 6), (4, 7), (5, 7), (1, 5), (5, 1)])
def test_pictures_are_halved_with_odd_sides_joined_with_nothing(dtype, shape):
    picture = np.random.default_rng(2).integers(0, 1000, shape).astype(dtype)
    even = [(0, side % 2) for side in shape]
    blocks = np.pad(picture, even).reshape(-(-shape[0] // 2), 2, -(-shape[1] // 2), 2)
    assert np.array_equal(halve_picture(picture, add=True), blocks.sum(axis=(1, 3), dtype=dtype))
    assert np.array_equal(halve_picture(picture, add=False), blocks.max(axis=(1, 3)))
