"""Correlation maps against freesas, pair by pair, and against plain counting."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from freesas.cormap import gof
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hsc.kernels import longest_runs, longest_runs_within, run_probability


@st.composite
def curves(draw):
    count, points = draw(st.integers(1, 40)), draw(st.integers(1, 30))
    # Few values, so that differences of zero and long runs come up.
    values = st.sampled_from([0.0, 1.0, 2.0, 0.5, -1.0])
    return draw(arrays(np.float64, (count, points), elements=values))


@given(curves())
def test_every_pair_is_as_freesas_says(some):
    longest = longest_runs(some, some)
    assert np.array_equal(longest, longest_runs_within(some))
    points = some.shape[1]
    for i, j in itertools.combinations(range(len(some)), 2):
        judge = gof(some[i], some[j])
        assert longest[i, j] == longest[j, i] == judge.c
        # Every sequence has a run of one; freesas gives such pairs the probability 0.
        expected = 1.0 if judge.c == 1 else judge.P
        assert run_probability(points, int(longest[i, j])) == expected


def test_pairs_of_noisy_curves_are_as_freesas_says():
    some = np.random.default_rng(5).normal(size=(19, 700)) + np.linspace(0, 1, 19)[:, np.newaxis]
    longest = longest_runs(some[:7], some)
    for i, j in itertools.product(range(7), range(19)):
        judge = gof(some[i], some[j])
        assert (longest[i, j], run_probability(700, int(longest[i, j]))) == (judge.c, judge.P)


@given(st.integers(1, 12), st.integers(0, 13))
def test_the_probability_is_that_of_all_sequences_counted(points, length):
    reaching = 0
    for throws in itertools.product([False, True], repeat=points):
        runs = [len(list(same)) for _, same in itertools.groupby(throws)]
        reaching += max(runs) >= length
    counted = reaching / 2**points
    assert run_probability(points, length) == pytest.approx(counted, rel=1e-13)


@pytest.mark.parametrize("odd", [0.0, np.nan])
def test_a_difference_without_a_sign_ends_a_run(odd):
    difference = np.array([[1.0, 1.0, odd, 1.0, 1.0, 1.0, odd, -1.0, -1.0]])
    assert longest_runs(difference, np.zeros((1, 9))).tolist() == [[3]]


def test_curves_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="not comparable"):
        longest_runs(np.zeros((2, 3)), np.zeros((2, 4)))
