"""A curve I(q) with errors, and one curve less another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError


@dataclass(frozen=True, slots=True)
class Curve:
    """Intensity over q; all arrays float64 of one length, finite."""

    q_per_nm: NDArray[np.float64]
    """Middle of each bin, 1/nm, ascending."""
    intensity: NDArray[np.float64]
    """Intensity."""
    error: NDArray[np.float64]
    """One standard deviation of it."""

    def columns(self) -> NDArray[np.float64]:
        """Give q, intensity and error beside each other, shape (points, 3)."""
        return np.column_stack([self.q_per_nm, self.intensity, self.error])

    def at(self, points: NDArray[np.bool_] | slice) -> Curve:
        """Give the curve at some of its points."""
        return Curve(self.q_per_nm[points], self.intensity[points], self.error[points])

    def times(self, factor: float) -> Curve:
        """Give the curve with intensity and error multiplied by a positive factor."""
        return Curve(self.q_per_nm, self.intensity * factor, self.error * factor)


def subtract(sample: Curve, buffer: Curve, scale: float = 1.0) -> Curve:
    """Subtract a buffer: I = I_s - k I_b with variance σ_s² + k² σ_b².

    Parameters
    ----------
    sample, buffer
        Curves on the same q.
    scale
        The factor k of the buffer.
    """
    if not np.array_equal(sample.q_per_nm, buffer.q_per_nm):
        raise ReductionError("sample and buffer are not on the same q")
    return Curve(
        sample.q_per_nm,
        sample.intensity - scale * buffer.intensity,
        np.sqrt(sample.error**2 + scale**2 * buffer.error**2),
    )
