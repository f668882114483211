"""Sums of counts per radial bin for a batch of frames: whole numbers, hence exact in any order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.kernels.lanes import LANES, add_tile

FRAMES_PER_PASS = LANES
"""Frames that share one walk over the pixels; batches of a multiple of it are the fastest."""

_FIRST_CAPACITY = 4096
_MOST_BAD = LANES * LANES  # of one tile
_LARGEST_SUM = 2**32 - 1
_LONGEST = 65528  # tiles: so many counts of 16 bits have a sum of 32


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
    parts = []
    for start in range(0, len(flat), FRAMES_PER_PASS):
        part = flat[start : start + FRAMES_PER_PASS]
        running = RunningSums(table, len(part), lowest=lowest, highest=highest)
        running.add(part, 0)
        parts.append(running.sums())
    nothing = np.empty((0, table.bins), dtype=np.int64)
    places = [one.bad_frame + at * FRAMES_PER_PASS for at, one in enumerate(parts)]
    return BinSums(
        np.concatenate([nothing, *(one.signal for one in parts)]),
        np.concatenate([nothing, *(one.variance for one in parts)]),
        np.concatenate([nothing[0:0, 0], *places]),
        np.concatenate([nothing[0:0, 0], *(one.bad_pixel for one in parts)]),
    )


class RunningSums:
    """Sums of a few frames whose pixels come piece by piece, in any order.

    Parameters
    ----------
    table
        Bins of the pixels.
    frames
        How many frames: at most `FRAMES_PER_PASS`.
    lowest, highest
        Range of good counts, both included.

    Examples
    --------
    >>> table = bin_table(np.array([0, 0, 1, -1]), bins=2)
    >>> running = RunningSums(table, 1, lowest=0, highest=65534)
    >>> running.add(np.array([[5, 0]], dtype=np.uint16), 0)
    >>> running.add(np.array([[65535, 9]], dtype=np.uint16), 2)
    >>> running.sums().signal.tolist(), running.sums().bad_pixel.tolist()
    ([[5, 0]], [2])
    """

    def __init__(self, table: BinTable, frames: int, *, lowest: int, highest: int) -> None:
        self._table, self._frames = table, frames
        fullest = max(1, int(table.count.max(initial=1)))
        # Lanes are words of 32 bits: either no bin's can overflow, or they are emptied in time.
        self._most = _LONGEST if fullest > _LONGEST else table.labels.size
        self._left = self._most
        self._bounds = (lowest, highest, min(highest, _LARGEST_SUM // min(fullest, _LONGEST)))
        self._lanes = _aligned((table.bins + 1, 2, FRAMES_PER_PASS))
        self._wide = np.zeros((table.bins, 2, FRAMES_PER_PASS), dtype=np.int64)
        self._places = np.empty((_FIRST_CAPACITY, 2), dtype=np.int64)
        self._found = 0

    def add(self, pixels: NDArray[np.integer[Any]], first: int) -> None:
        """Add consecutive pixels of all frames.

        Parameters
        ----------
        pixels
            Counts, shape (frames, pixels), uint8, uint16, uint32 or int32, C order.
        first
            Flat index of the first of them in a frame.
        """
        count = pixels.shape[1]
        labels = self._table.labels[first : first + count]
        if len(pixels) != self._frames or len(labels) != count:
            raise ValueError(f"pixels of shape {pixels.shape} from {first} on do not fit")
        flat = np.ascontiguousarray(pixels).reshape(-1)
        # Lanes without a frame of their own walk along with the last one.
        offsets = tuple(min(lane, self._frames - 1) * count for lane in range(FRAMES_PER_PASS))
        lowest, highest, limit = self._bounds
        bounds = (lowest, highest, min(limit, int(np.iinfo(pixels.dtype).max)))
        into = (self._lanes, self._wide)
        done = 0
        while done < count:
            span = (done, min(count, done + self._left))
            found, stopped = _walk(
                (flat, offsets, self._frames),
                (labels, first),
                into,
                (self._places, self._found),
                span,
                bounds,
            )
            self._found = found
            self._left -= stopped - done
            done = stopped
            if len(self._places) < found + _MOST_BAD:
                more = np.empty_like(self._places)
                self._places = np.concatenate([self._places, more])
            if self._left < LANES and done < count:
                self._empty()

    def sums(self) -> BinSums:
        """Give what has been added so far."""
        self._empty()
        signal, variance = np.ascontiguousarray(self._wide.transpose(1, 2, 0))[:, : self._frames]
        places = self._places[: self._found]
        places = places[np.lexsort((places[:, 1], places[:, 0]))]
        return BinSums(signal, variance, places[:, 0].copy(), places[:, 1].copy())

    def _empty(self) -> None:
        self._wide += self._lanes[:-1]
        self._lanes[:] = 0
        self._left = self._most


def _aligned(shape: tuple[int, ...]) -> NDArray[np.uint32]:
    """Give zeros of which none of the rows lies in two lines of the cache."""
    line, nbytes = 64, 4 * math.prod(shape)
    room = np.zeros(nbytes + line, dtype=np.uint8)
    first = -room.ctypes.data % line
    return room[first : first + nbytes].view(np.uint32).reshape(shape)


@numba.njit(nogil=True, cache=True)
def _take(value, place, wide, out, bounds):  # type: ignore[no-untyped-def]
    """Take one count wherever it belongs; give how many have been left out so far."""
    label, frame, pixel = place
    places, found = out
    if value < bounds[0] or value > bounds[1]:
        places[found, 0] = frame
        places[found, 1] = pixel
        return found + 1
    wide[label, 0, frame] += value
    wide[label, 1, frame] += max(1, value)
    return found


@numba.njit(nogil=True, cache=True)
def _walk(part, table, into, out, span, bounds):  # type: ignore[no-untyped-def]
    """Walk over pixels of all frames; give how many were left out, and where it stopped.

    It stops early where there might be no room for the next ones that are left out.
    """
    flat, offsets, frames = part
    labels, first = table
    lanes, wide = into
    places, found = out
    lowest, _, limit = bounds
    plain = lowest <= 0 <= limit
    bins = lanes.shape[0] - 1
    start, stop = span
    while start < stop:
        if len(places) < found + _MOST_BAD:
            break
        end = min(start + LANES, stop)
        tile = plain and start + LANES <= stop
        if not (tile and add_tile(lanes, flat, offsets, labels, start, limit, bins)):
            for pixel in range(start, end):
                label = np.int64(labels[pixel])
                if label == bins:
                    continue
                for frame in range(frames):
                    value = np.int64(flat[offsets[frame] + pixel])
                    place = (label, frame, first + pixel)
                    found = _take(value, place, wide, (places, found), bounds)
        start = end
    return found, start
