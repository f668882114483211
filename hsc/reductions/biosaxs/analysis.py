"""From one curve to what a paper tells of it: radius of gyration, volumes, masses, p(r)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hsc.errors import ReductionError
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.estimates import (
    EstimateParameters,
    GuinierEstimate,
    GuinierEstimates,
    estimate_guinier,
)
from hsc.reductions.biosaxs.guinier import GuinierFit
from hsc.reductions.biosaxs.invariants import (
    Invariants,
    Kratky,
    Mass,
    MassParameters,
    contrast_cm_per_g,
    invariants_of,
    kratky_of,
    masses_of,
)
from hsc.reductions.biosaxs.pairs import PairDistances, PairParameters, find_pairs
from hsc.reductions.biosaxs.steps import Step


class AnalysisParameters(EstimateParameters, MassParameters, PairParameters):
    """How a curve is analysed."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one curve of a solution, its buffer subtracted, tells of the particle."""

    curve: Curve
    """The curve, q in 1/nm."""
    intensity_unit: str
    """``arbitrary``, or ``1/cm`` on the absolute scale."""
    guinier: GuinierEstimate
    """The radius of gyration and I0 that count."""
    fit: GuinierFit | None
    """The closed-form fit with its points; None: it failed, and another estimate counts."""
    estimates: tuple[GuinierEstimate, ...]
    """All estimates, in the order closed_form, autorg, auto_guinier, auto_gpa."""
    kratky: Kratky
    """The dimensionless Kratky plot."""
    invariants: Invariants
    """Porod volume, volume of correlation, Qr."""
    masses: tuple[Mass, ...]
    """Molecular mass in as many ways as the curve allows."""
    pairs: PairDistances | None
    """p(r); None: not wanted, or ``failures`` tells why there is none."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """What gave nothing (an estimate's name, or ``pr``) to why."""
    steps: tuple[Step, ...] = ()
    """What was done, in order."""

    def mass_kda(self, method: str) -> float | None:
        """Give the molecular mass by one of the ways, kDa; None: the curve does not allow it."""
        found = [one.kda for one in self.masses if one.method == method]
        return found[0] if found else None


def analyse(
    curve: Curve,
    parameters: AnalysisParameters | None = None,
    intensity_unit: str = "arbitrary",
    scale_error: float = 0.0,
) -> Analysis:
    """Analyse a curve of which the buffer is subtracted.

    Parameters
    ----------
    curve
        Intensity over q in 1/nm, ascending; errors are standard deviations. A file in 1/angstrom
        has to be multiplied by ten first, or masses and volumes are wrong by powers of ten.
    parameters
        How; None: the defaults.
    intensity_unit
        ``1/cm`` when the curve is on the absolute scale.
    scale_error
        Relative standard deviation of that scale, which all points share.

    Raises
    ------
    ReductionError
        The columns are no curve, or the Guinier estimate that counts fails.

    Examples
    --------
    >>> q = np.linspace(0.05, 2.0, 200)
    >>> curve = Curve(q, np.exp(-(2.5 * q) ** 2 / 3), np.full(200, 1e-3))
    >>> found = analyse(curve, AnalysisParameters(pr=False))
    >>> f"{found.guinier.rg_nm:.3f} nm, {found.guinier.i0:.3f}"
    '2.500 nm, 1.000'
    """
    parameters = parameters or AnalysisParameters()
    _check(curve)
    estimates = estimate_guinier(curve, parameters)
    chosen = estimates.chosen
    invariants = invariants_of(curve, chosen, parameters)
    masses = masses_of(chosen, invariants, parameters, intensity_unit, scale_error)
    failures = dict(estimates.failures)
    pairs: PairDistances | None = None
    if parameters.pr:
        try:
            pairs = find_pairs(curve, chosen, parameters)
        except ReductionError as error:
            failures["pr"] = error.message
    return Analysis(
        curve=curve,
        intensity_unit=intensity_unit,
        guinier=chosen,
        fit=estimates.fit,
        estimates=estimates.every,
        kratky=kratky_of(curve, chosen),
        invariants=invariants,
        masses=masses,
        pairs=pairs,
        failures=failures,
        steps=_steps(estimates, invariants, masses, pairs, failures, parameters),
    )


def _check(curve: Curve) -> None:
    lengths = {curve.q_per_nm.shape, curve.intensity.shape, curve.error.shape}
    if len(lengths) != 1 or curve.q_per_nm.ndim != 1:
        raise ReductionError(
            f"q, intensity and error of shapes {', '.join(map(str, sorted(lengths)))}; three "
            "columns of one length are needed"
        )
    if not np.isfinite(curve.columns()).all():
        bad = int((~np.isfinite(curve.columns()).all(axis=1)).sum())
        raise ReductionError(
            f"{bad} of {len(curve.q_per_nm)} points are not finite", next_step="leave them out"
        )
    if not (np.diff(curve.q_per_nm) > 0).all():
        raise ReductionError("q does not ascend", next_step="sort the points by q")


def _steps(
    estimates: GuinierEstimates,
    invariants: Invariants,
    masses: tuple[Mass, ...],
    pairs: PairDistances | None,
    failures: Mapping[str, str],
    parameters: AnalysisParameters,
) -> tuple[Step, ...]:
    chosen = estimates.chosen
    steps = [
        Step(
            "guinier", "Guinier fit",
            "ln I = ln I0 - Rg² q² / 3 in four ways, of which one counts",
            {"method": chosen.method, "rg_nm": chosen.rg_nm, "rg_error_nm": chosen.rg_error_nm,
             "i0": chosen.i0, "i0_error": chosen.i0_error, "q_min_per_nm": chosen.q_min_per_nm,
             "q_max_per_nm": chosen.q_max_per_nm, "points": chosen.stop - chosen.start},
        ),
        Step("kratky", "Kratky plot", "x = q Rg, y = x² I / I0"),
        Step(
            "invariants", "Porod volume and volume of correlation",
            "V = 2π² I0 / ∫q²I dq, Vc = I0 / ∫qI dq, Qr = Vc² / Rg, by the Guinier law below its "
            "range",
            {"porod_q_max_per_nm": invariants.porod_q_max_per_nm,
             **({} if invariants.porod_volume_nm3 is None else {
                 "porod_volume_nm3": invariants.porod_volume_nm3}),
             **({} if invariants.vc_nm2 is None else {
                 "vc_nm2": invariants.vc_nm2, "qr_nm3": invariants.qr_nm3 or 0.0,
                 "vc_q_max_per_nm": invariants.vc_q_max_per_nm})},
            program="freesas",
        ),
        Step(
            "mass", "molecular mass", "from Qr, from the Porod volume, from I0 in 1/cm",
            {**{f"{one.method}_kda": one.kda for one in masses},
             "contrast_cm_per_g": contrast_cm_per_g(parameters)},
        ),
    ]  # fmt: skip
    if pairs is not None:
        steps.append(
            Step(
                "pr", "p(r)", "Bayesian indirect Fourier transformation (Hansen 2000)",
                {"dmax_nm": pairs.dmax_nm, "dmax_error_nm": pairs.dmax_error_nm,
                 "rg_nm": pairs.rg_nm, "i0": pairs.i0, "chi2": pairs.chi2,
                 "evidence": pairs.evidence, "alpha": pairs.alpha, "seed": pairs.seed,
                 "samples": parameters.pr_samples},
                program="freesas",
            )
        )  # fmt: skip
    elif "pr" in failures:
        steps.append(Step("pr", "p(r)", f"gave nothing: {failures['pr']}", program="freesas"))
    return tuple(steps)
