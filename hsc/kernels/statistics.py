"""Exact sums over a stack of frames, pixel by pixel and frame by frame, in one pass."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import statistic_loops
from hsc.kernels.statistic_loops import add_counts, join_counts, sum_pixels

FRAME_NUMBERS = ("total", "maximum", "bad", "zero", "saturated")
"""What `add_frames` gives of each frame, in order: sum and largest of the good counts, and how many
pixels have no good count, a count of zero, a count at or above the saturation."""

MOST_FRAMES = 65536
"""Frames that may be added to one `PixelSums` before it is joined to others."""


@dataclass(frozen=True, slots=True)
class GoodRange:
    """Which counts are believed."""

    lowest: int
    """0 where negative numbers are marks."""
    highest: int
    """Largest count that is no mark."""
    saturation: int
    """Counts from here on are good, and saturated; above ``highest``: none is."""


@dataclass(frozen=True, slots=True)
class PixelSums:
    """What good counts add up to, pixel by pixel; flat arrays, added to in place."""

    missing: NDArray[np.uint32]
    """Frames without a good count."""
    sums: NDArray[np.uint64]
    """Sum."""
    squares: NDArray[np.uint64]
    """Sum of squares, but for what is in ``squares_high``."""
    squares_high: NDArray[np.uint64]
    """The rest of it, in units of 2**32."""
    minimum: NDArray[Any]
    """Smallest; the largest number of the type where there is none."""
    maximum: NDArray[Any]
    """Largest; 0 where there is none."""
    saturated: NDArray[np.uint32]
    """Frames at or above the saturation."""


def pixel_sums(pixels: int, dtype: np.dtype[Any]) -> PixelSums:
    """Make sums with nothing in them.

    What stays zero takes no memory: numpy's zeros do not until they are written to.

    Parameters
    ----------
    pixels
        Pixels of a frame.
    dtype
        Of the frames.
    """
    return PixelSums(
        missing=np.zeros(pixels, np.uint32),
        sums=np.zeros(pixels, np.uint64),
        squares=np.zeros(pixels, np.uint64),
        squares_high=np.zeros(pixels, np.uint64),
        minimum=np.full(pixels, np.iinfo(dtype).max, dtype),
        maximum=np.zeros(pixels, dtype),
        saturated=np.zeros(pixels, np.uint32),
    )


def add_frames(
    into: PixelSums, frames: NDArray[np.integer[Any]], good: GoodRange
) -> NDArray[np.int64]:
    """Add frames, no more than `MOST_FRAMES` in all; give `FRAME_NUMBERS` of each.

    Parameters
    ----------
    into
        The sums.
    frames
        (n, ...): counts of at most 32 bits, C order, in the machine's byte order.
    good
        Which of them are believed.

    Examples
    --------
    >>> sums = pixel_sums(3, np.dtype("u2"))
    >>> frames = np.array([[1, 2, 65535], [3, 0, 9]], "u2")
    >>> add_frames(sums, frames, GoodRange(0, 65534, 9)).tolist()
    [[3, 2, 1, 0, 0], [12, 9, 0, 1, 1]]
    >>> sums.sums.tolist(), sums.squares.tolist(), sums.missing.tolist()
    ([4, 2, 9], [10, 4, 81], [0, 0, 1])
    """
    flat = frames.reshape(len(frames), -1)
    kind, limits = flat.dtype.type, np.iinfo(flat.dtype)
    numbers = np.zeros((len(flat), len(FRAME_NUMBERS)), np.int64)
    # A saturation that the type can't hold is one that no count reaches.
    bounds = (kind(good.lowest), kind(good.highest), kind(min(good.saturation, limits.max)))
    saturates = good.saturation <= good.highest
    add_counts(flat, bounds, saturates, into.missing, into.sums, into.squares, into.squares_high,
         into.minimum, into.maximum, into.saturated, numbers)  # fmt: skip
    return numbers


def cut_pixels(sums: PixelSums, start: int, stop: int) -> PixelSums:
    """Give pixels [start, stop), to be added to in place."""
    return PixelSums(*(getattr(sums, each.name)[start:stop] for each in fields(sums)))


def own_pixels(sums: PixelSums) -> PixelSums:
    """Give sums that can be added to: what came from another process may be for reading alone."""
    return PixelSums(*(np.require(getattr(sums, each.name), None, "W") for each in fields(sums)))


def trim_pixels(sums: PixelSums) -> PixelSums:
    """Leave out what is zero everywhere, to be sent to where it is joined."""
    return replace(
        sums,
        missing=_trimmed(sums.missing),
        squares_high=_trimmed(sums.squares_high),
        saturated=_trimmed(sums.saturated),
    )


def join_pixels(into: PixelSums, part: PixelSums) -> PixelSums:
    """Add the sums of other frames, trimmed or not; any order gives the same whole numbers.

    Parameters
    ----------
    into
        Is added to in place; what was trimmed of it is taken from ``part``.
    part
        What is added.

    Returns
    -------
    joined
        ``into``, with what it lacked.
    """
    high = into.squares_high if into.squares_high.size else np.zeros_like(into.squares)
    carried = join_counts(into.sums, into.squares, high, into.minimum, into.maximum,
                          part.sums, part.squares, part.minimum, part.maximum)  # fmt: skip
    if part.squares_high.size:
        high += part.squares_high
    elif not carried:
        high = into.squares_high
    return replace(
        into,
        missing=_joined(into.missing, part.missing),
        squares_high=high,
        saturated=_joined(into.saturated, part.saturated),
    )


def sum_regions(
    frames: NDArray[np.integer[Any]],
    pixels: NDArray[np.int64],
    starts: NDArray[np.int64],
    good: GoodRange,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sum good counts over regions, frame by frame.

    Parameters
    ----------
    frames
        As for `add_frames`.
    pixels, starts
        Flat indices of the regions' pixels, one region after the other, and where each begins in
        them (one more entry than regions).
    good
        Which counts are believed.

    Returns
    -------
    sums, counts
        (n, regions): sum of the good counts, and how many they are.

    Examples
    --------
    >>> frames = np.array([[5, 7, 65535]], "u2")
    >>> sums, counts = sum_regions(frames, np.array([0, 1, 1, 2]), np.array([0, 2, 4]),
    ...                            GoodRange(0, 65534, 65535))
    >>> sums.tolist(), counts.tolist()
    ([[12, 7]], [[2, 1]])
    """
    flat = frames.reshape(len(frames), -1)
    sums = np.zeros((len(flat), len(starts) - 1), np.int64)
    counts = np.zeros_like(sums)
    kind = flat.dtype.type
    sum_pixels(flat, pixels, starts, kind(good.lowest), kind(good.highest), sums, counts)
    return sums, counts


def add_to_bin(into: NDArray[Any], frame: NDArray[np.integer[Any]], good: GoodRange) -> None:
    """Add a frame to a sum of frames, in place.

    Parameters
    ----------
    into
        (...): the sum, of an unsigned type. Its largest number stands, and stays, where a frame has
        no good count.
    frame
        (...): counts of at most 32 bits, C order.
    good
        Which of them are believed.

    Examples
    --------
    >>> into = np.array([1, 2, 2**32 - 1], "u4")
    >>> add_to_bin(into, np.array([5, 65535, 5], "u2"), GoodRange(0, 65534, 65535))
    >>> into.tolist()
    [6, 4294967295, 4294967295]
    """
    kind, mark = frame.dtype.type, into.dtype.type(np.iinfo(into.dtype).max)
    bounds = kind(good.lowest), kind(good.highest)
    statistic_loops.add_bin(frame.reshape(-1), *bounds, mark, into.reshape(-1))


def fix_points(values: NDArray[np.floating[Any]], fixed: NDArray[np.uint32], units: float) -> int:
    """Round values to whole units, counted from -2³¹, to even where they are halfway.

    Parameters
    ----------
    values
        (n,): float32 or float64.
    fixed
        (n,): gets the whole numbers; the largest one where a value is not finite.
    units
        How many make 1.

    Returns
    -------
    beyond
        The first place whose value is beyond 32 bits; -1: none is.

    Examples
    --------
    >>> fixed = np.empty(3, "u4")
    >>> fix_points(np.array([0.5, -1, np.nan], "f4"), fixed, 1024)
    -1
    >>> (fixed.astype(np.int64) - 2**31).tolist()
    [512, -1024, 2147483647]
    """
    return int(statistic_loops.fix_points(values, fixed, units))


def _joined(into: NDArray[np.uint32], part: NDArray[np.uint32]) -> NDArray[np.uint32]:
    if not (into.size and part.size):
        return into if into.size else part
    return np.add(into, part, out=into)


def _trimmed(values: NDArray[Any]) -> NDArray[Any]:
    return values if values.any() else values[:0]
