"""The loops over events and pixels that `hsc.kernels.events` gives names and bins to.

Events go through in blocks, one step after the other, without branches that hang on the data: a
branch taken wrongly waits for the memory that decided it.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

# Columns of a table of pixels: place from the sample, or 4π sin θ with its parts along x and y.
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
def _convert(
    numbers: Any,
    times: Any,
    first: Any,
    table: Any,
    drop: Any,
    period: Any,
    shortest: Any,
    wants_parts: Any,
    pixels: Any,
    values: Any,
) -> Any:
    """Write wavelength, Q, and if wanted Qx and Qy; give how many are of unknown pixels."""
    last, unknown = np.uint64(len(table) - 1), 0
    for event in range(len(numbers)):
        # A number below the first one becomes a very large one.
        pixel = np.uint64(np.int64(numbers[event]) - first)
        known = pixel <= last
        unknown += not known
        pixel = min(pixel, last)
        rate = table[pixel, _RATE]
        time = np.float64(times[event]) if known else np.nan
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
    values: Any,
) -> None:
    """Write wavelength, Q, Qx and Qy of each event, as `count` has them."""
    pixels = np.empty(len(numbers), np.uint64)
    _convert(numbers, times, first, table, drop, period, shortest, True, pixels, values)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def weigh(table: Any, weights: Any, drop: Any, wavelengths: Any, bins: Any, radial: Any) -> None:
    """Add weights to bins of Q for each wavelength."""
    inner, values = np.uint64(radial.shape[1]), np.empty(len(table))
    places = np.empty(len(table), np.int64)
    for number in range(len(wavelengths)):
        for pixel in range(len(table)):
            values[pixel] = _q(table, pixel, wavelengths[number], drop)[0]
        _places(values, bins, places)
        for pixel in range(len(table)):
            place = np.uint64(places[pixel] - 1)
            if place < inner and not np.isnan(table[pixel, _RATE]):
                radial[number, place] += weights[pixel]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def weigh_flat(table: Any, weights: Any, drop: Any, wavelength: Any, bins: Any, flat: Any) -> None:
    """Add weights to bins of Qx and Qy."""
    inner, values = np.uint64(len(flat)), np.empty((2, len(table)))
    columns, lines = np.empty((2, len(table)), np.int64)
    for pixel in range(len(table)):
        _, values[0, pixel], values[1, pixel] = _q(table, pixel, wavelength, drop)
    _places(values[0], bins, columns)
    _places(values[1], bins, lines)
    for pixel in range(len(table)):
        x, y = np.uint64(columns[pixel] - 1), np.uint64(lines[pixel] - 1)
        if x < inner and y < inner and not np.isnan(table[pixel, _RATE]):
            flat[y, x] += weights[pixel]
