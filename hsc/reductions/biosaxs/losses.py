"""Frames of an elution that are none: the beam was lost, or a bubble passed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STANDARD_DEVIATIONS = 8.0
_SHARE = 0.1
_ABRUPT = 0.5


def lost_frames(
    intensity: NDArray[np.float64], error: NDArray[np.float64], smoothed: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Mark single frames, or a few in a row, that leap away from those around them.

    A stretch of frames that lie more than a tenth, and more than eight standard deviations, off the
    running median is lost if it begins and ends abruptly: with a step of at least half of how far
    it is off. What lasts for more than half of the median's window is not told from a peak.

    Parameters
    ----------
    intensity, error
        The chromatogram, shape (frames,).
    smoothed
        Its running median.

    Examples
    --------
    >>> level = np.full(9, 10.0)
    >>> level[4] = 6.0
    >>> np.flatnonzero(lost_frames(level, np.full(9, 0.1), np.full(9, 10.0))).tolist()
    [4]
    """
    off = intensity - smoothed
    far = np.abs(off) > np.maximum(_SHARE * np.abs(smoothed), _STANDARD_DEVIATIONS * error)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], far.astype(np.int8), [0]]))).reshape(-1, 2)
    lost = np.zeros(len(intensity), dtype=np.bool_)
    for start, stop in edges:
        steps = [
            abs(intensity[inside] - intensity[outside])
            for inside, outside in ((start, start - 1), (stop - 1, stop))
            if 0 <= outside < len(intensity)
        ]
        if steps and min(steps) > _ABRUPT * np.abs(off[start:stop]).max():
            lost[start:stop] = True
    return lost
