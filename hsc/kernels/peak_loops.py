"""The loops of peak finding: over pixels once, then over the few that are bright."""

from __future__ import annotations

import numba
import numpy as np

_BLOCK = 128
# Of fewer good pixels around a peak no background can be told.
_LEAST_AROUND = 4
# Of fewer, or of those that nearly lie in a line, no slope.
_LEAST_SLOPED = 12
_NO_LINE = 1e-3


@numba.njit(nogil=True, cache=True)
def count_rings(labels, counts):  # type: ignore[no-untyped-def]
    """Count the pixels of each ring."""
    for label in labels:
        counts[label] += 1


@numba.njit(nogil=True, cache=True)
def add_rings(frame, labels, bounds, sums, missing, candidates):  # type: ignore[no-untyped-def]
    """Sum dim good values and their squares by ring, count bad ones, list bright ones.

    Gives how many are bright; -1 where the list has no room for them.
    """
    lowest, highest, least = bounds
    nowhere = sums.shape[0] - 1
    found = 0
    for start in range(0, frame.size, _BLOCK):
        stop = min(start + _BLOCK, frame.size)
        odd = 0
        for place in range(start, stop):
            value = frame[place]
            odd += not ((value >= lowest) & (value <= least))
        if not odd:
            for place in range(start, stop):
                label, value = labels[place], sums.dtype.type(frame[place])
                sums[label, 0] += value
                sums[label, 1] += value * value
            continue
        for place in range(start, stop):
            label, value = labels[place], frame[place]
            if label == nowhere:
                continue
            if not ((value >= lowest) & (value <= highest)):
                missing[label] += 1
            elif value > least:
                if found == candidates.size:
                    return -1
                candidates[found] = place
                found += 1
            else:
                dim = sums.dtype.type(value)
                sums[label, 0] += dim
                sums[label, 1] += dim * dim
    return found


@numba.njit(nogil=True, cache=True)
def raise_thresholds(  # type: ignore[no-untyped-def]
    frame, labels, candidates, sums, counts, thresholds, least, deviations, fewest
):
    """Take mean and spread of each ring without what is above its threshold, and a new one."""
    whole, number = sums.copy(), counts.copy()
    for place in candidates:
        label, value = labels[place], frame[place]
        if value <= thresholds[label]:
            added = sums.dtype.type(value)
            whole[label, 0] += added
            whole[label, 1] += added * added
        else:
            number[label] -= 1
    for ring in range(counts.size):
        if number[ring] < fewest:
            thresholds[ring] = np.inf
            continue
        mean = np.float64(whole[ring, 0]) / np.float64(number[ring])
        square = np.float64(whole[ring, 1]) / np.float64(number[ring])
        spread = np.sqrt(max(square - mean * mean, 0.0))
        thresholds[ring] = max(least, mean + deviations * spread)


@numba.njit(nogil=True, cache=True)
def keep_above(frame, labels, candidates, thresholds):  # type: ignore[no-untyped-def]
    """Move those above their ring's threshold to the beginning; give how many they are."""
    found = 0
    for place in candidates:
        if frame[place] > thresholds[labels[place]]:
            candidates[found] = place
            found += 1
    return found


@numba.njit(nogil=True, cache=True)
def join_candidates(above, shape, chosen):  # type: ignore[no-untyped-def]
    """Join pixels that touch, also by corners, within a panel; give the first pixel of each group.

    ``chosen`` gets the number of each pixel in the list.
    """
    _, rows, columns = shape
    root = np.arange(above.size)
    for number in range(above.size):
        place = above[number]
        chosen[place] = number
        column, row = place % columns, place // columns % rows
        for step in range(4):
            if step == 0:
                inside, neighbour = column > 0, place - 1
            else:
                beside = column + step - 2
                inside = row > 0 and 0 <= beside < columns
                neighbour = place - columns + step - 2
            if inside and chosen[neighbour] >= 0:
                one, other = _root(root, number), _root(root, chosen[neighbour])
                root[max(one, other)] = min(one, other)
    for number in range(above.size):
        root[number] = _root(root, number)
    return root


@numba.njit(nogil=True, cache=True)
def _root(root, number):  # type: ignore[no-untyped-def]
    while root[number] != number:
        root[number] = root[root[number]]
        number = root[number]
    return number


@numba.njit(nogil=True, cache=True)
def judge_peaks(  # type: ignore[no-untyped-def]
    frame, labels, nowhere, above, groups, shape, chosen, levels, sizes
):
    """Judge each group of pixels by what is around it; give numbers of peaks, and whose pixels."""
    least, most, _ = sizes
    pixels = np.zeros(above.size, np.int64)
    for number in range(above.size):
        pixels[groups[number]] += 1
    good = 0
    for number in range(above.size):
        good += least <= pixels[number] <= most
    peaks, kept = np.empty((good, 8)), np.zeros(above.size, np.bool_)
    # The pixels of each group one after the other, in their own order.
    starts = np.zeros(above.size + 1, np.int64)
    for number in range(above.size):
        starts[number + 1] = starts[number] + pixels[number]
    ends, members = starts[:-1].copy(), np.empty(above.size, np.int64)
    for number in range(above.size):
        members[ends[groups[number]]] = above[number]
        ends[groups[number]] += 1
    found = 0
    for group in range(above.size):
        if least <= pixels[group] <= most:
            own = members[starts[group] : starts[group + 1]]
            if _judge(frame, labels, nowhere, own, shape, chosen, levels, sizes[2], peaks[found]):
                found += 1
                for place in own:
                    kept[chosen[place]] = True
    return peaks[:found].copy(), kept


@numba.njit(nogil=True, cache=True)
def _judge(frame, labels, nowhere, own, shape, chosen, levels, reach, peak):  # type: ignore[no-untyped-def]
    """Fill in the numbers of one peak; tell whether it is one."""
    _, _, saturation, snr = levels
    _, rows, columns = shape
    plane = np.empty(6)
    number = _fit_plane(frame, labels, nowhere, own, shape, chosen, levels, reach, plane)
    if number < _LEAST_AROUND:
        return False
    mean, down, across, slope_y, slope_x, variance = plane
    y, x = 0.0, 0.0
    for place in own:
        y += place // columns % rows
        x += place % columns
    background = mean + slope_y * (y / own.size - down) + slope_x * (x / own.size - across)
    # Never below what chance alone makes of counts.
    spread = np.sqrt(max(variance, background, 1.0 / number))
    largest, top, light, weight, x, y, saturated = -np.inf, -np.inf, 0.0, 0.0, 0.0, 0.0, 0
    for place in own:
        row, column = place // columns % rows, place % columns
        value = np.float64(frame[place])
        excess = value - (mean + slope_y * (row - down) + slope_x * (column - across))
        largest, top = max(largest, value), max(top, excess)
        saturated += value >= saturation
        light += excess
        share = max(excess, 0.0)
        weight += share
        x += share * np.float64(column)
        y += share * np.float64(place // columns)
    if top / spread < snr:
        return False
    peak[0], peak[1], peak[2], peak[3] = x / weight, y / weight, light, top / spread
    peak[4], peak[5], peak[6], peak[7] = own.size, largest, background, saturated
    return True


@numba.njit(nogil=True, cache=True)
def _fit_plane(frame, labels, nowhere, own, shape, chosen, levels, reach, plane):  # type: ignore[no-untyped-def]
    """Fit a plane to what is around a group; give of how many pixels.

    ``plane`` gets the means of values, rows and columns, slopes along both, and the variance.
    """
    lowest, highest, _, _ = levels
    _, rows, columns = shape
    panel = own[0] // (rows * columns)
    top, bottom, left, right = rows, 0, columns, 0
    for place in own:
        row, column = place // columns % rows, place % columns
        top, bottom = min(top, row), max(bottom, row)
        left, right = min(left, column), max(right, column)
    top, bottom = max(top - reach, 0), min(bottom + reach + 1, rows)
    left, right = max(left - reach, 0), min(right + reach + 1, columns)
    number, mean, down, across = 0, 0.0, 0.0, 0.0
    vv, yy, xx, yx, vy, vx = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for turn in range(2):
        for row in range(top, bottom):
            for column in range(left, right):
                place = (panel * rows + row) * columns + column
                value = np.float64(frame[place])
                around = (labels[place] != nowhere) & (chosen[place] < 0)
                if not (around & (value >= lowest) & (value <= highest)):
                    continue
                if turn == 0:
                    number += 1
                    mean += value
                    down += row
                    across += column
                else:
                    v, y, x = value - mean, row - down, column - across
                    vv += v * v
                    yy += y * y
                    xx += x * x
                    yx += y * x
                    vy += v * y
                    vx += v * x
        if turn == 0:
            if number < _LEAST_AROUND:
                return number
            mean, down, across = mean / number, down / number, across / number
    slope_y, slope_x, variance = 0.0, 0.0, vv / (number - 1)
    determinant = yy * xx - yx * yx
    if number >= _LEAST_SLOPED and determinant > _NO_LINE * yy * xx:
        slope_y = (vy * xx - vx * yx) / determinant
        slope_x = (vx * yy - vy * yx) / determinant
        variance = max(vv - slope_y * vy - slope_x * vx, 0.0) / (number - 3)
    plane[0], plane[1], plane[2] = mean, down, across
    plane[3], plane[4], plane[5] = slope_y, slope_x, variance
    return number
