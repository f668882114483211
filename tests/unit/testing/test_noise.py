"""Frames are honest, repeatable Poisson draws."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import stats

from hsc.errors import ParameterError
from hsc.testing import PoissonFrames


def drawn(mean: float, *, frames: int = 4, dtype: str = "u2") -> np.ndarray:
    source = PoissonFrames(np.full((200, 250), mean), np.dtype(dtype), seed=3)
    return np.stack([source(index) for index in range(frames)])


@pytest.mark.parametrize("mean", [0.0, 0.05, 0.7, 4.0, 29.9, 30.1, 900.0])
def test_counts_follow_the_poisson_distribution(mean: float) -> None:
    counts = drawn(mean).ravel()
    if mean == 0:
        assert not counts.any()
        return
    low, high = (int(value) for value in stats.poisson.ppf([1e-3, 1 - 1e-3], mean))
    # One class per count, and one for each tail.
    classes = np.clip(counts, low, high + 1)
    seen = np.bincount(classes, minlength=high + 2)[low:]
    expected = stats.poisson.pmf(np.arange(low, high + 2), mean)
    expected[0] = stats.poisson.cdf(low, mean)
    expected[-1] = stats.poisson.sf(high, mean)
    assert stats.chisquare(seen, expected * counts.size).pvalue > 1e-4


def test_two_frames_share_nothing_but_the_expectation() -> None:
    one, other = drawn(4.0, frames=2).astype(float)
    correlation = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert abs(correlation) < 5 / np.sqrt(one.size)


def test_each_pixel_has_its_own_expectation() -> None:
    expectation = np.linspace(0, 60, 600).reshape(20, 30)
    source = PoissonFrames(expectation, np.dtype("u4"), seed=8)
    mean = np.mean([source(index) for index in range(400)], axis=0)
    error = np.sqrt(expectation / 400)
    assert (np.abs(mean - expectation) <= 5 * error).all()


def test_a_frame_is_the_same_whatever_was_drawn_before_and_in_whichever_thread() -> None:
    def source() -> PoissonFrames:
        return PoissonFrames(np.full((30, 40), 2.5), np.dtype("u2"), seed=5)

    in_order = [source()(index) for index in range(8)]
    shared = source()
    with ThreadPoolExecutor(4) as pool:
        backwards = list(pool.map(shared, reversed(range(8))))[::-1]
    for one, other in zip(in_order, backwards, strict=True):
        np.testing.assert_array_equal(one, other)


def test_seeds_and_streams_give_different_frames() -> None:
    expectation = np.full((30, 40), 5.0)
    frames = [
        PoissonFrames(expectation, np.dtype("u2"), seed=seed, stream=stream)(0).tobytes()
        for seed, stream in [(0, 0), (0, 1), (1, 0), (1, 1)]
    ]
    assert len(set(frames)) == 4


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4"])
def test_only_pixels_that_are_not_there_hold_the_maximum_of_the_type(dtype: str) -> None:
    dead = np.zeros((20, 30), np.bool_)
    dead[5:7] = True
    mean = 250.0 if dtype == "u1" else 3.0
    top = np.iinfo(dtype).max
    frame = PoissonFrames(np.full((20, 30), mean), np.dtype(dtype), dead=dead)(0)
    assert frame.dtype == dtype
    assert ((frame == top) == dead).all()
    if dtype == "u1":
        assert (frame == top - 1).any()


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_an_impossible_expectation_is_refused(wrong: float) -> None:
    with pytest.raises(ParameterError, match="negative or not finite"):
        PoissonFrames(np.array([[1.0, wrong]]), np.dtype("u2"))


def test_signed_frames_are_refused() -> None:
    with pytest.raises(ParameterError, match="int16"):
        PoissonFrames(np.ones((2, 2)), np.dtype("i2"))
