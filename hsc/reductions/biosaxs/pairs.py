"""Distances within a particle, p(r), by Bayesian indirect Fourier transformation."""

from __future__ import annotations

import math
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import blake3
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ReductionError
from hsc.model import Record
from hsc.reductions.biosaxs.blas import one_blas_thread
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.stoppable import beside

if TYPE_CHECKING:
    from hsc.reductions.biosaxs.estimates import GuinierEstimate

_SCAN = 11
_DMAX_PER_RG = 3.0
_FEWEST_POINTS = 20
# numpy's global random numbers are one state, also for what a Ctrl-C left behind.
_ONE_AT_A_TIME = threading.Lock()


class PairParameters(Record):
    """How p(r) is found."""

    pr: bool = True
    """Whether p(r) is wanted; it takes a second or two."""
    pr_points: int = Field(default=64, ge=10, le=1000)
    """Number of steps of r; at most half as many as there are points of the curve."""
    pr_samples: int = Field(default=100, ge=10, le=10_000)
    """Number of random models around the best one that give the errors."""
    pr_q_max_per_nm: float | None = Field(default=None, gt=0)
    """Last q used; None: all from the first point of the Guinier range on."""


@dataclass(frozen=True, slots=True)
class PairDistances:
    """The distribution p(r) of distances, and what it implies."""

    r_nm: NDArray[np.float64]
    """Distances from 0 to Dmax, nm."""
    p: NDArray[np.float64]
    """p(r), averaged over models by their probability; I(q) = 4π ∫ p(r) sin(qr)/(qr) dr."""
    p_error: NDArray[np.float64]
    """One standard deviation of it over the models."""
    q_per_nm: NDArray[np.float64]
    """q of the points that were fitted."""
    intensity: NDArray[np.float64]
    """Intensity of p(r) at these q."""
    dmax_nm: float
    """Largest distance."""
    dmax_error_nm: float
    """One standard deviation of it."""
    rg_nm: float
    """Radius of gyration of p(r)."""
    rg_error_nm: float
    """One standard deviation of it."""
    i0: float
    """Intensity at q = 0 of p(r)."""
    i0_error: float
    """One standard deviation of it."""
    chi2: float
    """Reduced χ² of the models: divided by the points of the curve less the steps of r."""
    evidence: float
    """Logarithm of the evidence."""
    alpha: float
    """Weight of the smoothness."""
    seed: int
    """Seed of the random models: from the curve's bytes, hence the same for the same curve."""


def seed_of(curve: Curve) -> int:
    """Give the seed for what is random about a curve: 32 bits of the hash of its bytes."""
    hasher = blake3.blake3()
    for column in curve.columns().T:
        hasher.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
    return int.from_bytes(hasher.digest()[:4], "little")


def find_pairs(curve: Curve, guinier: GuinierEstimate, parameters: PairParameters) -> PairDistances:
    """Find p(r) and Dmax by Bayesian indirect Fourier transformation.

    S. Hansen, J. Appl. Cryst. 33 (2000) 1415, as freesas does it: a scan of the weight of the
    smoothness, one of Dmax around 3 Rg, a search for the largest evidence, then random models
    around it. Their random numbers are numpy's global ones, which are set from the curve's own
    bytes for the while.

    Raises
    ------
    ReductionError
        Too few points, or no distribution fits.
    """
    some = _fitted(curve, guinier, parameters)
    return beside(lambda: _found(some, guinier, parameters))


def _found(some: Curve, guinier: GuinierEstimate, parameters: PairParameters) -> PairDistances:
    # freesas takes a tenth of a second to import, and is no part of a laptop's installation.
    from freesas.bift import BIFT

    # freesas divides χ² by points less steps: as many steps as points would leave no judge.
    points = min(parameters.pr_points, len(some.q_per_nm) // 2)
    seed = seed_of(some)
    try:
        with (
            _ONE_AT_A_TIME,
            one_blas_thread(),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            transformation = BIFT(some.q_per_nm, some.intensity, some.error)
            _search(transformation, guinier, points)
            best, evidence, _ = transformation.get_best()
            statistics = _sample(transformation, parameters.pr_samples, best.npt, seed)
    except (ValueError, ArithmeticError, RuntimeError, TypeError, IndexError) as error:
        raise _unfound(str(error)) from error
    numbers = (statistics.Dmax_avg, statistics.Rg_avg, evidence.chi2r)
    if not (np.isfinite(numbers).all() and np.isfinite(statistics.density_avg).all()):
        raise _unfound(f"the best model has χ² = {evidence.chi2r:.3g}")
    return PairDistances(
        r_nm=np.asarray(statistics.radius, dtype=np.float64),
        p=np.asarray(statistics.density_avg, dtype=np.float64),
        p_error=np.asarray(statistics.density_std, dtype=np.float64),
        q_per_nm=some.q_per_nm,
        intensity=_transformed(some.q_per_nm, statistics.radius, statistics.density_avg),
        dmax_nm=float(statistics.Dmax_avg),
        dmax_error_nm=float(statistics.Dmax_std),
        rg_nm=float(statistics.Rg_avg),
        rg_error_nm=float(statistics.Rg_std),
        i0=float(statistics.I0_avg),
        i0_error=float(statistics.I0_std),
        chi2=float(evidence.chi2r),
        evidence=float(evidence.evidence),
        alpha=float(best.alpha),
        seed=seed,
    )


def _fitted(curve: Curve, guinier: GuinierEstimate, parameters: PairParameters) -> Curve:
    """Give the points that p(r) is fitted to: none before the Guinier range, all with errors."""
    used = curve.error > 0
    used[: guinier.start] = False
    if parameters.pr_q_max_per_nm is not None:
        used &= curve.q_per_nm <= parameters.pr_q_max_per_nm
    if used.sum() < _FEWEST_POINTS:
        raise ReductionError(
            f"{int(used.sum())} points are too few for p(r), which needs {_FEWEST_POINTS}",
            next_step="use more bins, or a larger pr_q_max_per_nm",
        )
    return curve.at(used)


def _search(transformation: Any, guinier: GuinierEstimate, points: int) -> None:
    """Search the largest evidence, in the steps of `freesas.bift.auto_bift`."""
    from freesas.autorg import RG_RESULT
    from scipy.optimize import minimize

    known = RG_RESULT(
        guinier.rg_nm, guinier.rg_error_nm, guinier.i0, guinier.i0_error,
        0, guinier.stop - guinier.start, guinier.quality or 1.0, guinier.aggregated or 0.0,
    )  # fmt: skip
    dmax = transformation.set_Guinier(known, _DMAX_PER_RG)
    most = transformation.guess_alpha_max(points)
    key = transformation.grid_scan(dmax, dmax, 1, 1 / most, most, _SCAN, points)
    dmax, alpha = key[:2]
    key = transformation.grid_scan(
        max(dmax / 2, dmax * (_DMAX_PER_RG - 1) / _DMAX_PER_RG),
        dmax * (_DMAX_PER_RG + 1) / _DMAX_PER_RG,
        _SCAN, alpha, alpha, 1, points,
    )  # fmt: skip
    dmax, alpha = key[:2]
    wise = bool(transformation.evidence_cache[key].converged)
    if wise:
        transformation.update_wisdom()
    start = (dmax, math.log(alpha))
    minimize(transformation.opti_evidence, start, args=(points, wise), method="powell")


def _sample(transformation: Any, samples: int, points: int, seed: int) -> Any:
    before = np.random.get_state()  # noqa: NPY002 - the generator that freesas draws from
    np.random.seed(seed)  # noqa: NPY002
    try:
        return transformation.monte_carlo_sampling(samples, 3.0, points)
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _transformed(
    q_per_nm: NDArray[np.float64], r_nm: NDArray[np.float64], p: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give I(q) = 4π ∫ p(r) sin(qr)/(qr) dr, by the sum that freesas fits."""
    step = r_nm[-1] / (len(r_nm) - 1)
    kernel = np.sinc(np.outer(q_per_nm, r_nm / math.pi))
    # A sum in a fixed order: a product of matrices would depend on the library's threads.
    intensity: NDArray[np.float64] = 4 * math.pi * step * (kernel * p).sum(axis=1)
    return intensity


def _unfound(why: str) -> ReductionError:
    return ReductionError(
        f"no distribution of distances fits the curve: {why}",
        next_step="look at the curve, end it earlier with pr_q_max_per_nm, or leave p(r) out: "
        "-p pr=false",
    )
