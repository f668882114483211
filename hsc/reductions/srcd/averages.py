"""Averages of scans with their errors: mean, subtraction of a baseline, zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError


@dataclass(frozen=True, slots=True)
class Average:
    """A curve with its errors."""

    values: NDArray[np.float64]
    """(points,): mean."""
    errors: NDArray[np.float64]
    """(points,): standard error of the mean; NaN of a single scan, whose spread nobody knows."""
    scans: int
    """How many scans it was made of."""


def average(rows: Sequence[NDArray[np.float64]]) -> Average:
    """Average scans point by point: x̄ = Σx / k, sem = s / √k, s² = Σ(x - x̄)² / (k - 1).

    Scans are added in the order given, so that the same ones give the same bytes.

    Examples
    --------
    >>> made = average([np.array([1.0, 4.0]), np.array([3.0, 4.0])])
    >>> made.values.tolist(), made.errors.tolist()
    ([2.0, 4.0], [1.0, 0.0])
    """
    count = len(rows)
    total = np.zeros_like(rows[0])
    for row in rows:
        total = total + row
    mean = total / count
    if count == 1:
        return Average(mean, np.full_like(mean, np.nan), 1)
    squares = np.zeros_like(mean)
    for row in rows:
        squares = squares + (row - mean) ** 2
    return Average(mean, np.sqrt(squares / (count - 1)) / math.sqrt(count), count)


def subtracted(sample: Average, baseline: Average | None) -> Average:
    """Subtract a baseline: σ² = σ_s² + σ_b², for the two were measured apart."""
    if baseline is None:
        return sample
    return Average(
        sample.values - baseline.values,
        np.sqrt(sample.errors**2 + baseline.errors**2),
        sample.scans,
    )


def zeroed(
    curve: Average, wavelength_nm: NDArray[np.float64], low_nm: float, high_nm: float
) -> tuple[Average, float]:
    """Shift a curve so that its mean between two wavelengths, ends included, is zero.

    Where y = x - x̄_m, the mean of m points, σ_y² = σ_x² + σ_m² outside of them and
    σ_x² (1 - 2/m) + σ_m² within, σ_m² = Σσ² / m²: a point within is a part of what it is shifted
    by. Points are taken as independent of each other.

    Returns
    -------
    curve
        The shifted one.
    offset
        What was taken off.

    Raises
    ------
    ReductionError
        No point lies there.
    """
    within = (wavelength_nm >= low_nm) & (wavelength_nm <= high_nm)
    count = int(within.sum())
    if not count:
        raise ReductionError(
            f"no wavelength between {low_nm:g} and {high_nm:g} nm, where the zero is to be",
            next_step="give another range: -p zero_min_nm=... -p zero_max_nm=..., or -p zero=false",
        )
    offset = math.fsum(curve.values[within].tolist()) / count
    shift_variance = math.fsum((curve.errors[within] ** 2).tolist()) / count**2
    own = curve.errors**2 * np.where(within, 1 - 2 / count, 1.0)
    return Average(curve.values - offset, np.sqrt(own + shift_variance), curve.scans), offset
