"""Slabs: frames summed along one component of the scattering vector, in a range of the other."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError
from hsc.reductions.azimuthal.binning import SCALES, AxisUnit, Binning
from hsc.reductions.azimuthal.parameters import IntegrationParameters
from hsc.reductions.geometry import Geometry, RadialUnit


def slab_arrays(binning: Binning, bad: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Find the pixels of each bin of a slab, whole and in ascending order.

    Qx = Q cos φ and Qy = Q sin φ, φ the azimuth. A pixel counts where its middle lies: in bins
    that hold their lower edge, the last one both; across them from the first limit, up to but
    not at the second (as sasdata's SlabX and SlabY have it).
    """
    along, across = components(binning.geometry)
    if binning.radial_unit.startswith("qy"):
        along, across = across, along
    bins = np.searchsorted(binning.edges(), along * binning.scale, side="right") - 1
    used = (bins >= 0) & (bins < binning.bins) & ~bad.reshape(-1)
    if binning.slab is not None:
        low, high = (limit / binning.scale for limit in binning.slab)
        used &= (across >= low) & (across < high)
    pixels = np.flatnonzero(used)
    pixels = pixels[np.argsort(bins[pixels], kind="stable")]
    counts = np.bincount(bins[pixels], minlength=binning.bins)
    return {
        "pixels": pixels.astype(np.int32),
        "starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        "shares": np.empty(0, dtype=np.float32),
    }


def components(geometry: Geometry) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give Qx and Qy at the middle of each pixel, 1/nm, flat, float64."""
    q = geometry.q_per_nm().reshape(-1)
    azimuth = geometry.integrator().center_array(geometry.shape, unit="chi_rad").reshape(-1)
    return q * np.cos(azimuth), q * np.sin(azimuth)


def axis_reach(geometry: Geometry, unit: AxisUnit) -> tuple[float, float]:
    """Give where an axis begins and ends on the detector; all but slabs' begin at 0."""
    if unit.startswith(("qx", "qy")):
        values = _component(geometry, unit) * SCALES[unit]
        return float(values.min()), float(values.max())
    return 0.0, geometry.largest(cast("RadialUnit", unit))


def _component(geometry: Geometry, unit: str) -> NDArray[np.float64]:
    return components(geometry)[0 if unit.startswith("qx") else 1]


def slab_limits(
    parameters: IntegrationParameters, azimuthal_bins: int
) -> tuple[float, float] | None:
    """Give the range across a slab, in the radial unit; None: no slab, or all of the detector.

    Raises
    ------
    ParameterError
        A limit is given for what is no slab, or only one, or a slab is to be split, or cut in the
        azimuth.
    """
    low, high, unit = parameters.slab_min, parameters.slab_max, parameters.radial_unit
    if not unit.startswith(("qx", "qy")):
        if low is not None or high is not None:
            raise ParameterError(
                f"slab_min is {low!r} and slab_max is {high!r}, beside an axis in {unit}",
                next_step="slabs are along -p radial_unit=qx_nm^-1 (or qx_A^-1, qy_nm^-1, qy_A^-1)",
            )
        return None
    _refuse_beside_slabs(parameters, azimuthal_bins)
    if low is None and high is None:
        return None
    if low is None or high is None or not low < high:
        raise ParameterError(
            f"slab_min is {low!r} and slab_max is {high!r}, for a slab along {unit}",
            next_step="give both, the lower one as slab_min, or none for all of the detector",
        )
    return low, high


def _refuse_beside_slabs(parameters: IntegrationParameters, azimuthal_bins: int) -> None:
    wrong = {
        "splitting": parameters.splitting if parameters.splitting != "no" else None,
        "azimuthal_bins": azimuthal_bins or None,
        "chi_min_deg": parameters.chi_min_deg,
        "chi_max_deg": parameters.chi_max_deg,
    }
    for name, value in wrong.items():
        if value is not None:
            raise ParameterError(
                f"{name} is {value!r}, beside a slab along {parameters.radial_unit}",
                next_step=f"leave {name} out: slabs take whole pixels, in a range of Qx and of Qy",
            )
