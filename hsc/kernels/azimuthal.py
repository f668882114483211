"""Sums of counts per radial bin for a batch of frames: whole numbers, hence exact in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

FRAMES_PER_PASS = 4
"""Frames that share one walk over the pixels; batches of a multiple of it are the fastest."""

_FIRST_CAPACITY = 4096


@dataclass(frozen=True, slots=True)
class BinTable:
    """Which bin each pixel belongs to."""

    labels: NDArray[np.unsignedinteger[Any]]
    """Bin of each pixel, row by row (uint16 or uint32); ``bins`` itself belongs to none."""
    bins: int
    """Number of bins."""
    count: NDArray[np.int64]
    """Pixels in each bin."""


@dataclass(frozen=True, slots=True)
class BinSums:
    """What a batch of frames sums to, bin by bin."""

    signal: NDArray[np.int64]
    """Sum of the counts, shape (frames, bins)."""
    variance: NDArray[np.int64]
    """Sum of max(1, counts), the Poisson variance with its floor, shape (frames, bins)."""
    bad_frame: NDArray[np.int64]
    """Frame, within the batch, of each pixel that was left out; ascending."""
    bad_pixel: NDArray[np.int64]
    """Flat index of that pixel; ascending within a frame."""


def bin_table(labels: NDArray[np.integer[Any]], bins: int) -> BinTable:
    """Make the table that `sum_frames` walks along.

    Parameters
    ----------
    labels
        Bin of each pixel, any shape, any integer dtype; negative belongs to no bin.
    bins
        Number of bins; every label is below it.

    Examples
    --------
    >>> bin_table(np.array([[0, 1], [-1, 1]]), bins=2).count
    array([1, 2])
    """
    flat = np.ascontiguousarray(labels, dtype=np.int64).reshape(-1)
    count = np.bincount(flat[flat >= 0], minlength=bins).astype(np.int64)
    if len(count) != bins:
        raise ValueError(f"label {len(count) - 1} in a table of {bins} bins")
    kind: Any = np.uint16 if bins <= np.iinfo(np.uint16).max else np.uint32
    return BinTable(np.where(flat < 0, bins, flat).astype(kind), bins, count)


def sum_frames(
    frames: NDArray[np.integer[Any]], table: BinTable, *, lowest: int, highest: int
) -> BinSums:
    """Sum counts and their Poisson variance per bin, frame by frame.

    The variance of a pixel is max(1, counts), as in pyFAI's ``poisson`` model. Pixels outside
    [lowest, highest] are left out of both sums and listed.

    Parameters
    ----------
    frames
        Counts, shape (frames, rows, columns), uint8, uint16, uint32 or int32, C order.
    table
        Bins of the pixels.
    lowest, highest
        Range of good counts, both included.

    Examples
    --------
    >>> table = bin_table(np.array([0, 0, 1, -1]), bins=2)
    >>> frames = np.array([[[5, 0, 65535, 9]]], dtype=np.uint16)
    >>> sums = sum_frames(frames, table, lowest=0, highest=65534)
    >>> sums.signal.tolist(), sums.variance.tolist(), sums.bad_pixel.tolist()
    ([[5, 0]], [[6, 0]], [2])
    """
    flat = np.ascontiguousarray(frames).reshape(len(frames), -1)
    if flat.shape[1] != table.labels.size:
        raise ValueError(f"{flat.shape[1]} pixels in a frame, {table.labels.size} in the table")
    bounds = (lowest, highest, *_packing(int(table.count.max(initial=0)), highest))
    signal = np.zeros((len(flat), table.bins), dtype=np.int64)
    variance = np.zeros_like(signal)
    bad: list[NDArray[np.int64]] = []
    for start in range(0, len(flat), FRAMES_PER_PASS):
        part = slice(start, start + FRAMES_PER_PASS)
        signal[part], variance[part], places = _sum_part(flat[part], table, bounds)
        places[:, 0] += start
        bad.append(places)
    listed = np.concatenate(bad) if bad else np.empty((0, 2), dtype=np.int64)
    listed = listed[np.lexsort((listed[:, 1], listed[:, 0]))]
    return BinSums(signal, variance, listed[:, 0].copy(), listed[:, 1].copy())


def _packing(fullest: int, highest: int) -> tuple[int, int]:
    """Divide a 63-bit word between number of zeros (above) and sum (below ``shift``).

    A bin's zeros can't be more than its pixels; counts up to ``limit`` can't overflow its sum.
    Larger ones are rare and go another way.
    """
    shift = 63 - max(1, fullest.bit_length())
    return shift, min(highest, ((1 << shift) - 1) // max(1, fullest))


def _sum_part(
    part: NDArray[np.integer[Any]], table: BinTable, bounds: tuple[int, int, int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Give signal and variance, each (frames, bins), and (frame, pixel) of what was left out."""
    walk = _walk_four if len(part) == FRAMES_PER_PASS else _walk
    capacity = _FIRST_CAPACITY
    while True:
        # The row after the last is for pixels of no bin.
        packed = np.zeros((table.bins + 1, len(part)), dtype=np.int64)
        rare = np.zeros((2, table.bins, len(part)), dtype=np.int64)
        places = np.empty((capacity, 2), dtype=np.int64)
        found = walk(part, table.labels, (packed, rare, places), bounds)
        if found <= capacity:
            break
        capacity = found
    shift = bounds[2]
    packed = packed[:-1]
    plain = packed & ((1 << shift) - 1)
    return (plain + rare[0]).T, (plain + (packed >> shift) + rare[1]).T, places[:found]


@numba.njit(nogil=True, cache=True)
def _take(value, place, out, found, bounds):  # type: ignore[no-untyped-def]
    """Take one count wherever it belongs; give how many have been left out so far."""
    label, frame, pixel = place
    packed, rare, places = out
    lowest, highest, shift, limit = bounds
    if value < lowest or value > highest:
        if found < len(places):
            places[found, 0] = frame
            places[found, 1] = pixel
        return found + 1
    if value > limit or value < 0:
        rare[0, label, frame] += value
        rare[1, label, frame] += max(1, value)
    elif value == 0:
        packed[label, frame] += np.int64(1) << shift
    else:
        packed[label, frame] += value
    return found


@numba.njit(nogil=True, cache=True)
def _walk(part, labels, out, bounds):  # type: ignore[no-untyped-def]
    """Walk over the pixels of any number of frames, one frame after the other."""
    packed = out[0]
    bins = packed.shape[0] - 1
    lowest, _, shift, limit = bounds
    lowest = max(0, lowest)
    one_zero = np.int64(1) << shift
    found = 0
    for frame in range(part.shape[0]):
        for pixel in range(labels.size):
            label = np.int64(labels[pixel])
            if label == bins:
                continue
            value = np.int64(part[frame, pixel])
            if value > limit or value < lowest:
                found = _take(value, (label, frame, pixel), out, found, bounds)
            else:
                packed[label, frame] += value + (one_zero if value == 0 else 0)
    return found


# Indices are unsigned below: for a signed one numba looks at each access whether it counts from
# the end. Loads stand together before stores, so that LLVM makes one instruction of four. Both
# together halve the time.
_0, _1, _2, _3 = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)


@numba.njit(nogil=True, cache=True)
def _walk_four(part, labels, out, bounds):  # type: ignore[no-untyped-def]
    """Walk over the pixels of four frames at once.

    One label is loaded for four counts, and four additions to different words do not wait for
    each other, which a single frame's do when neighbours share a bin.
    """
    packed = out[0]
    bins = np.uint64(packed.shape[0] - 1)
    lowest, _, shift, limit = bounds
    most = np.uint64(max(limit, 0))
    plain = lowest <= 0 <= limit
    one_zero = np.int64(1) << shift
    first, second, third, fourth = part[0], part[1], part[2], part[3]
    found = 0
    for place in range(labels.size):
        pixel = np.uint64(place)
        label = np.uint64(labels[pixel])
        a, b = np.int64(first[pixel]), np.int64(second[pixel])
        c, d = np.int64(third[pixel]), np.int64(fourth[pixel])
        # A negative number is larger than any limit when its bits are read without a sign. All
        # bits together are never less than the largest of the four, and sooner at hand.
        low = np.uint64(a | b | c | d) <= most
        if plain and (low or max(np.uint64(a), np.uint64(b), np.uint64(c), np.uint64(d)) <= most):
            # Only 0 less 1 has the bit of the first zero set, which saves a comparison.
            at = packed[label, _0] + (a + ((a - 1) & one_zero))
            bt = packed[label, _1] + (b + ((b - 1) & one_zero))
            ct = packed[label, _2] + (c + ((c - 1) & one_zero))
            dt = packed[label, _3] + (d + ((d - 1) & one_zero))
            packed[label, _0] = at
            packed[label, _1] = bt
            packed[label, _2] = ct
            packed[label, _3] = dt
        elif label != bins:
            for frame in range(FRAMES_PER_PASS):
                value = np.int64(part[frame, pixel])
                found = _take(value, (label, frame, place), out, found, bounds)
    return found
