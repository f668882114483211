"""I(Q) in bands of wavelength: where they agree, wavelengths and transmission are right."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hsc.reductions.sans.intensity import Intensity, Measured


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """I(Q) of each band, sample less background."""

    edges: NDArray[np.float64]
    """(bands + 1,): angstrom."""
    intensity: Intensity
    """(bands, Q); NaN where a band reaches no such Q."""

    def spread(self) -> float | None:
        """Give how far bands lie from their mean by their errors: chi² / (values - means).

        Means are weighted by the variances, over bins of Q that two bands or more reach; None
        where there are none. About 1 where bands differ by chance; less with upper bounds.
        """
        values, variances = self.intensity.values, self.intensity.variances
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = np.where(np.isfinite(values) & (variances > 0), 1 / variances, 0.0)
        several = (weights > 0).sum(axis=0) > 1
        if not several.any():
            return None
        weights, values = weights[:, several], np.where(weights > 0, values, 0.0)[:, several]
        mean = (weights * values).sum(axis=0) / weights.sum(axis=0)
        free = int((weights > 0).sum()) - int(several.sum())
        return float((weights * (values - mean) ** 2).sum() / free)


def bands_of(
    count: int, edges: NDArray[np.float64], sample: Measured, background: Measured | None
) -> Bands | None:
    """Divide each of so many bands of as many bins by itself; None where none are wanted."""
    if not count:
        return None
    cuts = np.linspace(0, len(edges) - 1, count + 1).round().astype(np.int64)
    parts = []
    for start, stop in pairwise(cuts.tolist()):
        less = background.curve(start, stop) if background else None
        parts.append(sample.curve(start, stop).less(less))
    return Bands(
        edges[cuts],
        Intensity(
            np.array([part.values for part in parts]), np.array([part.variances for part in parts])
        ),
    )
