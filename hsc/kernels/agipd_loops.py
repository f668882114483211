"""The loops of a module's correction: over pixels, without branches where vectors can be used."""

from __future__ import annotations

import numba
import numpy as np

from hsc.kernels.order import sort_few

_BINS = 1024
_FEW = 24
_IS_NAN = np.uint32(1 << 11)
_OUT_OF_RANGE = np.uint32(1 << 12)
_NO_THRESHOLD = np.uint32(1 << 13)
_WRONG_GAIN = np.uint32(1 << 21)
_NO_PHOTONS = np.uint16(65535)
_LARGEST = np.float32(np.finfo(np.float32).max)
# Beyond all keys of values that are numbers.
_NONE = np.int32(2**31 - 1)


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
    rows, columns = values.shape
    words = values.view(np.int32)
    keys = np.empty((side, columns), np.int32)
    number, low = np.empty(columns, np.int32), np.empty(columns, np.int32)
    high, dark = np.empty(columns, np.int32), np.empty(side * side, np.int32)
    spare = np.empty(side * side, np.int32)
    counts = np.empty(_BINS + 1, np.int32)
    for down in range(shifts.shape[0]):
        top, height = down * side, min(side, rows - down * side)
        number[:], low[:], high[:] = 0, _NONE, -_NONE
        _key_rows(values, words, gain, mask, bits, half, top, height, keys)
        _bound_rows(keys, height, number, low, high)
        for across in range(shifts.shape[1]):
            left, right = across * side, min((across + 1) * side, columns)
            found, least_key, most_key = 0, _NONE, -_NONE
            for column in range(left, right):
                found += number[column]
                least_key, most_key = min(least_key, low[column]), max(most_key, high[column])
            shifts[down, across] = np.float32(0.0)
            if found < max(least, 1):
                continue
            lower, upper = least_key, most_key
            if least_key < most_key:
                taken = 0
                for row in range(height):
                    dark[taken : taken + right - left] = keys[row, left:right]
                    taken += right - left
                rank = (found - 1) // 2
                lower = _select(dark[:taken], rank, least_key, most_key, spare, counts)
                upper = lower if found % 2 else _above(dark[:taken], lower, rank)
            # The one, or of an even number the mean of the two in the middle.
            first, last = _value_of(lower, spare), _value_of(upper, spare)
            middle = first if found % 2 else (first + last) / np.float32(2.0)
            # A zero of its own sign would go on into the values: 0 is +0.
            shifts[down, across] = middle + np.float32(0.0)


# Loops are functions of their own: by vectors go those that no view of a row is made in.
@numba.njit(nogil=True, cache=True)
def _key_rows(values, words, gain, mask, bits, half, top, height, keys):  # type: ignore[no-untyped-def]
    """Give dark pixels whole numbers in the order of their values, the others the largest.

    Of whole numbers least, largest and counts are found by vectors, in any order.
    """
    for row in range(height):
        for column in range(keys.shape[1]):
            at = top + row, column
            dark = (gain[at] == 0) & ((mask[at] & bits) == 0) & (values[at] < half)
            key = words[at] ^ ((words[at] >> np.int32(31)) & _NONE)
            keys[row, column] = key if dark else _NONE


@numba.njit(nogil=True, cache=True)
def _bound_rows(keys, height, number, low, high):  # type: ignore[no-untyped-def]
    """Count the dark pixels of each column, and find the least and largest."""
    for row in range(height):
        for column in range(keys.shape[1]):
            key = keys[row, column]
            number[column] += key != _NONE
            low[column] = min(low[column], key)
            high[column] = max(high[column], key if key != _NONE else -_NONE)


@numba.njit(nogil=True, cache=True)
def _value_of(key, room):  # type: ignore[no-untyped-def]
    """Give the value of a key again."""
    room[0] = key ^ ((key >> np.int32(31)) & _NONE)
    return room.view(np.float32)[0]


@numba.njit(nogil=True, cache=True)
def _above(keys, lower, rank):  # type: ignore[no-untyped-def]
    """Give the key of the rank that follows."""
    upto, upper = 0, _NONE
    for place in range(keys.size):
        upto += keys[place] <= lower
        upper = min(upper, keys[place] if keys[place] > lower else _NONE)
    return lower if upto > rank + 1 else upper


@numba.njit(nogil=True, cache=True)
def _select(keys, rank, low, high, spare, counts):  # type: ignore[no-untyped-def]
    """Give the key of a rank: bins of equal width narrow it down, few keys are sorted."""
    part, number = keys, keys.size
    low, high = np.int64(low), np.int64(high)
    while number > _FEW:
        shift = 0
        while (high - low) >> shift >= _BINS:
            shift += 1
        counts[:] = 0
        for place in range(number):
            key = np.int64(part[place])
            # Keys of pixels that are not dark, or lie outside of the bin, stand behind.
            counts[(key - low) >> shift if low <= key <= high else _BINS] += 1
        chosen = 0
        while counts[chosen] <= rank:
            rank -= counts[chosen]
            chosen += 1
        low, high = low + (chosen << shift), min(high, low + ((chosen + 1) << shift) - 1)
        kept = 0
        for place in range(number):
            key = part[place]
            spare[kept] = key
            kept += low <= key <= high
        part, number = spare, kept
        if low == high:
            return np.int32(low)
    if part is keys:
        spare[:number] = keys[:number]
    sort_few(spare, number)
    return spare[rank]


@numba.njit(nogil=True, cache=True)
def finish_values(values, gain, mask, bits, side, shifts, pixels):  # type: ignore[no-untyped-def]
    """Take off the common modes, blank bad pixels, count stages, and sum what is good."""
    columns = values.shape[1]
    shift = np.empty((shifts.shape[0], columns), np.float32)
    for down in range(shifts.shape[0]):
        for column in range(columns):
            shift[down, column] = shifts[down, column // side]
    sums, lost = np.zeros(columns, np.float64), np.zeros(columns, np.int32)
    first, second = np.zeros(columns, np.int32), np.zeros(columns, np.int32)
    _finish_rows(values, mask, bits, side, shift, sums)
    _count_stages(gain, first, second)
    _count_lost(mask, bits, lost)
    total = np.float64(0.0)
    pixels[0] += values.size
    for column in range(columns):
        total += sums[column]
        pixels[0] -= first[column] + second[column]
        pixels[1] += first[column]
        pixels[2] += second[column]
        pixels[3] += lost[column]
    return total


@numba.njit(nogil=True, cache=True)
def _finish_rows(values, mask, bits, side, shift, sums):  # type: ignore[no-untyped-def]
    for row in range(values.shape[0]):
        down = row // side
        for column in range(values.shape[1]):
            bad = (mask[row, column] & bits) != 0
            value = values[row, column] - shift[down, column]
            values[row, column] = np.float32(np.nan) if bad else value
            sums[column] += np.float64(0.0) if bad else np.float64(value)


@numba.njit(nogil=True, cache=True)
def _count_stages(gain, first, second):  # type: ignore[no-untyped-def]
    for row in range(gain.shape[0]):
        for column in range(gain.shape[1]):
            first[column] += gain[row, column] == 1
            second[column] += gain[row, column] == 2


@numba.njit(nogil=True, cache=True)
def _count_lost(mask, bits, lost):  # type: ignore[no-untyped-def]
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            lost[column] += (mask[row, column] & bits) != 0


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
