"""Like frames: tiles that make one map, and the longest block against all blocks tried."""

from __future__ import annotations

import numpy as np
import pytest
from freesas.cormap import gof
from hypothesis import given
from hypothesis import strategies as st

from hsc.reductions.biosaxs import similarity
from hsc.reductions.biosaxs.similarity import (
    SimilarityParameters,
    compare_pairs,
    find_similar,
    longest_block,
)
from hsc.workers import ThreadWorkers


def drawn(frames, points=300, seed=1):
    return np.random.default_rng(seed).normal(100, 1, (frames, points))


def test_tiles_make_one_symmetric_map():
    curves = drawn(2 * similarity._TILE + 3, points=20)
    longest = compare_pairs(curves, ThreadWorkers(2))
    assert np.array_equal(longest, longest.T)
    assert not np.diagonal(longest).any()
    for i, j in ((0, 1), (3, 400), (514, 2), (300, 299)):
        assert longest[i, j] == gof(curves[i], curves[j]).c
    assert np.array_equal(longest, compare_pairs(curves, ThreadWorkers(1)))


class Rows:
    """Probabilities that are drawn, not those of any runs."""

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def row(self, frame):
        return self.values[frame]


@given(st.integers(1, 9), st.data())
def test_the_longest_block_is_the_longest_of_all_that_meet_the_limits(frames, data):
    levels = st.sampled_from([0.0, 1e-6, 1e-5, 1e-4, 1e-3, 0.5])
    probability = np.ones((frames, frames))
    for i in range(frames):
        for j in range(i):
            probability[i, j] = probability[j, i] = data.draw(levels)

    def good(start, stop):
        inside = probability[start:stop, start:stop]
        return (inside >= 1e-5).all() and (np.diagonal(inside, 1) >= 1e-3).all()

    blocks = [
        (start, stop)
        for start in range(frames)
        for stop in range(start + 1, frames + 1)
        if good(start, stop)
    ]
    # The earliest of the longest.
    found = longest_block(Rows(probability), 1e-3, 1e-5)
    assert found == max(blocks, key=lambda b: (b[1] - b[0], -b[0]))


def test_damaged_frames_at_the_end_are_cut():
    curves = drawn(30)
    curves[22:] += np.linspace(3, 0, 300) * np.arange(1, 9)[:, np.newaxis]
    found = find_similar(curves, SimilarityParameters(), ThreadWorkers(1))
    assert (found.start, found.stop) == (0, 22)
    assert np.flatnonzero(found.kept).tolist() == list(range(22))
    assert np.diagonal(found.probability).tolist() == [1.0] * 30


def test_adjusting_divides_the_limits_by_the_number_of_comparisons():
    plain = find_similar(
        drawn(5), SimilarityParameters(similarity_adjusted=False), ThreadWorkers(1)
    )
    adjusted = find_similar(drawn(5), SimilarityParameters(), ThreadWorkers(1))
    assert (plain.least_neighbours, plain.least_pairs) == (1e-3, 1e-5)
    assert adjusted.least_neighbours == plain.least_neighbours / 4
    assert adjusted.least_pairs == plain.least_pairs / 10


@pytest.mark.parametrize("frames", [1, 2])
def test_few_frames_are_their_own_block(frames):
    found = find_similar(drawn(frames), SimilarityParameters(), ThreadWorkers(1))
    assert found.kept.sum() == frames
