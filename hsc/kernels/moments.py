"""Mean and variance of each pixel, from exact sums; rounded where they are divided, and nowhere."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.kernels.statistics import PixelSums

_LIMB = 2**32
_FITS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Moments:
    """What the good counts of each pixel are like."""

    n: NDArray[np.uint32]
    """How many they are."""
    mean: NDArray[np.float64]
    """NaN where there is none."""
    variance: NDArray[np.float64]
    """(n Σx² - (Σx)²) / (n (n - 1)); NaN where there are fewer than two."""

    def cut(self, start: int, stop: int) -> Moments:
        """Give pixels [start, stop), to be written to in place."""
        return Moments(*(getattr(self, each.name)[start:stop] for each in fields(self)))


def empty_moments(pixels: int) -> Moments:
    """Make room for the moments of so many pixels."""
    return Moments(np.empty(pixels, np.uint32), np.empty(pixels), np.empty(pixels))


def divide_sums(
    into: Moments, sums: PixelSums, frames: int, offset: int = 0, step: float = 1.0
) -> None:
    """Give the moments of what sums stand for.

    Before it is divided everything is an exact integer, of any size.

    Parameters
    ----------
    into
        Gets them.
    sums
        What whole numbers add up to, trimmed or not.
    frames
        How many frames were added.
    offset
        The whole number that stands for 0: 0 or 2³¹.
    step
        What 1 stands for: a power of two.

    Examples
    --------
    >>> from hsc.kernels.statistics import GoodRange, add_frames, pixel_sums
    >>> sums, found = pixel_sums(2, np.dtype("u4")), empty_moments(2)
    >>> frames = np.array([[2**31, 1], [2**31 + 2, 1]], "u4")
    >>> numbers = add_frames(sums, frames, GoodRange(0, 2**32 - 2, 2**32))
    >>> divide_sums(found, sums, 2)
    >>> found.mean.tolist(), found.variance.tolist()
    ([2147483649.0, 1.0], [2.0, 0.0])
    """
    beyond = _divide(sums.missing, sums.sums, sums.squares, sums.squares_high, frames, offset,
                     step, into.n, into.mean, into.variance)  # fmt: skip
    for place in np.flatnonzero(np.isinf(into.variance)) if beyond else ():
        n, total, squares = int(into.n[place]), int(sums.sums[place]), int(sums.squares[place])
        if sums.squares_high.size:
            squares += _LIMB * int(sums.squares_high[place])
        squares += n * offset**2 - 2 * offset * total
        total -= n * offset
        variance = (n * squares - total * total) / (n * (n - 1))
        into.variance[place] = variance * step**2


def squares_of(sums: PixelSums) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Give the sums of squares as two limbs of 64 bits: the lower one and the higher one."""
    if not sums.squares_high.size:
        return sums.squares, np.zeros_like(sums.squares)
    low = sums.squares + (sums.squares_high << np.uint64(32))
    high = (sums.squares_high >> np.uint64(32)) + (low < sums.squares)
    return low, high.astype(np.uint64)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _divide(  # type: ignore[no-untyped-def]
    missing, sums, squares, high, frames, offset, step, n, mean, variance
):
    """Give all of them; the variance is inf, and how often, where 64 bits do not hold it."""
    beyond, square_step = 0, step * step
    known, limit, pairs = np.uint64(0), np.uint64(0), 0.0
    for place in range(sums.size):
        count = np.uint64(frames - (missing[place] if missing.size else np.uint32(0)))
        n[place] = np.uint32(count)
        total = np.int64(sums[place]) - np.int64(count) * offset
        # Without a good count: 0 / 0.
        mean[place] = np.float64(total) * step / np.float64(count)
        if count < 2:
            variance[place] = np.nan
            continue
        if count != known:  # as few pixels have another one than the pixel before
            known, limit = count, np.uint64(_FITS) // count
            pairs = np.float64(count) * (np.float64(count) - 1.0)
        carried = high[place] if high.size else np.uint64(0)
        low = squares[place]
        if offset:
            low, carried = _centre(low, carried, sums[place], count)
        # (Σx)² is at most n Σx² (Cauchy and Schwarz): where that fits, so does the difference.
        if carried or low > limit:
            variance[place] = np.inf
            beyond += 1
        else:
            distance = np.uint64(abs(total))
            numerator = count * low - distance * distance
            variance[place] = np.float64(numerator) / pairs * square_step
    return beyond


@numba.njit(nogil=True, cache=True)
def _centre(squares, high, sums, count):  # type: ignore[no-untyped-def]
    """Give Σ(u - o)² = Σu² - 2oΣu + no² as its lower and its higher 64 bits, with o = 2³¹."""
    low = squares + (high << np.uint64(32))
    more = (high >> np.uint64(32)) + np.uint64(low < squares)
    less = sums << np.uint64(32)
    more -= (sums >> np.uint64(32)) + np.uint64(low < less)
    low -= less
    added = count << np.uint64(62)
    low += added
    return low, more + (count >> np.uint64(2)) + np.uint64(low < added)
