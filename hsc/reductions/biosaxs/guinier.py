"""The Guinier fit: radius of gyration and forward scattering from the beginning of a curve."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ReductionError
from hsc.model import Record
from hsc.reductions.biosaxs.curve import Curve

_USABLE_RUN = 3
_SIGNIFICANT = 3.0


class GuinierParameters(Record):
    """How the Guinier fit chooses its points."""

    guinier_qrg_max: float = Field(default=1.3, gt=0)
    """Largest q·Rg in the fit; 1.3 is customary for globular particles."""
    guinier_q_min_per_nm: float | None = Field(default=None, ge=0)
    """First q of the fit, 1/nm; None: where three points in a row are clear of their noise."""
    guinier_min_points: int = Field(default=5, ge=3)
    """Fewest points of a fit."""
    guinier_min_signal_to_noise: float = Field(default=3.0, gt=0)
    """I/σ from which a point is clear of its noise, for finding the first one."""


@dataclass(frozen=True, slots=True)
class GuinierFit:
    """A straight line through ln I over q²."""

    rg_nm: float
    """Radius of gyration, nm."""
    rg_error_nm: float
    """One standard deviation of it, from the curve's errors."""
    i0: float
    """Intensity at q = 0, in the curve's unit."""
    i0_error: float
    """One standard deviation of it."""
    q_min_per_nm: float
    """First q of the fit."""
    q_max_per_nm: float
    """Last q of the fit."""
    points: int
    """Number of points."""
    chi2: float
    """Weighted sum of squared residuals over (points - 2)."""
    used: NDArray[np.bool_]
    """Which points of the curve were fitted."""

    @property
    def qrg_max(self) -> float:
        """The largest q·Rg in the fit."""
        return self.q_max_per_nm * self.rg_nm

    def residuals(self, curve: Curve) -> NDArray[np.float64]:
        """Give how far the points lie above the line, in their standard deviations."""
        some = curve.at(self.used)
        off = np.log(some.intensity) - self.log_intensity(some.q_per_nm)
        return np.asarray(off * some.intensity / some.error)

    def log_intensity(self, q_per_nm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the line: ln I0 - Rg² q² / 3."""
        return math.log(self.i0) - (self.rg_nm * q_per_nm) ** 2 / 3


def fit_guinier(curve: Curve, parameters: GuinierParameters) -> GuinierFit:
    """Fit ln I = ln I0 - Rg² q² / 3 by weighted least squares, in closed form.

    A. Guinier and G. Fournet, Small-Angle Scattering of X-Rays, Wiley, New York 1955. The weight
    of a point is (I/σ)², since the variance of ln I is (σ/I)² to first order. The fit runs from
    the first usable point as far as its own result allows: ranges that begin there are tried in
    growing length until one exceeds q_max·Rg = ``guinier_qrg_max`` by three of its standard
    deviations (noise alone does not stop the search), and the longest of them at or below that
    limit is taken. Points that are not positive have no logarithm; the range ends before the
    first of them.

    The law is the first term of a series, so that a finite range has a bias. For a sphere of
    radius R, with x = qR, the amplitude is 3 (sin x - x cos x) / x³ = 1 - x²/10 + x⁴/280 - ...,
    and with ln(1 + u) = u - u²/2 + ... its square P has
    ln P = -x²/5 - x⁴ (1/100 - 1/140) - ... = -x²/5 - x⁴/350 - ...; the first term is
    Rg² = 3R²/5. A line through equally weighted points, evenly spaced in q up to X = q_max R,
    takes t² over t = x² with the slope cov(t, t²) / var(t) = (1/7 - 1/15) / (1/5 - 1/9) X²
    = 6X²/7. Hence Rg²(fit) = Rg² (1 + 6X²/490), and with X² = 5/3 (q_max Rg)² the radius comes
    out too large by the fraction (q_max Rg)² / 98 in leading order: 1.7 % at 1.3, 1.0 % at 1.0.

    Parameters
    ----------
    curve
        Curve on ascending q.
    parameters
        Limits of the fit.

    Raises
    ------
    ReductionError
        Too few points, or the curve does not fall.
    """
    first = _first_point(curve, parameters)
    positive = (curve.intensity > 0) & (curve.error > 0)
    after = np.flatnonzero(~positive[first:])
    stop = first + int(after[0]) if len(after) else len(positive)
    least = parameters.guinier_min_points
    if stop - first < least:
        raise ReductionError(
            f"{max(0, stop - first)} positive points from q = {curve.q_per_nm[first]:.4g} 1/nm; "
            f"a Guinier fit needs {least}",
            next_step="check the buffer, use fewer bins, or begin elsewhere with "
            "guinier_q_min_per_nm",
        )
    x = curve.q_per_nm[first:stop] ** 2
    y = np.log(curve.intensity[first:stop])
    weight = (curve.intensity[first:stop] / curve.error[first:stop]) ** 2
    length = _longest(x, y, weight, parameters)
    return _fit(curve, first, x[:length], y[:length], weight[:length])


def _first_point(curve: Curve, parameters: GuinierParameters) -> int:
    wanted = parameters.guinier_q_min_per_nm
    clear = curve.intensity >= parameters.guinier_min_signal_to_noise * curve.error
    clear &= curve.error > 0
    if wanted is not None:
        clear = (curve.q_per_nm >= wanted) & (curve.error > 0)
    runs = np.convolve(clear, np.ones(_USABLE_RUN, dtype=int), mode="valid") == _USABLE_RUN
    if len(curve.q_per_nm) < _USABLE_RUN or not runs.any():
        raise ReductionError(
            f"no {_USABLE_RUN} points in a row to begin a Guinier fit with",
            next_step="check that the sample scatters more than the buffer, or use fewer bins",
        )
    return int(np.argmax(runs))


def _longest(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    parameters: GuinierParameters,
) -> int:
    """Give the number of points of the longest range that its own Rg allows."""
    # Running sums give the slope of every range at once; centred, so that little cancels.
    t, s = x - x[0], y - y[0]
    w, wt, ws = np.cumsum(weight), np.cumsum(weight * t), np.cumsum(weight * s)
    wtt, wts = np.cumsum(weight * t * t), np.cumsum(weight * t * s)
    least = parameters.guinier_min_points
    below = slice(least - 1, None)
    spread = (w * wtt - wt * wt)[below]
    slope = (w * wts - wt * ws)[below] / spread
    slope_error = np.sqrt(w[below] / spread)
    limit2 = parameters.guinier_qrg_max**2
    too_long = -slope - _SIGNIFICANT * slope_error > limit2 / (3 * x[below])
    end = int(np.argmax(too_long)) if too_long.any() else len(slope)
    allowed = np.flatnonzero((slope[:end] < 0) & (-3 * slope * x[below] <= limit2)[:end])
    if len(allowed):
        return int(allowed[-1]) + least
    if (slope >= 0).all():
        raise ReductionError(
            "the curve does not fall with q: it has no radius of gyration",
            next_step="check sample and buffer for being exchanged, and the buffer's scale",
        )
    raise ReductionError(
        f"no range of {least} points keeps q·Rg below {parameters.guinier_qrg_max}: "
        "the particle is too large for the smallest q measured, or the sample is aggregated",
        next_step="measure at smaller q, use more bins, or set guinier_q_min_per_nm",
    )


def _fit(
    curve: Curve,
    first: int,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> GuinierFit:
    total = weight.sum()
    x_mean, y_mean = (weight * x).sum() / total, (weight * y).sum() / total
    spread = (weight * (x - x_mean) ** 2).sum()
    slope = (weight * (x - x_mean) * (y - y_mean)).sum() / spread
    slope_error = math.sqrt(1 / spread)
    if not -slope > slope_error:
        raise ReductionError(
            f"the fall of the curve with q, {-slope:.3g} ± {slope_error:.3g} nm², is lost in noise",
            next_step="measure longer, use fewer bins, or check the buffer",
        )
    at_zero = y_mean - slope * x_mean
    at_zero_error = math.sqrt(1 / total + x_mean**2 / spread)
    residual = y - (at_zero + slope * x)
    rg, i0 = math.sqrt(-3 * slope), math.exp(at_zero)
    used = np.zeros(len(curve.q_per_nm), dtype=np.bool_)
    used[first : first + len(x)] = True
    return GuinierFit(
        rg_nm=rg,
        rg_error_nm=1.5 * slope_error / rg,
        i0=i0,
        i0_error=i0 * at_zero_error,
        q_min_per_nm=float(curve.q_per_nm[first]),
        q_max_per_nm=float(curve.q_per_nm[first + len(x) - 1]),
        points=len(x),
        chi2=float((weight * residual**2).sum() / (len(x) - 2)),
        used=used,
    )
