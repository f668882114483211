"""Sums per bin of frames that are corrected pixel by pixel: dark, monitor, any error model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsc.kernels.corrected_loops import (
    AZIMUTHAL,
    NONE,
    POISSON,
    TOGETHER,
    VARIANCE,
    walk_four,
)
from hsc.kernels.splitting import ShareTable

ErrorModel = Literal["none", "variance", "poisson", "azimuthal"]
"""Where variances come from: nowhere, a picture, max(1, counts), or the spread in each bin."""

_MODELS = {"none": NONE, "variance": VARIANCE, "poisson": POISSON, "azimuthal": AZIMUTHAL}


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
    sums = np.zeros((5, len(flat), table.size))
    left_out = np.zeros(len(flat), dtype=np.int64)
    columns = (table.entries, table.bins, table.shares)
    for start in range(0, len(flat), TOGETHER):
        stop = min(start + TOGETHER, len(flat))
        # Lanes without a frame of their own walk along with the last one.
        lanes = [min(start + lane, len(flat) - 1) for lane in range(TOGETHER)]
        together = tuple(flat[lane] for lane in lanes)
        spread = tuple(spreads[lane if variances is not None else 0] for lane in lanes)
        scale = np.asarray(scales, dtype=np.float32)[lanes]
        found = np.zeros((table.size, 5, TOGETHER)), np.zeros(TOGETHER, dtype=np.int64)
        walk_four(together, spread, pictures, scale, columns, found, rules)
        sums[:, start:stop] = found[0].transpose(1, 2, 0)[:, : stop - start]
        left_out[start:stop] = found[1][: stop - start]
    signal, variance, norm, squared, count = sums
    return CorrectedSums(signal, variance, norm, squared, count, left_out)
