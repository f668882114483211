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
_RATE, _X, _Y, _Z = range(4)
_K, _KX, _KY = range(1, 4)
_BLOCK = 1024


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
def _places(values: Any, bins: Any, places: Any) -> None:
    """Write the bin of each value, counted from 1; 0 or the one after the last for no bin.

    ``edges`` has -inf before the first and NaN behind the last, ``begin`` a cell more at each end.
    """
    edges, begin, cells_per_unit, even = bins
    if even:
        for number in range(len(values)):
            places[number] = _near(values[number], edges, begin, cells_per_unit)
    else:
        for number in range(len(values)):
            places[number] = np.searchsorted(edges[1:-1], values[number], side="right")


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _q(table: Any, pixel: Any, wavelength: Any, drop: Any) -> Any:
    """Give Q, Qx and Qy."""
    if drop == 0.0:
        return (
            table[pixel, _K] / wavelength,
            table[pixel, _KX] / wavelength,
            table[pixel, _KY] / wavelength,
        )
    x, z = table[pixel, _X], table[pixel, _Z]
    y = table[pixel, _Y]
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
    pixels: Any,
    values: Any,
) -> Any:
    """Write wavelength, Q, and if wanted Qx and Qy; give how many are of unknown pixels."""
    last, unknown = np.uint64(len(table) - 1), 0
    by_table = len(lookup[0]) > 1
    for event in range(len(numbers)):
        # A number below the first one becomes a very large one.
        pixel = np.uint64(np.int64(numbers[event]) - first)
        known = pixel <= last
        unknown += not known
        pixel = min(pixel, last)
        rate = table[pixel, _RATE]
        time = np.float64(times[event]) if known else np.nan
        if by_table:
            values[0, event] = _looked_up(time, rate, lookup)
            pixels[event] = pixel
            continue
        if period > 0.0:
            time = time - period * np.floor((time - shortest / rate) / period)
        values[0, event] = rate * time
        pixels[event] = pixel
    if wants_parts:
        for event in range(len(numbers)):
            values[1, event], values[2, event], values[3, event] = _q(
                table, pixels[event], values[0, event], drop
            )
    else:
        for event in range(len(numbers)):
            values[1, event] = _q(table, pixels[event], values[0, event], drop)[0]
    return unknown


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
    values, pixels = np.empty((4, _BLOCK)), np.empty(_BLOCK, np.uint64)
    rows, columns, lines = np.empty((3, _BLOCK), np.int64)
    wants_flat = len(flat) > 2
    unknown = lost = 0
    inner = np.uint64(len(radial) - 2)
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
            pixels,
            values,
        )
        size = stop - start
        _places(values[0, :size], wavelengths, rows)
        _places(values[1, :size], qs, columns)
        for event in range(size):
            lost += np.isnan(values[0, event])
            radial[np.uint64(rows[event]), np.uint64(columns[event])] += 1
        if wants_flat:
            _places(values[2, :size], plane, columns)
            _places(values[3, :size], plane, lines)
            for event in range(size):
                within = np.int64(np.uint64(rows[event] - 1) < inner)
                flat[np.uint64(lines[event] * within), np.uint64(columns[event])] += 1
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
    pixels = np.empty(len(numbers), np.uint64)
    _convert(numbers, times, first, table, drop, period, shortest, lookup, True, pixels, values)


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
    values, places = np.empty((3, _BLOCK)), np.empty((3, _BLOCK), np.int64)
    share = np.empty(_BLOCK)
    inner, side = np.uint64(radial.shape[1]), np.uint64(flat.shape[1])
    for start in range(0, len(table), _BLOCK):
        size = min(_BLOCK, len(table) - start)
        for pixel in range(size):
            known = not np.isnan(table[start + pixel, _RATE])
            share[pixel] = weights[start + pixel] if known else 0.0
        for number in range(len(wavelengths)):
            for pixel in range(size):
                values[0, pixel], values[1, pixel], values[2, pixel] = _q(
                    table, start + pixel, wavelengths[number], drop
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
