"""Radius of gyration by several ways: freesas' three automatic ones beside the closed form."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ReductionError
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.guinier import GuinierFit, GuinierParameters, fit_guinier

GuinierMethod = Literal["closed_form", "autorg", "auto_guinier", "auto_gpa"]

_OF_CLOSED_FORM = 0.5
# What freesas raises when a curve has no Guinier region: its own errors are plain Exceptions.
_REFUSALS = (IndexError, ValueError, RuntimeError, ZeroDivisionError, ArithmeticError, TypeError)


class EstimateParameters(GuinierParameters):
    """Which of the estimates counts."""

    guinier_method: GuinierMethod = "closed_form"
    """The estimate that everything after it takes: ``closed_form`` is the weighted fit that the
    guinier parameters steer, the others are freesas' and choose their range by themselves."""
    guinier_rg_min_nm: float = Field(default=0.5, gt=0)
    """Smallest radius of gyration that ``auto_guinier`` and ``auto_gpa`` look for, nm; where the
    closed form found one, ``auto_guinier`` looks from half of that on."""


@dataclass(frozen=True, slots=True)
class GuinierEstimate:
    """Radius of gyration and forward scattering, one way."""

    method: str
    """``closed_form``, ``autorg``, ``auto_guinier`` or ``auto_gpa``."""
    rg_nm: float
    """Radius of gyration, nm."""
    rg_error_nm: float
    """One standard deviation of it as the method states it."""
    i0: float
    """Intensity at q = 0, in the curve's unit."""
    i0_error: float
    """One standard deviation of it as the method states it."""
    start: int
    """First point of the curve in the range."""
    stop: int
    """One past the last point."""
    q_min_per_nm: float
    """First q of the range."""
    q_max_per_nm: float
    """Last q of the range."""
    quality: float | None
    """The method's own mark from 0 to 1; None: it gives none."""
    aggregated: float | None
    """freesas' measure of curvature at small q; None: the method has none. Above 0.1 points to
    aggregation. That of ``auto_gpa`` is not to be relied on."""

    @property
    def qrg_min(self) -> float:
        """The smallest q·Rg in the range."""
        return self.q_min_per_nm * self.rg_nm

    @property
    def qrg_max(self) -> float:
        """The largest q·Rg in the range."""
        return self.q_max_per_nm * self.rg_nm


@dataclass(frozen=True, slots=True)
class GuinierEstimates:
    """All estimates of one curve."""

    chosen: GuinierEstimate
    """The one that counts."""
    fit: GuinierFit | None
    """The closed form with its points; None: it failed, and another was asked for."""
    every: tuple[GuinierEstimate, ...]
    """All that succeeded, the chosen one among them."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Method to why it gave nothing."""


def estimate_guinier(curve: Curve, parameters: EstimateParameters) -> GuinierEstimates:
    """Estimate radius of gyration and forward scattering in four ways.

    ``autorg`` follows the program of that name in ATSAS, ``auto_guinier`` averages over all fits
    in a range, ``auto_gpa`` fits the peak of q·I (C. D. Putnam, J. Appl. Cryst. 49 (2016) 1412);
    all three are freesas'. ``closed_form`` is `fit_guinier`.

    Raises
    ------
    ReductionError
        The way that counts gives nothing; the message names the ways that do.
    """
    found: dict[str, GuinierEstimate] = {}
    failures: dict[str, str] = {}
    fit: GuinierFit | None = None
    refused: ReductionError | None = None
    try:
        fit = fit_guinier(curve, parameters)
        found["closed_form"] = estimate_of_fit(fit)
    except ReductionError as error:
        failures["closed_form"] = error.message
        refused = error
    for name in get_args(GuinierMethod)[1:]:
        least = parameters.guinier_rg_min_nm
        if name == "auto_guinier" and fit is not None:
            # It fits every range up to 1.3 / Rg_min: their number grows with its square.
            least = max(least, _OF_CLOSED_FORM * fit.rg_nm)
        result = _by_freesas(name, curve, least)
        if isinstance(result, str):
            failures[name] = result
        else:
            found[name] = result
    if parameters.guinier_method not in found:
        raise _unfound(parameters.guinier_method, found, failures, refused)
    return GuinierEstimates(found[parameters.guinier_method], fit, tuple(found.values()), failures)


def _unfound(
    method: str,
    found: Mapping[str, GuinierEstimate],
    failures: Mapping[str, str],
    refused: ReductionError | None,
) -> ReductionError:
    others = ", ".join(f"{one.method} {one.rg_nm:.3g} nm" for one in found.values())
    if method == "closed_form" and refused is not None:
        said, next_step = refused.message, refused.next_step
    else:
        said, next_step = f"{method} finds no radius of gyration: {failures[method]}", ""
    if others:
        advice = f"look at the curve; other ways found {others}: -p guinier_method=NAME takes one"
        next_step = f"{next_step}; or {advice}" if next_step else advice
    return ReductionError(said, next_step=next_step)


def estimate_of_fit(fit: GuinierFit) -> GuinierEstimate:
    """Give the closed-form fit as one of the estimates."""
    used = np.flatnonzero(fit.used)
    return GuinierEstimate(
        method="closed_form",
        rg_nm=fit.rg_nm,
        rg_error_nm=fit.rg_error_nm,
        i0=fit.i0,
        i0_error=fit.i0_error,
        start=int(used[0]),
        stop=int(used[-1]) + 1,
        q_min_per_nm=fit.q_min_per_nm,
        q_max_per_nm=fit.q_max_per_nm,
        quality=None,
        aggregated=None,
    )


def _by_freesas(name: str, curve: Curve, rg_min_nm: float) -> GuinierEstimate | str:
    """Give the estimate, or why there is none."""
    # freesas takes a tenth of a second to import, and is no part of a laptop's installation.
    from freesas import autorg

    # What it could not do is told as the reason that there is no estimate.
    logging.getLogger("freesas").setLevel(logging.CRITICAL)
    columns = curve.columns()
    # Both look for the first q beyond 1.3 / Rg_min and fail without one.
    smallest = max(rg_min_nm, 1.31 / float(curve.q_per_nm[-1]))
    ways: dict[str, Callable[[NDArray[np.float64]], Any]] = {
        "autorg": autorg.autoRg,
        "auto_guinier": lambda data: autorg.auto_guinier(data, Rg_min=smallest),
        "auto_gpa": lambda data: autorg.auto_gpa(data, Rg_min=smallest),
    }
    refusals = (*_REFUSALS, autorg.NoGuinierRegionError, autorg.InsufficientDataError)
    try:
        # Points below zero have no logarithm; freesas drops them after having tried.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = ways[name](columns)
    except refusals as error:
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    numbers = (result.Rg, result.sigma_Rg, result.I0, result.sigma_I0)
    if not (np.isfinite(numbers).all() and result.Rg > 0 and result.I0 > 0):
        return "no Guinier region found"
    # Of autorg the last point of its line is told, of the others one past it.
    start, stop = int(result.start_point), int(result.end_point) + (name == "autorg")
    if not 0 <= start < stop <= len(curve.q_per_nm):
        return f"a range of points from {start} to {stop} of {len(curve.q_per_nm)}"
    return GuinierEstimate(
        method=name,
        rg_nm=float(result.Rg),
        rg_error_nm=float(result.sigma_Rg),
        i0=float(result.I0),
        i0_error=float(result.sigma_I0),
        start=start,
        stop=stop,
        q_min_per_nm=float(curve.q_per_nm[start]),
        q_max_per_nm=float(curve.q_per_nm[stop - 1]),
        quality=float(result.quality) if np.isfinite(result.quality) else None,
        aggregated=float(result.aggregated) if np.isfinite(result.aggregated) else None,
    )
