"""Hit rates with intervals: Wilson's, that hold for few frames and rates near 0."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Two-sided 95 % of the normal distribution.
_Z = 1.959963984540054


def wilson(hits: NDArray[Any], frames: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give the 95 % interval of rates (E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209).

    Examples
    --------
    >>> [bound.round(4).tolist() for bound in wilson(np.array([0, 5]), np.array([10, 10]))]
    [[0.0, 0.2366], [0.2775, 0.7634]]
    """
    n = np.asarray(frames, np.float64)
    rate = hits / n
    middle = rate + _Z**2 / (2 * n)
    half = _Z * np.sqrt(rate * (1 - rate) / n + _Z**2 / (4 * n * n))
    whole = 1 + _Z**2 / n
    # Rounding may miss the ends by a bit, where the formula gives them exactly.
    low = np.where(hits == 0, 0.0, (middle - half) / whole)
    high = np.where(hits == frames, 1.0, (middle + half) / whole)
    return low, high


def rates_by(values: NDArray[Any], hit: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Count frames and hits for each value that stands beside frames, ascending.

    Examples
    --------
    >>> found = rates_by(np.array([8, 8, 4]), np.array([True, False, False]))
    >>> found["value"].tolist(), found["frames"].tolist(), found["rate"].tolist()
    ([4, 8], [1, 2], [0.0, 0.5])
    """
    each, of = np.unique(values, return_inverse=True)
    frames = np.bincount(of, minlength=len(each))
    hits = np.bincount(of[hit], minlength=len(each))
    low, high = wilson(hits, frames)
    return {
        "value": each,
        "frames": frames.astype(np.int64),
        "hits": hits.astype(np.int64),
        "rate": hits / frames,
        "rate_low": low,
        "rate_high": high,
    }
