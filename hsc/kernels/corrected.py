"""Sums per bin of frames that are corrected pixel by pixel: dark, monitor, any error model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.kernels.splitting import ShareTable

ErrorModel = Literal["none", "variance", "poisson", "azimuthal"]
"""Where variances come from: nowhere, a picture, max(1, counts), or the spread in each bin."""

_MODELS = {"none": 0, "variance": 1, "poisson": 2, "azimuthal": 3}
_FIRST_CAPACITY = 4096


def _nothing() -> NDArray[np.float32]:
    return np.empty(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Corrections:
    """What is done to each pixel before it is summed; all arithmetic is float32, as pyFAI's."""

    factors: NDArray[np.float32]
    """Factors of a pixel's normalisation, shape (number of factors, pixels): flat, polarisation,
    solid angle, multiplied in this order."""
    dark: NDArray[np.float32] = field(default_factory=_nothing)
    """What is subtracted, flat; empty: nothing."""
    dark_variance: NDArray[np.float32] = field(default_factory=_nothing)
    """What is added to the variance, flat; empty: nothing."""
    model: ErrorModel = "poisson"
    """The error model."""
    ratios: bool = False
    """Whether each pixel is divided by its normalisation, so that the mean of ratios comes out
    (MAX IV's azint, pyFAI's ``unweighted``), not the ratio of sums."""
    lowest: float = -np.inf
    """Smallest good count."""
    highest: float = np.inf
    """Largest good count; what is not finite is never good."""


@dataclass(frozen=True, slots=True)
class CorrectedSums:
    """What a batch of frames sums to; each of shape (frames, bins), float64."""

    signal: NDArray[np.float64]
    """Sum of share × (counts - dark)."""
    variance: NDArray[np.float64]
    """Sum of share² × variance, or the spread within the bin."""
    normalization: NDArray[np.float64]
    """Sum of share × normalisation."""
    normalization_squared: NDArray[np.float64]
    """Sum of (share × normalisation)²."""
    count: NDArray[np.float64]
    """Sum of shares."""
    left_out: NDArray[np.int64]
    """Pixels of each frame that were left out, shape (frames,)."""


def sum_corrected(
    frames: NDArray[Any],
    table: ShareTable,
    corrections: Corrections,
    scales: NDArray[np.float32],
    variances: NDArray[np.float32] | None = None,
) -> CorrectedSums:
    """Correct and sum frames, each bin over its pixels in ascending order, in float64.

    These are pyFAI's CSR numbers, bit for bit, for every error model.

    Parameters
    ----------
    frames
        Counts, shape (frames, rows, columns), integer or floating, C order.
    table
        Shares of the pixels.
    corrections
        What is done to each pixel.
    scales
        First factor of the normalisation of each frame: its monitor.
    variances
        Variance of each pixel of each frame, for the model ``variance``; None: as for no model.

    Examples
    --------
    >>> from hsc.kernels.splitting import share_table
    >>> whole = np.ones(2, dtype=np.float32)
    >>> table = share_table(whole, np.array([0, 1]), np.array([0, 2]), 2)
    >>> given = Corrections(np.ones((1, 2), dtype=np.float32), dark=whole)
    >>> sums = sum_corrected(np.array([[[5, 3]]]), table, given, np.ones(1, dtype=np.float32))
    >>> sums.signal.tolist(), sums.variance.tolist(), sums.normalization.tolist()
    ([[6.0]], [[8.0]], [[2.0]])
    """
    flat = np.ascontiguousarray(frames).reshape(len(frames), -1)
    if flat.shape[1] != table.entries.size:
        raise ValueError(f"{flat.shape[1]} pixels in a frame, {table.entries.size} in the table")
    spreads = _nothing()[np.newaxis] if variances is None else variances.reshape(len(flat), -1)
    given = corrections
    pictures = (given.factors, given.dark, given.dark_variance)
    rules = (_MODELS[given.model], given.ratios, float(given.lowest), float(given.highest))
    sums = np.zeros((len(flat), table.size, 5))
    left_out = np.zeros(len(flat), dtype=np.int64)
    columns = (table.entries, table.bins, table.shares)
    for index, frame in enumerate(flat):
        spread = spreads[index if variances is not None else 0]
        left_out[index] = _walk(
            frame, spread, pictures, np.float32(scales[index]), columns, sums[index], rules
        )
    signal, variance, norm, squared, count = np.ascontiguousarray(np.moveaxis(sums, 2, 0))
    return CorrectedSums(signal, variance, norm, squared, count, left_out)


@numba.njit(nogil=True, cache=True)
def _correct(value, pixel, spread, pictures, scale, rules):  # type: ignore[no-untyped-def]
    """Give signal, variance, normalisation of a pixel; a normalisation of 0 says: left out."""
    factors, dark, dark_variance = pictures
    model, ratios, _, _ = rules
    signal = np.float32(value)
    variance = np.float32(0)
    if model == 2:
        variance = max(np.float32(1), signal)
    elif model == 1 and len(spread) > 0:
        variance = np.float32(spread[pixel])
    if len(dark) > 0:
        signal = np.float32(signal - dark[pixel])
    if len(dark_variance) > 0 and model != 0:
        variance = np.float32(variance + dark_variance[pixel])
    norm = scale
    for factor in range(factors.shape[0]):
        norm = np.float32(norm * factors[factor, pixel])
    if not (np.isfinite(signal) and np.isfinite(norm) and np.isfinite(variance)):
        return np.float32(0), np.float32(0), np.float32(0)
    if ratios and norm != 0:
        signal = np.float32(signal / norm)
        variance = np.float32(variance / np.float32(norm * norm))
        norm = np.float32(1)
    return signal, variance, norm


@numba.njit(nogil=True, cache=True)
def _walk(frame, spread, pictures, scale, columns, sums, rules):  # type: ignore[no-untyped-def]
    """Walk over the pixels of one frame; give how many were left out."""
    entries, bins, shares = columns
    model, _, lowest, highest = rules
    left_out = 0
    last = np.uint64(0)
    for place in range(entries.size):
        pixel = np.uint64(place)
        index = last
        last = index + np.uint64(entries[pixel])
        if index == last:
            continue
        value = np.float64(frame[pixel])
        if not (lowest <= value <= highest and np.isfinite(value)):
            left_out += 1
            continue
        signal, variance, norm = _correct(frame[pixel], pixel, spread, pictures, scale, rules)
        if norm == 0:
            left_out += 1
            continue
        s, v, n = np.float64(signal), np.float64(variance), np.float64(norm)
        while index < last:
            share = np.float64(shares[index])
            into = sums[np.uint64(bins[index])]
            weight = share * n
            if model != 3:
                into[0] += share * s
                into[1] += share * share * v
                into[2] += weight
                into[3] += weight * weight
            else:
                _spread(into, share, s, n)
            into[4] += share
            index += np.uint64(1)
    return left_out


@numba.njit(nogil=True, cache=True)
def _spread(into, share, signal, norm):  # type: ignore[no-untyped-def]
    """Take a pixel into signal, spread and normalisation of a bin.

    pyFAI's recurrence, V ← V + w² (S/N - x)(S'/N' - x) with the mean before and after, after
    Schubert and Gertz, SSDBM 2018; the first pixel has no spread.
    """
    weight = share * norm
    if into[3] <= 0:
        into[0] = share * signal
        into[2] = weight
        into[3] = weight * weight
        return
    squared = weight * weight
    mean = into[0] / into[2]
    into[2] += weight
    into[3] += squared
    ratio = signal / norm
    before = mean - ratio
    into[0] += share * signal
    after = into[0] / into[2] - ratio
    into[1] += squared * before * after
