"""Ranges that pyFAI gets wrong: across its cut of the circle, and what lies below a first bin."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reductions.azimuthal.binning import Binning

_CIRCLE_DEG = 360.0
_HALF_DEG = 180.0


def placed_integrator(binning: Binning) -> tuple[Any, tuple[float, float] | None]:
    """Give pyFAI's integrator, its circle cut outside the range of the azimuth, and that range.

    pyFAI knows azimuths from -180° to 180°, or from 0° to 360°, and of a range beyond either it
    sums only the part within (seen in 2026.9.0, with a line in its log). Here the one is taken
    that has the whole range; where neither has, the detector is turned about the beam until the
    range begins at -180°, which changes no radius but by rounding.

    Returns
    -------
    The integrator and the range in radians, as it takes it; None: all around.
    """
    geometry, azimuth = binning.geometry, binning.azimuth
    if azimuth is None:
        return geometry.integrator(), None
    low, high = azimuth
    span = high - low if high > low else high - low + _CIRCLE_DEG
    start = low % _CIRCLE_DEG
    signed = start if start < _HALF_DEG else start - _CIRCLE_DEG
    if signed + span > _HALF_DEG and start + span > _CIRCLE_DEG:
        turn = math.radians(signed + _HALF_DEG)
        turned = replace(geometry, rot3_rad=geometry.rot3_rad + turn).integrator()
        return turned, (-math.pi, -math.pi + math.radians(span))
    integrator = geometry.integrator()
    if signed + span > _HALF_DEG:
        integrator.setChiDiscAtZero()
    return integrator, integrator.normalize_azimuth_range(azimuth)


def below_range(
    binning: Binning, integrator: Any, azimuth: tuple[float, float] | None
) -> NDArray[np.bool_]:
    """Find the pixels that lie below the range of an axis as a whole, shape (rows, columns).

    pyFAI rounds the number of a bin towards zero, and so counts in the first bin what lies less
    than one bin below it, unless it splits by areas (seen in 2026.9.0). A range of the azimuth of
    curves, which has no bins, it keeps.
    """
    shape = binning.geometry.shape
    below = np.zeros(shape, dtype=np.bool_)
    if binning.splitting == "full":
        return below
    axes: list[tuple[str, float]] = [(binning.radial_unit, binning.radial_min / binning.scale)]
    if binning.azimuthal_bins and azimuth is not None:
        axes.append(("chi_rad", azimuth[0]))
    for unit, low in axes:
        ends = integrator.center_array(shape, unit=unit, scale=False)
        if binning.splitting == "bbox":
            ends = ends + integrator.delta_array(shape, unit=unit, scale=False)
        below |= ends < low
    return below
