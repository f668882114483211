"""The loops over events and pixels that `hsc.kernels.events` gives names and bins to."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

# Columns of a table of pixels: place from the sample, or 4π sin θ with its parts along x and y.
_RATE, _X, _Y, _Z = range(4)
_K, _KX, _KY = range(1, 4)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _place(value: Any, edges: Any, begin: Any, cells_per_unit: Any) -> Any:
    """Give the bin of a value that lies between the first edge and the last."""
    cell = np.uint64((value - edges[0]) * cells_per_unit)
    place = np.int64(begin[min(cell, np.uint64(len(begin) - 1))])
    # The grid's arithmetic rounds; the edges decide.
    while value < edges[np.uint64(place)]:
        place -= 1
    while value >= edges[np.uint64(place + 1)]:
        place += 1
    return np.uint64(place)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _wavelength(rate: Any, time: Any, period: Any, shortest: Any) -> Any:
    if period > 0.0:
        time = time - period * np.floor((time - shortest / rate) / period)
    return rate * time


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _fall(table: Any, pixel: Any, wavelength: Any, drop: Any) -> Any:
    """Give Q, Qx and Qy of a flight that gravity bends."""
    x, z = table[pixel, _X], table[pixel, _Z]
    y = table[pixel, _Y]
    y += drop * (x * x + y * y + z * z) * (wavelength * wavelength)
    lateral = x * x + y * y
    length = np.sqrt(lateral + z * z)
    factor = 4.0 * np.pi / (wavelength * np.sqrt(2.0 * length * (length + z)))
    return factor * np.sqrt(lateral), factor * x, factor * y


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _q(table: Any, pixel: Any, wavelength: Any, drop: Any) -> Any:
    """Give Q, Qx and Qy."""
    if drop > 0.0:
        return _fall(table, pixel, wavelength, drop)
    return (
        table[pixel, _K] / wavelength,
        table[pixel, _KX] / wavelength,
        table[pixel, _KY] / wavelength,
    )


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
    wavelengths_begin: Any,
    wavelengths_scale: Any,
    qs: Any,
    qs_begin: Any,
    qs_scale: Any,
    plane: Any,
    plane_begin: Any,
    plane_scale: Any,
    wants_flat: Any,
    radial: Any,
    flat: Any,
    left_out: Any,
) -> None:
    """Add events to histograms and to the four sums of those left out."""
    unknown = masked = beyond = besides = 0
    longest, last_q, last = wavelengths[-1], qs[-1], plane[-1]
    for event in range(len(numbers)):
        # A number below the first one becomes a very large one.
        pixel = np.uint64(np.int64(numbers[event]) - first)
        if pixel >= np.uint64(len(table)):
            unknown += 1
            continue
        wavelength = _wavelength(table[pixel, _RATE], np.float64(times[event]), period, shortest)
        if not (wavelength >= wavelengths[0] and wavelength < longest):
            masked += wavelength != wavelength  # noqa: PLR0124 (NaN)
            beyond += 1
            continue
        at = _place(wavelength, wavelengths, wavelengths_begin, wavelengths_scale)
        q, qx, qy = _q(table, pixel, wavelength, drop)
        if q >= qs[0] and q < last_q:
            radial[at, _place(q, qs, qs_begin, qs_scale)] += 1
        else:
            besides += 1
        if wants_flat and qx >= plane[0] and qx < last and qy >= plane[0] and qy < last:
            column = _place(qx, plane, plane_begin, plane_scale)
            flat[_place(qy, plane, plane_begin, plane_scale), column] += 1
    left_out[0] += unknown
    left_out[1] += masked
    left_out[2] += beyond - masked
    left_out[3] += besides


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
    """Write wavelength, Q, Qx and Qy of each event."""
    for event in range(len(numbers)):
        pixel = np.uint64(np.int64(numbers[event]) - first)
        values[:, event] = np.nan
        if pixel < np.uint64(len(table)):
            rate = table[pixel, _RATE]
            wavelength = _wavelength(rate, np.float64(times[event]), period, shortest)
            values[0, event] = wavelength
            values[1, event], values[2, event], values[3, event] = _q(
                table, pixel, wavelength, drop
            )


@numba.njit(nogil=True, cache=True, error_model="numpy")
def weigh(
    table: Any,
    weights: Any,
    drop: Any,
    wavelengths: Any,
    edges: Any,
    begin: Any,
    scale: Any,
    radial: Any,
) -> None:
    """Add weights to bins of Q for each wavelength."""
    for number in range(len(wavelengths)):
        for pixel in range(len(table)):
            if np.isnan(table[pixel, _RATE]):
                continue
            q, _, _ = _q(table, pixel, wavelengths[number], drop)
            if q >= edges[0] and q < edges[-1]:
                radial[number, _place(q, edges, begin, scale)] += weights[pixel]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def weigh_flat(
    table: Any,
    weights: Any,
    drop: Any,
    wavelength: Any,
    edges: Any,
    begin: Any,
    scale: Any,
    flat: Any,
) -> None:
    """Add weights to bins of Qx and Qy."""
    for pixel in range(len(table)):
        if np.isnan(table[pixel, _RATE]):
            continue
        _, qx, qy = _q(table, pixel, wavelength, drop)
        if qx >= edges[0] and qx < edges[-1] and qy >= edges[0] and qy < edges[-1]:
            column = _place(qx, edges, begin, scale)
            flat[_place(qy, edges, begin, scale), column] += weights[pixel]
