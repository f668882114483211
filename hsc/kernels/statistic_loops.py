"""The loops of frame statistics: over pixels, one for each number that is kept."""

from __future__ import annotations

import numba
import numpy as np

# Accumulators of so many pixels stay in the processor's first caches while all frames of a batch
# are added to them.
_BLOCK = 2048
# Below this the squares of 65,536 counts (MOST_FRAMES) fit 62 bits.
_NARROW = 2**23
_LIMB = 2**32
_HALF_LIMB = 2**31


@numba.njit(nogil=True, cache=True)
def add_counts(  # type: ignore[no-untyped-def]
    frames, bounds, saturates, missing, sums, squares, high, minimum, maximum, saturated, numbers
):
    """Add frames of counts, a few pixels of all frames after the other."""
    lowest, highest, saturation = bounds
    for start in range(0, frames.shape[1], _BLOCK):
        stop = min(start + _BLOCK, frames.shape[1])
        for frame in range(frames.shape[0]):
            counts = frames[frame, start:stop]
            bad, top = _add_numbers(counts, lowest, highest, numbers[frame])
            _add_sums(counts, lowest, highest, sums[start:stop])
            if top < _NARROW:
                _add_squares(counts, lowest, highest, squares[start:stop])
            else:
                _add_wide(counts, lowest, highest, squares[start:stop], high[start:stop])
            _raise_maximum(counts, lowest, highest, maximum[start:stop])
            _lower_minimum(counts, lowest, highest, minimum[start:stop])
            if bad:
                _count_outside(counts, lowest, highest, missing[start:stop])
            if saturates and top >= saturation:
                numbers[frame, 4] += _count_within(
                    counts, saturation, highest, saturated[start:stop]
                )


# One loop for each accumulator, over counts that are in the cache: a loop that writes to many
# arrays is not made into vector instructions, one that writes to one is.
@numba.njit(nogil=True, cache=True)
def _add_numbers(counts, lowest, highest, numbers):  # type: ignore[no-untyped-def]
    total, bad, zero, top = np.uint64(0), 0, 0, np.int64(0)
    for place in range(counts.size):
        count = counts[place]
        good = (count >= lowest) & (count <= highest)
        total += np.uint64(count) if good else np.uint64(0)
        top = max(top, np.int64(count) if good else np.int64(0))
        bad += not good
        zero += count == 0
    numbers[0] += np.int64(total)
    numbers[1] = max(numbers[1], top)
    numbers[2] += bad
    numbers[3] += zero
    return bad, top


@numba.njit(nogil=True, cache=True)
def _add_sums(counts, lowest, highest, sums):  # type: ignore[no-untyped-def]
    for place in range(counts.size):
        count = counts[place]
        good = (count >= lowest) & (count <= highest)
        sums[place] += np.uint64(count) if good else np.uint64(0)


@numba.njit(nogil=True, cache=True)
def _add_squares(counts, lowest, highest, squares):  # type: ignore[no-untyped-def]
    for place in range(counts.size):
        count = counts[place]
        good = (count >= lowest) & (count <= highest)
        wide = np.uint64(count) if good else np.uint64(0)
        squares[place] += wide * wide


@numba.njit(nogil=True, cache=True)
def _add_wide(counts, lowest, highest, squares, high):  # type: ignore[no-untyped-def]
    for place in range(counts.size):
        count = counts[place]
        good = (count >= lowest) & (count <= highest)
        wide = np.uint64(count) if good else np.uint64(0)
        square = wide * wide
        squares[place] += square & np.uint64(_LIMB - 1)
        high[place] += square >> np.uint64(32)


@numba.njit(nogil=True, cache=True)
def _raise_maximum(counts, lowest, highest, maximum):  # type: ignore[no-untyped-def]
    for place in range(counts.size):
        count = counts[place]
        good = (count >= lowest) & (count <= highest)
        maximum[place] = max(maximum[place], count if good else lowest)


@numba.njit(nogil=True, cache=True)
def _lower_minimum(counts, lowest, highest, minimum):  # type: ignore[no-untyped-def]
    for place in range(counts.size):
        count = counts[place]
        good = (count >= lowest) & (count <= highest)
        minimum[place] = min(minimum[place], count if good else minimum[place])


@numba.njit(nogil=True, cache=True)
def _count_outside(counts, lowest, highest, missing):  # type: ignore[no-untyped-def]
    for place in range(counts.size):
        count = counts[place]
        missing[place] += np.uint32((count < lowest) | (count > highest))


@numba.njit(nogil=True, cache=True)
def _count_within(counts, lowest, highest, found):  # type: ignore[no-untyped-def]
    number = 0
    for place in range(counts.size):
        count = counts[place]
        inside = (count >= lowest) & (count <= highest)
        found[place] += np.uint32(inside)
        number += inside
    return number


@numba.njit(nogil=True, cache=True)
def join_counts(  # type: ignore[no-untyped-def]
    sums, squares, high, minimum, maximum,
    more_sums, more_squares, more_minimum, more_maximum
):  # fmt: skip
    """Add sums of other frames; give how often squares were carried to those in units of 2**32."""
    carried = 0
    for start in range(0, sums.size, _BLOCK):
        stop = min(start + _BLOCK, sums.size)
        for place in range(start, stop):
            sums[place] += more_sums[place]
        carried += _join_squares(squares[start:stop], high[start:stop], more_squares[start:stop])
        for place in range(start, stop):
            minimum[place] = min(minimum[place], more_minimum[place])
        for place in range(start, stop):
            maximum[place] = max(maximum[place], more_maximum[place])
    return carried


@numba.njit(nogil=True, cache=True)
def _join_squares(squares, high, more):  # type: ignore[no-untyped-def]
    # A store that most pixels skip would be a masked one, which takes a hundred times longer where
    # it meets memory that nobody wrote to yet: so first whether there is any.
    beyond = 0
    for place in range(squares.size):
        beyond += squares[place] > ~more[place]
    if beyond:
        for place in range(squares.size):
            carried = np.uint64(_LIMB) if squares[place] > ~more[place] else np.uint64(0)
            high[place] += carried
    for place in range(squares.size):
        squares[place] += more[place]
    return beyond


@numba.njit(nogil=True, cache=True)
def sum_pixels(frames, pixels, starts, lowest, highest, sums, counts):  # type: ignore[no-untyped-def]
    """Sum good counts of regions and count them, frame by frame."""
    for frame in range(frames.shape[0]):
        for region in range(starts.size - 1):
            total, number = np.int64(0), 0
            for place in range(starts[region], starts[region + 1]):
                count = frames[frame, pixels[place]]
                if count >= lowest and count <= highest:
                    total += np.int64(count)
                    number += 1
            sums[frame, region] = total
            counts[frame, region] = number


@numba.njit(nogil=True, cache=True)
def add_bin(frame, lowest, highest, mark, into):  # type: ignore[no-untyped-def]
    """Add a frame to a sum of frames; where a count is missing in one of them stands the mark."""
    for place in range(frame.size):
        count = frame[place]
        good = (count >= lowest) & (count <= highest) & (into[place] != mark)
        into[place] = into[place] + into.dtype.type(count) if good else mark


@numba.njit(nogil=True, cache=True)
def fix_points(values, fixed, per_unit):  # type: ignore[no-untyped-def]
    """Round values to whole units above -2³¹; give the first that is beyond 32 bits, or -1.

    Where a value is not finite stands the largest number.
    """
    beyond = -1
    for place in range(values.size):
        value = np.float64(values[place])
        # To even where it is halfway: as np.rint, which everywhere gives the same.
        whole = np.rint(value * per_unit)
        if not np.isfinite(value):
            fixed[place] = np.uint32(_LIMB - 1)
        elif (whole < -_HALF_LIMB) | (whole > _HALF_LIMB - 2):
            beyond = place if beyond < 0 else beyond
        else:
            fixed[place] = np.uint32(np.int64(whole) + _HALF_LIMB)
    return beyond
