"""What a curve tells beside its radius of gyration: Kratky plot, volumes, molecular masses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.model import Record
from hsc.reductions.biosaxs.curve import Curve

if TYPE_CHECKING:
    from hsc.reductions.biosaxs.estimates import GuinierEstimate

_AVOGADRO_PER_MOL = 6.02214076e23
_ELECTRON_RADIUS_CM = 2.8179403262e-13
_ROUND = 1e-6


class MassParameters(Record):
    """What molecular masses are taken from."""

    concentration_g_per_l: float | None = Field(default=None, gt=0)
    """Concentration of the sample, g/L (mg/ml); None: not known."""
    partial_specific_volume_cm3_per_g: float = Field(default=0.7425, gt=0, le=2)
    """Volume that a gram of the particle takes; 0.7425 cm³/g is customary for proteins."""
    electrons_per_g: float = Field(default=3.22e23, gt=0)
    """Electrons in a gram of the particle; of a protein 3.22e23."""
    solvent_electrons_per_cm3: float = Field(default=3.34e23, gt=0)
    """Electrons in a cm³ of the solvent; of water 3.34e23."""
    vc_q_max_per_nm: float = Field(default=2.0, gt=0)
    """Last q of the integral for the volume of correlation, 1/nm; its law was found with 2."""
    porod_q_max_per_nm: float | None = Field(default=None, gt=0)
    """Last q of the integral for the Porod volume, 1/nm; None: the whole curve."""
    porod_nm3_per_kda: float = Field(default=1.6, gt=0)
    """Porod volume of a kDa, nm³; 1.6 is customary for proteins."""


@dataclass(frozen=True, slots=True)
class Kratky:
    """The dimensionless Kratky plot: a compact particle peaks at (√3, 3/e)."""

    qrg: NDArray[np.float64]
    """q·Rg."""
    value: NDArray[np.float64]
    """(q·Rg)² I / I0."""
    error: NDArray[np.float64]
    """One standard deviation of it, from the curve's errors alone."""


@dataclass(frozen=True, slots=True)
class Invariants:
    """Integrals over the curve, extended to q = 0 by the Guinier law."""

    porod_volume_nm3: float | None
    """V = 2π² I0 / ∫ q² I dq, nm³; None: the integral is not above zero."""
    porod_volume_error_nm3: float | None
    """One standard deviation of it."""
    porod_q_max_per_nm: float
    """Where its integral ends."""
    vc_nm2: float | None
    """Volume of correlation I0 / ∫ q I dq, nm²; None: the Guinier range begins too late, or the
    integral is not above zero."""
    vc_error_nm2: float | None
    """Its error as freesas states it."""
    qr_nm3: float | None
    """Vc² / Rg, nm³."""
    qr_error_nm3: float | None
    """Its error as freesas states it."""
    vc_q_max_per_nm: float
    """Where its integral ends: the curve may end before the q that was asked for."""


@dataclass(frozen=True, slots=True)
class Mass:
    """Molecular mass, one way."""

    method: str
    """``volume_of_correlation``, ``porod_volume`` or ``absolute_intensity``."""
    kda: float
    """Molecular mass, kDa."""
    error_kda: float
    """One standard deviation of it as far as the curve, and the noise of the absolute scale's
    standard, tell; the method's own is 10 % or so."""
    reference: str
    """Where the way is from."""


def kratky_of(curve: Curve, guinier: GuinierEstimate) -> Kratky:
    """Give the dimensionless Kratky plot."""
    qrg = curve.q_per_nm * guinier.rg_nm
    factor = qrg**2 / guinier.i0
    return Kratky(qrg, factor * curve.intensity, factor * curve.error)


def invariants_of(curve: Curve, guinier: GuinierEstimate, parameters: MassParameters) -> Invariants:
    """Give Porod volume, volume of correlation and Qr, as `freesas.invariants` computes them.

    Below the Guinier range the curve is replaced by the Guinier law. R. P. Rambo and J. A. Tainer,
    Nature 496 (2013) 477; C. D. Putnam et al., Q. Rev. Biophys. 40 (2007) 191, table 1.
    """
    # freesas takes a tenth of a second to import, and is no part of a laptop's installation.
    from freesas.autorg import RG_RESULT
    from freesas.invariants import calc_Porod, calc_Rambo_Tainer

    columns = curve.columns()
    stepped, shift = _evenly_begun(columns)
    known = RG_RESULT(
        guinier.rg_nm, guinier.rg_error_nm, guinier.i0, guinier.i0_error, guinier.start + shift,
        guinier.stop + shift, guinier.quality, guinier.aggregated,
    )  # fmt: skip
    stop = len(columns)
    if parameters.porod_q_max_per_nm is not None:
        stop = int(np.searchsorted(curve.q_per_nm, parameters.porod_q_max_per_nm, side="right"))
        stop = max(stop, guinier.stop)
    volume = float(calc_Porod(stepped[: stop + shift], known))
    last = int(np.abs(curve.q_per_nm - parameters.vc_q_max_per_nm).argmin())
    law = None
    if last > guinier.start + 1:
        law = calc_Rambo_Tainer(stepped, known, qmax=parameters.vc_q_max_per_nm)
    if law is not None and not law.Vc > 0:  # its square would still be a mass
        law = None
    bounded = volume > 0 and math.isfinite(volume)
    error = volume * _porod_error(columns[:stop], guinier, volume) if bounded else None
    return Invariants(
        porod_volume_nm3=volume if bounded else None,
        porod_volume_error_nm3=error,
        porod_q_max_per_nm=float(curve.q_per_nm[stop - 1]),
        vc_nm2=None if law is None else float(law.Vc),
        vc_error_nm2=None if law is None else float(law.sigma_Vc),
        qr_nm3=None if law is None else float(law.Qr),
        qr_error_nm3=None if law is None else float(law.sigma_Qr),
        vc_q_max_per_nm=float(curve.q_per_nm[max(0, last - 1)]),
    )


def masses_of(
    guinier: GuinierEstimate,
    invariants: Invariants,
    parameters: MassParameters,
    intensity_unit: str,
    scale_error: float = 0.0,
) -> tuple[Mass, ...]:
    """Give the molecular mass in as many ways as the curve allows.

    From Qr (for proteins, Qr / 0.1231), from the Porod volume, and, with the intensity in 1/cm
    and the concentration known, from I0, whose error is that of the absolute scale as well
    (``scale_error``, relative): the other two do not depend on it.
    """
    found = []
    if invariants.qr_nm3 is not None and invariants.qr_nm3 > 0:
        error = invariants.qr_error_nm3 or 0.0
        found.append(
            Mass(
                "volume_of_correlation", invariants.qr_nm3 / 0.1231, error / 0.1231,
                "R. P. Rambo and J. A. Tainer, Nature 496 (2013) 477",
            )
        )  # fmt: skip
    per_kda = parameters.porod_nm3_per_kda
    if invariants.porod_volume_nm3 is not None:
        error = invariants.porod_volume_error_nm3 or 0.0
        found.append(
            Mass(
                "porod_volume", invariants.porod_volume_nm3 / per_kda, error / per_kda,
                "M. V. Petoukhov et al., J. Appl. Cryst. 45 (2012) 342",
            )
        )  # fmt: skip
    concentration = parameters.concentration_g_per_l
    if intensity_unit == "1/cm" and concentration is not None:
        kda = guinier.i0 * _kda_per_intensity(concentration, parameters)
        found.append(
            Mass(
                "absolute_intensity", kda,
                kda * math.hypot(guinier.i0_error / guinier.i0, scale_error),
                "E. Mylonas and D. I. Svergun, J. Appl. Cryst. 40 (2007) s245",
            )
        )  # fmt: skip
    return tuple(found)


def contrast_cm_per_g(parameters: MassParameters) -> float:
    """Give the excess scattering length of a gram, cm/g.

    Examples
    --------
    >>> f"{contrast_cm_per_g(MassParameters()):.4g}"
    '2.085e+10'
    """
    displaced = parameters.partial_specific_volume_cm3_per_g * parameters.solvent_electrons_per_cm3
    return (parameters.electrons_per_g - displaced) * _ELECTRON_RADIUS_CM


def _kda_per_intensity(concentration_g_per_l: float, parameters: MassParameters) -> float:
    """Give M / I0 = N_A / (c Δρ²), kDa cm."""
    c_g_per_cm3 = concentration_g_per_l / 1000
    dalton = _AVOGADRO_PER_MOL / (c_g_per_cm3 * contrast_cm_per_g(parameters) ** 2)
    return dalton / 1000


def _evenly_begun(columns: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Put two points before a curve that begins with a gap; give it, and by how many it is longer.

    freesas draws the Guinier law below its range in steps of the first two points' distance.
    Where bins are empty beside the beamstop that would be a few long steps, or none at all.
    """
    steps = np.diff(columns[:, 0])
    usual = float(np.median(steps))
    if steps[0] <= (1 + _ROUND) * usual:
        return columns, 0
    before = np.zeros((2, 3))
    before[:, 0] = columns[0, 0] - usual * np.array([2, 1])
    return np.concatenate([before, columns]), 2


def _porod_error(columns: NDArray[np.float64], guinier: GuinierEstimate, volume: float) -> float:
    """Give the relative error of V from those of I0 and of the points, which are independent."""
    q, _, error = columns[guinier.start :].T
    widths = np.gradient(q)
    integral = 2 * math.pi**2 * guinier.i0 / volume
    spread = math.sqrt(float(((widths * q**2 * error) ** 2).sum()))
    return math.hypot(guinier.i0_error / guinier.i0, spread / integral)
