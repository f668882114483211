"""The absolute scale: a factor to dΣ/dΩ in 1/cm from water or glassy carbon."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError, ReductionError
from hsc.model import Record
from hsc.reductions.biosaxs.curve import Curve

_WATER_RANGE_PER_NM = (1.0, 4.0)
_CARBON_RANGE_PER_NM = (0.3, 2.0)
_FEWEST_POINTS = 5
_SIGNIFICANT = 3.0
_BAD_CHI2 = 3.0

# NIST Standard Reference Material 3600, absolute intensity calibration standard for small-angle
# X-ray scattering, table 1 of the certificate of 2016: q in 1/angstrom, dΣ/dΩ in 1/cm.
_SRM_3600 = np.array([
    [0.00827568, 34.933380], [0.00888450, 34.427156], [0.00954735, 34.042170],
    [0.01026900, 33.698553], [0.01105780, 33.352529], [0.01191830, 33.027533],
    [0.01286110, 32.665045], [0.01389340, 32.306665], [0.01502510, 31.970485],
    [0.01626850, 31.559099], [0.01763650, 31.183763], [0.01914320, 30.861805],
    [0.02080510, 30.514300], [0.02264220, 30.084982], [0.02467500, 29.690414],
    [0.02692890, 29.249965], [0.02943170, 28.889970], [0.03221560, 28.449341],
    [0.03531810, 28.065980], [0.03878270, 27.704965], [0.04265880, 27.331304],
    [0.04700390, 26.974065], [0.05188580, 26.676952], [0.05738140, 26.401158],
    [0.06358290, 26.177427], [0.07059620, 25.904683], [0.07854840, 25.528734],
    [0.08758630, 24.917743], [0.09788540, 23.946472], [0.10965500, 22.472101],
    [0.11431200, 21.777228], [0.11839500, 21.112938], [0.12262400, 20.401110],
    [0.12314200, 20.287060], [0.12700400, 19.685107], [0.13154000, 18.909809],
    [0.13623900, 18.089242], [0.13864300, 17.679572], [0.14110500, 17.264117],
    [0.14614500, 16.372848], [0.15136500, 15.458350], [0.15651300, 14.587700],
    [0.15677100, 14.563071], [0.16237100, 13.616671], [0.16817000, 12.668549],
    [0.17417700, 11.752287], [0.17718100, 11.311460], [0.18039800, 10.862157],
    [0.18684100, 9.961979], [0.19351500, 9.116906], [0.20042700, 8.325578],
    [0.20116500, 8.224897], [0.20758600, 7.541931], [0.21500000, 6.854391],
    [0.22267900, 6.216070], [0.22909500, 5.715911], [0.23063300, 5.582366],
    [0.23887100, 4.999113], [0.24740200, 4.463604],
])  # fmt: skip


class AbsoluteParameters(Record):
    """How the standard of the absolute scale is read."""

    absolute_standard: Literal["water", "glassy_carbon"] = "water"
    """What the input ``absolute`` shows: water in the sample's own cell, or the glassy carbon
    NIST SRM 3600."""
    absolute_water_per_cm: float = Field(default=0.01632, gt=0)
    """dΣ/dΩ of water, 1/cm; 0.01632 at 20 °C (D. Orthaber et al., J. Appl. Cryst. 33 (2000)
    218)."""
    absolute_q_min_per_nm: float | None = Field(default=None, ge=0)
    """First q that is compared, 1/nm; None: 1 for water, 0.3 for glassy carbon."""
    absolute_q_max_per_nm: float | None = Field(default=None, gt=0)
    """Last q that is compared, 1/nm; None: 4 for water, 2 for glassy carbon."""
    absolute_count_time_s: float | None = Field(default=None, gt=0)
    """Exposure of each frame of ``absolute`` and ``absolute_empty``, s; None: as they say."""
    absolute_thickness_mm: float = Field(default=1.055, gt=0)
    """Thickness of the glassy carbon, mm; SRM 3600 is 1.055 mm thick."""
    sample_thickness_mm: float | None = Field(default=None, gt=0)
    """Path of the beam through the sample, mm; needed with glassy carbon, not with water in the
    same cell."""


@dataclass(frozen=True, slots=True)
class AbsoluteScale:
    """What intensities are multiplied by to be in 1/cm."""

    factor: float
    """Intensity in 1/cm over intensity as measured."""
    factor_error: float
    """One standard deviation of it, from the noise of the standard's frames."""
    standard: str
    """``water`` or ``glassy_carbon``."""
    q_min_per_nm: float
    """First q that was compared."""
    q_max_per_nm: float
    """Last q that was compared."""
    points: int
    """Number of points compared."""
    chi2: float
    """Reduced χ² of the standard times the factor against what is known of it."""
    empty_subtracted: bool
    """Whether the empty cell, or the air behind the carbon, was subtracted."""


def find_scale(
    standard: Curve, parameters: AbsoluteParameters, *, empty_subtracted: bool
) -> AbsoluteScale:
    """Compare a measured standard with what is known of it.

    1/k is the weighted least-squares solution of I(q) = 1/k dΣ/dΩ(q): what is known without noise
    is scaled to what is measured with it. (A fit of k I to dΣ/dΩ would find k too small by the
    noise's share of I², a tenth for bins of a third's noise.) For water dΣ/dΩ is
    the same at every q in the range, and the cell the sample's own, so that thickness cancels.
    Glassy carbon is its own thickness; k is multiplied by it and divided by the sample's.

    Parameters
    ----------
    standard
        Intensity of the standard, normalised as the sample's.
    parameters
        Which standard, and where it is compared.
    empty_subtracted
        Whether what is behind the standard was subtracted.

    Raises
    ------
    ParameterError
        The sample's thickness is not given with glassy carbon.
    ReductionError
        Too few points in the range, or they do not scatter.
    """
    water = parameters.absolute_standard == "water"
    customary = _WATER_RANGE_PER_NM if water else _CARBON_RANGE_PER_NM
    low = _or(parameters.absolute_q_min_per_nm, customary[0])
    high = _or(parameters.absolute_q_max_per_nm, customary[1])
    q = standard.q_per_nm
    used = (q >= low) & (q <= high) & (standard.error > 0)
    if used.sum() < _FEWEST_POINTS:
        raise ReductionError(
            f"{int(used.sum())} points of the standard lie between {low:g} and {high:g} 1/nm, "
            f"where {parameters.absolute_standard} is compared; the curve goes from {q[0]:.3g} to "
            f"{q[-1]:.3g} 1/nm",
            next_step="give a range: -p absolute_q_min_per_nm=... -p absolute_q_max_per_nm=...",
        )
    some = standard.at(used)
    known = np.full(len(some.q_per_nm), parameters.absolute_water_per_cm)
    if not water:
        known = _carbon(some.q_per_nm) * _thickness_ratio(parameters)
    weight = some.error**-2
    square = float((weight * known**2).sum())
    counted = float((weight * some.intensity * known).sum()) / square
    if not counted > _SIGNIFICANT / math.sqrt(square):
        raise ReductionError(
            f"the standard scatters {some.intensity.mean():.3g} on average, which is lost in its "
            "noise or below zero",
            next_step="check the datasets for absolute and absolute_empty",
        )
    factor = 1 / counted
    error = factor**2 / math.sqrt(square)
    misfit = (weight * (some.intensity - known / factor) ** 2).sum() / (len(known) - 1)
    return AbsoluteScale(
        factor, error, parameters.absolute_standard, float(some.q_per_nm[0]),
        float(some.q_per_nm[-1]), len(known), float(misfit), empty_subtracted,
    )  # fmt: skip


def scale_remarks(scale: AbsoluteScale) -> list[str]:
    """Say what is doubtful about a scale, in sentences."""
    said, standard = [], scale.standard.replace("_", " ")
    if not scale.empty_subtracted:
        said.append(
            f"nothing was subtracted from the {standard}: what the empty "
            "cell scatters makes the absolute scale too small; give absolute_empty=PID"
        )
    if scale.chi2 > _BAD_CHI2:
        said.append(
            f"the standard does not scatter as {standard} does: χ² = {scale.chi2:.3g} from "
            f"{scale.q_min_per_nm:.3g} to {scale.q_max_per_nm:.3g} 1/nm, so that "
            "the absolute scale and the mass from I(0) are doubtful; look at "
            "absolute_standard, at absolute_empty and at the range: -p absolute_q_min_per_nm=..."
        )
    return said


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _carbon(q_per_nm: NDArray[np.float64]) -> NDArray[np.float64]:
    q, intensity = _SRM_3600.T
    if q_per_nm[0] < 10 * q[0] or q_per_nm[-1] > 10 * q[-1]:
        raise ReductionError(
            f"glassy carbon is known from {10 * q[0]:.3g} to {10 * q[-1]:.3g} 1/nm, not from "
            f"{q_per_nm[0]:.3g} to {q_per_nm[-1]:.3g}",
            next_step="give a range: -p absolute_q_min_per_nm=... -p absolute_q_max_per_nm=...",
        )
    known: NDArray[np.float64] = np.interp(q_per_nm, 10 * q, intensity)
    return known


def _thickness_ratio(parameters: AbsoluteParameters) -> float:
    if parameters.sample_thickness_mm is None:
        raise ParameterError(
            "sample_thickness_mm is not given, and glassy carbon gives no absolute scale without",
            next_step="give the path of the beam through the sample in mm: "
            "-p sample_thickness_mm=...",
        )
    return parameters.absolute_thickness_mm / parameters.sample_thickness_mm
