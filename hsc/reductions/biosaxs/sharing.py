"""Bins that share pixels, where these are split: they are not independent of each other."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hsc.reductions.azimuthal.binning import Binning


def bins_of_a_pixel(binning: Binning) -> int:
    """Give among how many bins of q one after the other a pixel may be split; 1: it is not.

    Bins so far apart share none. A pixel's diagonal seen from the sample, where it stands nearest
    to it, times 2π / λ is more than q changes over any of them.
    """
    if binning.splitting == "no":
        return 1
    geometry = binning.geometry
    diagonal_m = math.hypot(geometry.x_pixel_size_m, geometry.y_pixel_size_m)
    reach_per_nm = 2 * math.pi / (geometry.wavelength_m * 1e9) * diagonal_m / geometry.distance_m
    return 1 + math.ceil(reach_per_nm * binning.bins / (binning.radial_max - binning.radial_min))


def apart(
    curves: NDArray[np.float64], bins: NDArray[np.integer], reach: int
) -> NDArray[np.float64]:
    """Average curves over as many bins as a pixel has, and leave out as many less one between.

    What is left shares no pixels: correlation maps take points for independent, and would find
    frames unlike whose neighbouring points go up and down together.

    Parameters
    ----------
    curves
        Intensities, shape (curves, points).
    bins
        Number of each point's bin, ascending.
    reach
        Among how many bins a pixel may be split; 1: curves stay as they are.

    Examples
    --------
    >>> apart(np.arange(6.0)[np.newaxis], np.array([0, 1, 2, 3, 5, 6]), 2)
    array([[0.5, 3. , 5. ]])
    """
    if reach == 1:
        return np.ascontiguousarray(curves)
    group, place = np.divmod(np.asarray(bins, np.int64), 2 * reach - 1)
    used = place < reach
    _, starts, counts = np.unique(group[used], return_index=True, return_counts=True)
    if not len(starts):
        return np.ascontiguousarray(curves[:, used])
    sums: NDArray[np.float64] = np.add.reduceat(curves[:, used], starts, axis=1)
    return np.ascontiguousarray(sums / counts)
