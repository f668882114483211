"""The loops of a module's correction: over pixels, without branches where vectors can be used."""

from __future__ import annotations

import numba
import numpy as np

_BINS = 1024
_FEW = 24
_IS_NAN = np.uint32(1 << 11)
_OUT_OF_RANGE = np.uint32(1 << 12)
_NO_THRESHOLD = np.uint32(1 << 13)
_WRONG_GAIN = np.uint32(1 << 21)
_NO_PHOTONS = np.uint16(65535)
_LARGEST = np.float32(np.finfo(np.float32).max)


# Divisions by 0 are infinite, and flagged as such.
@numba.njit(nogil=True, cache=True, error_model="numpy")
def scale_values(  # type: ignore[no-untyped-def]
    analog, digital, offset, relative_gain, thresholds, bad, divided, wrong, values, gain, mask
):
    """Find the stage of each pixel, and take off its offset and gain.

    ``wrong`` is a digital word that no stage has; NaN: each has one. ``divided``: by the gain.
    """
    offset0, offset1, offset2 = offset[0], offset[1], offset[2]
    gain0, gain1, gain2 = relative_gain[0], relative_gain[1], relative_gain[2]
    bad0, bad1, bad2 = bad[0], bad[1], bad[2]
    low, high = thresholds[0], thresholds[1]
    for place in range(analog.size):
        word = np.float32(digital[place])
        above = not (word <= low[place])
        beyond = above & (not (word <= high[place]))
        # All three are read, so that choosing is no branch.
        lost, lost1, lost2 = offset0[place], offset1[place], offset2[place]
        worth, worth1, worth2 = gain0[place], gain1[place], gain2[place]
        why, why1, why2 = bad0[place], bad1[place], bad2[place]
        lost = lost1 if above else lost
        lost = lost2 if beyond else lost
        worth = worth1 if above else worth
        worth = worth2 if beyond else worth
        why = why1 if above else why
        why = why2 if beyond else why
        light = np.float32(analog[place]) - lost
        value = light / worth if divided else light * worth
        why |= _IS_NAN if np.isnan(value) else np.uint32(0)
        # A gain of 0 makes nothing of any light: 0 would look like a pixel without a photon.
        why |= _OUT_OF_RANGE if (abs(value) > _LARGEST) | (worth == 0) else np.uint32(0)
        blind = not (low[place] <= high[place])
        why |= _NO_THRESHOLD if blind else np.uint32(0)
        why |= _WRONG_GAIN if word == wrong else np.uint32(0)
        values[place] = value
        gain[place] = np.uint8(above) + np.uint8(beyond)
        mask[place] = why


@numba.njit(nogil=True, cache=True)
def find_medians(values, gain, mask, bits, half, least, side, shifts):  # type: ignore[no-untyped-def]
    """Find the median of each chip's dark pixels; 0 where they are too few."""
    dark = np.empty(side * side, np.float32)
    spare = np.empty(side * side, np.float32)
    counts = np.empty(_BINS, np.int32)
    rows, columns = values.shape
    for down in range(shifts.shape[0]):
        for across in range(shifts.shape[1]):
            number = 0
            left, right = across * side, min((across + 1) * side, columns)
            for row in range(down * side, min((down + 1) * side, rows)):
                for column in range(left, right):
                    value = values[row, column]
                    why = mask[row, column] & bits
                    good = (gain[row, column] == 0) & (why == 0) & (value < half)
                    dark[number] = value
                    # Stays inside: where all are taken, no more pixel follows.
                    number += good
            shifts[down, across] = np.float32(0.0)
            if number >= max(least, 1):
                # A zero of its own sign would go on into the values: 0 is +0.
                shifts[down, across] = _median(dark[:number], spare, counts) + np.float32(0.0)


@numba.njit(nogil=True, cache=True)
def _median(values, spare, counts):  # type: ignore[no-untyped-def]
    """Give the median, of an even number the mean of the two in the middle, in float32."""
    rank = (values.size - 1) // 2
    lower = _select(values, rank, spare, counts)
    if values.size % 2:
        return lower
    upto, upper = 0, _LARGEST
    for value in values:
        upto += value <= lower
        upper = min(upper, value if value > lower else _LARGEST)
    upper = lower if upto > rank + 1 else upper
    return (lower + upper) / np.float32(2.0)


@numba.njit(nogil=True, cache=True)
def _select(values, rank, spare, counts):  # type: ignore[no-untyped-def]
    """Give the value of a rank: bins of equal width narrow it down, few values are sorted."""
    number = values.size
    part, taken = values, False
    while number > _FEW:
        low, high = part[0], part[0]
        for place in range(number):
            low, high = min(low, part[place]), max(high, part[place])
        if not low < high:
            return low
        start = np.float64(low)
        per_unit = (_BINS - 1) / (np.float64(high) - start)
        counts[:] = 0
        for place in range(number):
            counts[np.int64((np.float64(part[place]) - start) * per_unit)] += 1
        chosen, before = 0, 0
        while before + counts[chosen] <= rank:
            before += counts[chosen]
            chosen += 1
        kept = 0
        for place in range(number):
            value = part[place]
            spare[kept] = value
            kept += np.int64((np.float64(value) - start) * per_unit) == chosen
        part, number, rank, taken = spare, kept, rank - before, True
    if not taken:
        spare[:number] = part[:number]
    for end in range(1, number):
        value, place = spare[end], end
        while place > 0 and spare[place - 1] > value:
            spare[place] = spare[place - 1]
            place -= 1
        spare[place] = value
    return spare[rank]


@numba.njit(nogil=True, cache=True)
def finish_values(values, gain, mask, bits, side, shifts, pixels):  # type: ignore[no-untyped-def]
    """Take off the common modes, blank bad pixels, count stages, and sum what is good."""
    rows, columns = values.shape
    sums = np.zeros(columns, np.float64)
    for row in range(rows):
        for across in range(shifts.shape[1]):
            shift = shifts[row // side, across]
            for column in range(across * side, min((across + 1) * side, columns)):
                bad = (mask[row, column] & bits) != 0
                value = values[row, column] - shift
                values[row, column] = np.float32(np.nan) if bad else value
                sums[column] += np.float64(0.0) if bad else np.float64(value)
        first, second, lost = 0, 0, 0
        for column in range(columns):
            first += gain[row, column] == 1
            second += gain[row, column] == 2
            lost += (mask[row, column] & bits) != 0
        pixels[0] += columns - first - second
        pixels[1] += first
        pixels[2] += second
        pixels[3] += lost
    total = np.float64(0.0)
    for column in range(columns):
        total += sums[column]
    return total


@numba.njit(nogil=True, cache=True, error_model="numpy")
def spread_values(values, gain, noise, relative_gain, divided, photon, spread):  # type: ignore[no-untyped-def]
    """Give the spread of each value: of the readout and of photons."""
    for place in range(values.size):
        stage = gain[place]
        worth = relative_gain[stage, place]
        readout = noise[stage, place] / worth if divided else noise[stage, place] * worth
        value = values[place]
        photons = value * photon if value > np.float32(0.0) else np.float32(0.0)
        found = np.sqrt(readout * readout + photons)
        spread[place] = np.float32(np.nan) if np.isnan(value) else found


@numba.njit(nogil=True, cache=True, error_model="numpy")
def round_values(values, photon, counts):  # type: ignore[no-untyped-def]
    """Round each value to photons."""
    most = np.float32(_NO_PHOTONS - 1)
    for place in range(values.size):
        value = values[place]
        photons = np.floor(value / photon + np.float32(0.5))
        photons = photons if photons > np.float32(0.0) else np.float32(0.0)
        photons = photons if photons < most else most
        counts[place] = _NO_PHOTONS if np.isnan(value) else np.uint16(photons)
