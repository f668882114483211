"""Sums for each frame and bin: what is kept of frames, merges exactly, and gives I and errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FrameSums:
    """Sums for each frame and bin; they add up exactly, quotients would not.

    Where every count is a whole number and every share is 1, ``signal`` and ``variance`` are
    int64 and ``count`` is uint32; else all three are float64, summed in the order of the pixels.
    Bins of a cake are numbered radius by radius: ``bin = radial * azimuthal_bins + azimuthal``.
    """

    signal: NDArray[Any]
    """S, sum of (corrected) counts, shape (frames, bins)."""
    variance: NDArray[Any]
    """V, sum of their variances, likewise; zeros where no error model was asked for."""
    normalization: NDArray[np.float64]
    """N, sum of the normalisations of the pixels used, likewise."""
    normalization_squared: NDArray[np.float64]
    """N2, sum of the squares of these, likewise."""
    count: NDArray[Any]
    """Number of pixels used, or the sum of their shares, likewise."""
    left_out: NDArray[np.int64]
    """Pixels left out for their counts, for each frame."""

    def intensity(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give I = S / N and its standard error √V / N, float32; NaN where no pixel counts."""
        norm = self._norm()
        # Below 2**53 both conversions are exact; then IEEE division and root are the only steps.
        intensity = self.signal.astype(np.float64) / norm
        error = np.sqrt(self.variance.astype(np.float64)) / norm
        return intensity.astype(np.float32), error.astype(np.float32)

    def deviation(self) -> NDArray[np.float32]:
        """Give the standard deviation of a pixel in its bin, √(V / N2), float32; NaN likewise."""
        squared = np.where(np.isnan(self._norm()), np.nan, self.normalization_squared)
        return np.sqrt(self.variance.astype(np.float64) / squared).astype(np.float32)

    def merged(self, kept: NDArray[np.bool_] | None = None) -> FrameSums:
        """Add up frames into one: integers exactly, floating-point numbers in order of frames.

        Parameters
        ----------
        kept
            Which frames count, shape (frames,); None: all.

        Returns
        -------
        Sums of shape (1, bins).

        Examples
        --------
        >>> two = np.array([[1], [2]])
        >>> sums = FrameSums(two, two, two + 0.5, two + 0.0, two.astype(np.uint32), two[:, 0])
        >>> sums.merged().signal.tolist(), sums.merged(np.array([False, True])).count.tolist()
        ([[3]], [[2]])
        """
        rows = np.arange(len(self.signal)) if kept is None else np.flatnonzero(kept)
        return FrameSums(
            _add(self.signal, rows),
            _add(self.variance, rows),
            _add(self.normalization, rows),
            _add(self.normalization_squared, rows),
            _add(self.count, rows),
            self.left_out[rows].sum(keepdims=True),
        )

    def _norm(self) -> NDArray[np.float64]:
        # pyFAI calls a bin empty whose N2 is not above 0.
        empty = (self.count == 0) | ~(self.normalization_squared > 0)
        return np.where(empty, np.nan, self.normalization)


def join(parts: list[FrameSums]) -> FrameSums:
    """Put sums of consecutive frames together."""
    return FrameSums(
        np.concatenate([part.signal for part in parts]),
        np.concatenate([part.variance for part in parts]),
        np.concatenate([part.normalization for part in parts]),
        np.concatenate([part.normalization_squared for part in parts]),
        np.concatenate([part.count for part in parts]),
        np.concatenate([part.left_out for part in parts]),
    )


def _add(values: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[Any]:
    kind = np.float64 if values.dtype.kind == "f" else np.int64
    total = np.zeros((1, values.shape[1]), dtype=kind)
    # One row after the other: numpy's own sum is free to pair them up.
    for row in rows:
        total[0] += values[row].astype(kind)
    return total
