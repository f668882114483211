"""The loops over events and pixels that `hsc.kernels.events` gives names and bins to.

Events go through in blocks, one step after the other, without branches that hang on the data: a
branch taken wrongly waits for the memory that decided it.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

# Columns of a table of pixels: wavelength per unit of time, or with a table of wavelengths the
# length of flight; place from the sample, or 4π sin θ with its parts along x and y.
_RATE, _K, _KX, _KY = range(4)
_BLOCK = 1024
# Rows of blocks are not whole pages from each other, which loads and stores would get mixed up by.
_APART = 72


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _near(value: Any, edges: Any, begin: Any, cells_per_unit: Any) -> Any:
    """Give the bin of a value by the cell that it lies in, where no cell has two edges."""
    cell = (value - edges[1]) * cells_per_unit + 1.0
    cell = cell if cell > 0.0 else 0.0
    last = np.float64(len(begin) - 1)
    cell = cell if cell < last else last
    place = np.int64(begin[np.uint64(cell)])
    # The grid's arithmetic rounds; the edges decide.
    place += np.int64(value >= edges[np.uint64(place + 1)])
    place -= np.int64(value < edges[np.uint64(place)])
    return place


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _place_evenly(values: Any, edges: Any, step: Any, places: Any) -> None:
    """Write places as `_places`, where edge i is ``edges[1] + i step`` to the last bit.

    Edges are worked out, not looked up, and so several values at once.
    """
    count = len(edges) - 3
    first, last, top = edges[1], edges[count + 1], np.float64(count + 1)
    bins, over_step = np.float64(count), 1.0 / step
    for number in range(len(values)):
        value = values[number]
        guess = (value - first) * over_step + 1.0
        guess = guess if guess > 0.0 else 0.0
        guess = guess if guess < top else top
        place = np.int32(guess)
        edge = np.float64(place)
        above, below = edge * step + first, (edge - 1.0) * step + first
        # Only the last edge is given as it is: np.linspace has it so.
        above = above if edge != bins else last
        below = below if edge <= bins else last
        place += np.int32(value >= above)
        place -= np.int32(value < below)
        places[number] = min(max(place, np.int32(0)), np.int32(count + 1))


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _places(values: Any, bins: Any, places: Any) -> None:
    """Write the bin of each value, counted from 1; 0 or the one after the last for no bin.

    ``edges`` has -inf before the first and NaN behind the last, ``begin`` a cell more at each end.
    """
    edges, begin, cells_per_unit, even, step = bins
    if step > 0.0:
        _place_evenly(values, edges, step, places)
    elif even:
        for number in range(len(values)):
            places[number] = _near(values[number], edges, begin, cells_per_unit)
    else:
        for number in range(len(values)):
            places[number] = np.searchsorted(edges[1:-1], values[number], side="right")


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _q(first: Any, second: Any, third: Any, wavelength: Any, drop: Any) -> Any:
    """Give Q, Qx and Qy of what a row of pixels has behind its rate."""
    if drop == 0.0:
        return first / wavelength, second / wavelength, third / wavelength
    x, y, z = first, second, third
    y += drop * (x * x + y * y + z * z) * (wavelength * wavelength)
    lateral = x * x + y * y
    length = np.sqrt(lateral + z * z)
    factor = 4.0 * np.pi / (wavelength * np.sqrt(2.0 * length * (length + z)))
    return factor * np.sqrt(lateral), factor * x, factor * y


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _looked_up(time: Any, length: Any, lookup: Any) -> Any:
    """Give the wavelength by a table of wavelength x length, bilinear; 0 where it has none.

    The arithmetic is that of ess.reduce.unwrap (`interpolator_numba.interpolate`), term by term.
    """
    x, y, values = lookup
    columns, rows = len(x), len(y)
    if not (x[0] <= time <= x[columns - 1] and y[0] <= length <= y[rows - 1]):
        return np.nan if np.isnan(length) or np.isnan(time) else 0.0
    over_dx, over_dy = 1.0 / (x[1] - x[0]), 1.0 / (y[1] - y[0])
    column = min(np.uint64((time - x[0]) * over_dx), np.uint64(columns - 2))
    row = min(np.uint64((length - y[0]) * over_dy), np.uint64(rows - 2))
    up, right = row + np.uint64(1), column + np.uint64(1)
    before, after = x[right] - time, time - x[column]
    product = (
        (y[up] - length) * (before * values[row, column] + after * values[row, right])
        + (length - y[row]) * (before * values[up, column] + after * values[up, right])
    ) * (over_dx * over_dy)
    return 0.0 if np.isnan(product) else product / length


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _gather(
    numbers: Any, first: Any, table: Any, rates: Any, ones: Any, twos: Any, threes: Any
) -> Any:
    """Write each event's row of pixels, NaN for unknown ones; give how many those are."""
    last, unknown = np.uint64(len(table) - 1), 0
    whole = table.shape[1] > _KX
    for event in range(len(numbers)):
        # A number below the first one becomes a very large one.
        pixel = np.uint64(np.int64(numbers[event]) - first)
        known = pixel <= last
        unknown += not known
        pixel = min(pixel, last)
        rates[event] = table[pixel, _RATE] if known else np.nan
        ones[event] = table[pixel, _K]
        if whole:
            twos[event] = table[pixel, _KX]
            threes[event] = table[pixel, _KY]
    return unknown


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _wavelengths(rates: Any, times: Any, period: Any, shortest: Any, lookup: Any) -> None:
    """Put wavelengths where wavelengths per unit of time, or lengths of flight, stand."""
    if len(lookup[0]) > 1:
        for event in range(len(times)):
            rates[event] = _looked_up(np.float64(times[event]), rates[event], lookup)
    elif period > 0.0:
        for event in range(len(times)):
            rate, time = rates[event], np.float64(times[event])
            rates[event] = rate * (time - period * np.floor((time - shortest / rate) / period))
    else:
        for event in range(len(times)):
            rates[event] = rates[event] * np.float64(times[event])


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _over(values: Any, wavelengths: Any) -> None:
    """Put Q where 4π sin θ stands."""
    for event in range(len(values)):
        values[event] = values[event] / wavelengths[event]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _fallen_q(wavelengths: Any, ones: Any, twos: Any, threes: Any, drop: Any) -> None:
    """Put Q where x stands."""
    for event in range(len(wavelengths)):
        ones[event] = _q(ones[event], twos[event], threes[event], wavelengths[event], drop)[0]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _all_q(wavelengths: Any, ones: Any, twos: Any, threes: Any, drop: Any) -> None:
    """Put Q, Qx and Qy where the rows of pixels stand."""
    if drop == 0.0:
        _over(ones, wavelengths)
        _over(twos, wavelengths)
        _over(threes, wavelengths)
        return
    for event in range(len(wavelengths)):
        ones[event], twos[event], threes[event] = _q(
            ones[event], twos[event], threes[event], wavelengths[event], drop
        )


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _convert(
    numbers: Any,
    times: Any,
    first: Any,
    table: Any,
    drop: Any,
    period: Any,
    shortest: Any,
    lookup: Any,
    wants_parts: Any,
    values: Any,
) -> Any:
    """Write wavelength, Q, and if wanted Qx and Qy; give how many are of unknown pixels.

    What waits for memory goes first and by itself: what is reckoned then goes through in several
    lanes at once.
    """
    unknown = _gather(numbers, first, table, values[0], values[1], values[2], values[3])
    _wavelengths(values[0], times, period, shortest, lookup)
    if wants_parts:
        _all_q(values[0], values[1], values[2], values[3], drop)
    elif drop == 0.0:
        _over(values[1], values[0])
    else:
        _fallen_q(values[0], values[1], values[2], values[3], drop)
    return unknown


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _count_nan(values: Any) -> Any:
    found: Any = 0
    for value in values:
        found += np.int64(np.isnan(value))
    return found


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _add(rows: Any, columns: Any, counts: Any) -> None:
    for event in range(len(rows)):
        counts[np.uint64(rows[event]), np.uint64(columns[event])] += 1


@numba.njit(nogil=True, cache=True, error_model="numpy")
def count(
    numbers: Any,
    times: Any,
    first: Any,
    table: Any,
    drop: Any,
    period: Any,
    shortest: Any,
    lookup: Any,
    wavelengths: Any,
    qs: Any,
    plane: Any,
    radial: Any,
    flat: Any,
) -> Any:
    """Add events to histograms with a border; give how many are of unknown, and of no pixels."""
    values = np.empty((4, _BLOCK + _APART))
    # Each by itself: parts of one array are taken for strided ones.
    rows, columns = np.empty(_BLOCK, np.int32), np.empty(_BLOCK, np.int32)
    lines = np.empty(_BLOCK, np.int32)
    wants_flat = len(flat) > 2
    unknown = lost = 0
    inner = len(radial) - 2
    for start in range(0, len(numbers), _BLOCK):
        stop = min(start + _BLOCK, len(numbers))
        unknown += _convert(
            numbers[start:stop],
            times[start:stop],
            first,
            table,
            drop,
            period,
            shortest,
            lookup,
            wants_flat,
            values,
        )
        size = stop - start
        _places(values[0, :size], wavelengths, rows)
        _places(values[1, :size], qs, columns)
        lost += _count_nan(values[0, :size])
        _add(rows[:size], columns, radial)
        if wants_flat:
            _places(values[2, :size], plane, columns)
            _places(values[3, :size], plane, lines)
            for event in range(size):
                lines[event] = lines[event] if 0 < rows[event] <= inner else 0
            _add(lines[:size], columns, flat)
    return unknown, lost


@numba.njit(nogil=True, cache=True, error_model="numpy")
def values_of(
    numbers: Any,
    times: Any,
    first: Any,
    table: Any,
    drop: Any,
    period: Any,
    shortest: Any,
    lookup: Any,
    values: Any,
) -> None:
    """Write wavelength, Q, Qx and Qy of each event, as `count` has them."""
    _convert(numbers, times, first, table, drop, period, shortest, lookup, True, values)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def weigh(
    table: Any,
    weights: Any,
    drop: Any,
    wavelengths: Any,
    qs: Any,
    plane: Any,
    radial: Any,
    flat: Any,
) -> None:
    """Add weights to bins of Q, and if wanted of Qx and Qy, for each wavelength.

    Pixels go through in blocks that stay in the processor's cache for all wavelengths, so that
    each bin still takes them in ascending order.
    """
    values, places = np.empty((3, _BLOCK + _APART)), np.empty((3, _BLOCK + _APART), np.int32)
    share = np.empty(_BLOCK)
    inner, side = np.uint64(radial.shape[1]), np.uint64(flat.shape[1])
    for start in range(0, len(table), _BLOCK):
        size = min(_BLOCK, len(table) - start)
        for pixel in range(size):
            known = not np.isnan(table[start + pixel, _RATE])
            share[pixel] = weights[start + pixel] if known else 0.0
        for number in range(len(wavelengths)):
            for pixel in range(size):
                row = table[start + pixel]
                values[0, pixel], values[1, pixel], values[2, pixel] = _q(
                    row[_K], row[_KX], row[_KY], wavelengths[number], drop
                )
            _places(values[0, :size], qs, places[0])
            for pixel in range(size):
                place = np.uint64(places[0, pixel] - 1)
                if place < inner:
                    radial[number, place] += share[pixel]
            if side == 0:
                continue
            _places(values[1, :size], plane, places[1])
            _places(values[2, :size], plane, places[2])
            for pixel in range(size):
                x, y = np.uint64(places[1, pixel] - 1), np.uint64(places[2, pixel] - 1)
                if x < side and y < side:
                    flat[number, y, x] += share[pixel]
