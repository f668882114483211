"""Sums per bin of frames whose pixels are split among bins: float64, in ascending pixel order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_FIRST_CAPACITY = 4096
_TOGETHER = 4  # frames that share a walk


@dataclass(frozen=True, slots=True)
class ShareTable:
    """Which bins each pixel belongs to, and with which share: pixel after pixel."""

    entries: NDArray[np.unsignedinteger[Any]]
    """Number of bins of each pixel, row by row (uint8, uint16 or uint32)."""
    bins: NDArray[np.unsignedinteger[Any]]
    """Bin of each entry, pixel after pixel and ascending within one (uint16 or uint32)."""
    shares: NDArray[np.float32]
    """Share of the pixel in that bin, never 0."""
    size: int
    """Number of bins."""


@dataclass(frozen=True, slots=True)
class SplitSums:
    """What a batch of frames sums to, bin by bin."""

    signal: NDArray[np.float64]
    """Sum of share × counts, shape (frames, bins)."""
    variance: NDArray[np.float64]
    """Sum of share² × max(1, counts), likewise."""
    bad_frame: NDArray[np.int64]
    """Frame, within the batch, of each pixel that was left out; ascending."""
    bad_pixel: NDArray[np.int64]
    """Flat index of that pixel; ascending within a frame."""


def share_table(
    shares: NDArray[np.float32],
    pixels: NDArray[np.integer[Any]],
    starts: NDArray[np.integer[Any]],
    pixel_count: int,
) -> ShareTable:
    """Turn a table that lists pixels bin by bin (CSR, as pyFAI builds it) into pixel order.

    Parameters
    ----------
    shares
        Share of each entry; entries of share 0 are dropped, as pyFAI skips them.
    pixels
        Flat index of each entry's pixel.
    starts
        Where each bin begins in both; one more entry than bins.
    pixel_count
        Pixels of a frame.

    Examples
    --------
    >>> table = share_table(
    ...     np.array([1.0, 0.5, 0.5], dtype=np.float32), np.array([0, 2, 2]), np.array([0, 2, 3]), 3
    ... )
    >>> table.entries.tolist(), table.bins.tolist(), table.shares.tolist()
    ([1, 0, 2], [0, 0, 1], [1.0, 0.5, 0.5])
    """
    size = len(starts) - 1
    most = np.zeros(pixel_count, dtype=np.uint32)
    for pixel in (pixels.max(initial=0), pixels.min(initial=0)):
        if len(pixels) and not 0 <= pixel < pixel_count:
            raise ValueError(f"pixel {pixel} in a frame of {pixel_count} pixels")
    # Not by bincount: of 16 megapixels it would hold 0.4 GB on the way.
    _count(shares, pixels, most)
    # Of a million narrow bins a pixel near the beam may fill more than 65,535.
    narrow: Any = np.min_scalar_type(int(most.max(initial=0)))
    kind: Any = np.uint16 if size <= np.iinfo(np.uint16).max else np.uint32
    places = np.cumsum(most, dtype=np.int64)
    bins = np.empty(int(places[-1]) if pixel_count else 0, dtype=kind)
    places -= most
    ordered = np.empty(len(bins), dtype=np.float32)
    _transpose(shares, pixels, starts.astype(np.int64, copy=False), (places, bins, ordered))
    return ShareTable(most.astype(narrow), bins, ordered, size)


def sum_split(
    frames: NDArray[np.integer[Any]], table: ShareTable, *, lowest: int, highest: int
) -> SplitSums:
    """Sum counts and their Poisson variance per bin, frame by frame.

    Each bin's sum runs over its pixels in ascending order, in float64: pyFAI's CSR numbers, bit
    for bit, but for counts above 2²⁴, which pyFAI rounds to float32 first. Pixels outside
    [lowest, highest] are left out of both sums and listed.

    Parameters
    ----------
    frames
        Counts, shape (frames, rows, columns), integers of at most 32 bits, C order.
    table
        Shares of the pixels.
    lowest, highest
        Range of good counts, both included.

    Examples
    --------
    >>> half = np.array([1.0, 0.5, 0.5], dtype=np.float32)
    >>> table = share_table(half, np.array([0, 1, 1]), np.array([0, 2, 3]), 2)
    >>> sums = sum_split(np.array([[[4, 0]]], dtype=np.uint16), table, lowest=0, highest=65534)
    >>> sums.signal.tolist(), sums.variance.tolist()
    ([[4.0, 0.0]], [[4.25, 0.25]])
    """
    flat = np.ascontiguousarray(frames).reshape(len(frames), -1)
    if flat.shape[1] != table.entries.size:
        raise ValueError(f"{flat.shape[1]} pixels in a frame, {table.entries.size} in the table")
    signal = np.zeros((len(flat), table.size))
    variance = np.zeros_like(signal)
    bad: list[NDArray[np.int64]] = []
    for start in range(0, len(flat), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        signal[part], variance[part], places = _sum_part(flat[part], table, (lowest, highest))
        places[:, 0] += start
        bad.append(places)
    listed = np.concatenate(bad) if bad else np.empty((0, 2), dtype=np.int64)
    listed = listed[np.lexsort((listed[:, 1], listed[:, 0]))]
    return SplitSums(signal, variance, listed[:, 0].copy(), listed[:, 1].copy())


def _sum_part(
    part: NDArray[np.integer[Any]], table: ShareTable, bounds: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Give signal and variance, each (frames, bins), and (frame, pixel) of what was left out."""
    walk = _walk_four if len(part) == _TOGETHER else _walk
    capacity = _FIRST_CAPACITY
    while True:
        sums = np.zeros((table.size, 2, len(part)))
        places = np.empty((capacity, 2), dtype=np.int64)
        columns = (table.entries, table.bins, table.shares)
        found = walk(part, columns, (sums, places), bounds)
        if found <= capacity:
            return sums[:, 0].T, sums[:, 1].T, places[:found]
        capacity = found


@numba.njit(nogil=True, cache=True)
def _count(shares, pixels, most):  # type: ignore[no-untyped-def]
    for index in range(len(pixels)):
        if shares[index] != 0:
            most[pixels[index]] += np.uint32(1)


@numba.njit(nogil=True, cache=True)
def _transpose(shares, pixels, starts, out):  # type: ignore[no-untyped-def]
    places, bins, ordered = out
    for one in range(len(starts) - 1):
        for index in range(starts[one], starts[one + 1]):
            if shares[index] != 0:
                place = places[pixels[index]]
                places[pixels[index]] += 1
                bins[place] = one
                ordered[place] = shares[index]


@numba.njit(nogil=True, cache=True)
def _take(value, place, span, table, out, bounds):  # type: ignore[no-untyped-def]
    """Add one count to all its bins, or list it; give how many were listed: 0 or 1."""
    frame, pixel, found = place
    bins, shares = table
    sums, places = out
    lowest, highest = bounds
    if value < lowest or value > highest:
        if found < len(places):
            places[found, 0] = frame
            places[found, 1] = pixel
        return 1
    counts, spread = np.float64(value), np.float64(max(1, value))
    for index in range(span[0], span[1]):
        share = np.float64(shares[index])
        sums[bins[index], 0, frame] += share * counts
        sums[bins[index], 1, frame] += share * share * spread
    return 0


@numba.njit(nogil=True, cache=True)
def _walk(part, table, out, bounds):  # type: ignore[no-untyped-def]
    """Walk over the pixels of any number of frames, one frame after the other."""
    entries, bins, shares = table
    found = 0
    for frame in range(part.shape[0]):
        first = 0
        for pixel in range(entries.size):
            last = first + int(entries[pixel])
            if last > first:
                value = np.int64(part[frame, pixel])
                place = (frame, pixel, found)
                found += _take(value, place, (first, last), (bins, shares), out, bounds)
            first = last
    return found


# Unsigned indices, and loads before stores: see azimuthal.py.
_0, _1, _2, _3 = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)


@numba.njit(nogil=True, cache=True)
def _walk_four(part, table, out, bounds):  # type: ignore[no-untyped-def]
    """Walk over the pixels of four frames at once: one share is loaded for eight additions."""
    entries, bins, shares = table
    sums = out[0]
    lowest, highest = bounds
    most = np.uint64(max(highest, 0))
    plain = lowest <= 0 <= highest
    one, two, three, four = part[0], part[1], part[2], part[3]
    found = 0
    index = _0
    for place in range(entries.size):
        pixel = np.uint64(place)
        last = index + np.uint64(entries[pixel])
        if index == last:
            continue
        a, b = np.int64(one[pixel]), np.int64(two[pixel])
        c, d = np.int64(three[pixel]), np.int64(four[pixel])
        # As in azimuthal.py: signs and limits in one comparison, seldom in two.
        low = np.uint64(a | b | c | d) <= most
        low = low or max(np.uint64(a), np.uint64(b), np.uint64(c), np.uint64(d)) <= most
        if not (plain and low):
            span = (np.int64(index), np.int64(last))
            for frame in range(_TOGETHER):
                value = np.int64(part[frame, pixel])
                found += _take(value, (frame, place, found), span, (bins, shares), out, bounds)
            index = last
            continue
        af, bf, cf, df = np.float64(a), np.float64(b), np.float64(c), np.float64(d)
        av, bv, cv, dv = max(1.0, af), max(1.0, bf), max(1.0, cf), max(1.0, df)
        while index < last:
            share = np.float64(shares[index])
            squared = share * share
            into = np.uint64(bins[index])
            at, bt = sums[into, _0, _0] + share * af, sums[into, _0, _1] + share * bf
            ct, dt = sums[into, _0, _2] + share * cf, sums[into, _0, _3] + share * df
            aw, bw = sums[into, _1, _0] + squared * av, sums[into, _1, _1] + squared * bv
            cw, dw = sums[into, _1, _2] + squared * cv, sums[into, _1, _3] + squared * dv
            sums[into, _0, _0] = at
            sums[into, _0, _1] = bt
            sums[into, _0, _2] = ct
            sums[into, _0, _3] = dt
            sums[into, _1, _0] = aw
            sums[into, _1, _1] = bw
            sums[into, _1, _2] = cw
            sums[into, _1, _3] = dw
            index += _1
    return found
