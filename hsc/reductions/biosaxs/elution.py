"""Radius of gyration, forward scattering and mass along an elution, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ReductionError
from hsc.reductions.biosaxs.choosing import OddFrames
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.estimates import estimate_of_fit
from hsc.reductions.biosaxs.guinier import GuinierParameters, fit_guinier
from hsc.reductions.biosaxs.invariants import MassParameters, invariants_of
from hsc.reductions.biosaxs.runs import Run
from hsc.workers import Progress, Workers

_FRAMES_PER_TASK = 64


class ElutionParameters(GuinierParameters, MassParameters):
    """What is followed along an elution."""

    sec_window_frames: OddFrames = Field(default=5, ge=1)
    """Frames that are averaged for each number along the elution; odd."""
    sec_least_share: float = Field(default=0.1, gt=0, lt=1)
    """Numbers are sought where the chromatogram is above this share of its highest peak."""


@dataclass(frozen=True, slots=True)
class Elution:
    """Numbers along an elution; NaN where there are none."""

    rg_nm: NDArray[np.float64]
    """Radius of gyration, nm, by the closed-form Guinier fit, shape (frames,)."""
    rg_error_nm: NDArray[np.float64]
    """One standard deviation of it."""
    i0: NDArray[np.float64]
    """Intensity at q = 0."""
    i0_error: NDArray[np.float64]
    """One standard deviation of it."""
    mass_kda: NDArray[np.float64]
    """Molecular mass from the volume of correlation, kDa."""


@dataclass(frozen=True, slots=True)
class _Task:
    curves: tuple[Curve, ...]
    parameters: ElutionParameters


def follow_elution(
    run: Run,
    buffer: Curve,
    points: NDArray[np.int64],
    frames: NDArray[np.bool_],
    lost: NDArray[np.bool_],
    parameters: ElutionParameters,
    workers: Workers,
    progress: Progress,
    factor: float = 1.0,
) -> Elution:
    """Fit the Guinier law to each frame of an elution, averaged with its neighbours.

    Parameters
    ----------
    run
        The elution.
    buffer
        Average of the buffer, on the scale that is wanted.
    points
        Bins of the buffer's points.
    frames
        Frames to look at, shape (frames,).
    lost
        Frames that are in no average, shape (frames,).
    parameters
        How.
    workers, progress
        What does it, and who hears of it.
    factor
        Of the absolute scale; 1: there is none.
    """
    wanted = np.flatnonzero(frames & ~lost)
    reach = parameters.sec_window_frames // 2
    tasks = []
    for start in range(0, len(wanted), _FRAMES_PER_TASK):
        some = wanted[start : start + _FRAMES_PER_TASK]
        curves = tuple(
            _around(run, _beside(frame, reach, lost), buffer, points, factor) for frame in some
        )
        tasks.append(_Task(curves, parameters))
    progress.start("fit", len(wanted), "frames")
    weights = [len(task.curves) for task in tasks]
    parts = workers.map(_fit_task, tasks, progress=progress, weights=weights)
    progress.finish()
    table = np.full((run.frames, 5), np.nan)
    if parts:
        table[wanted] = np.concatenate(parts)
    return Elution(*(np.ascontiguousarray(column) for column in table.T))


def _beside(frame: int, reach: int, lost: NDArray[np.bool_]) -> NDArray[np.int64]:
    start = max(0, frame - reach)
    return start + np.flatnonzero(~lost[start : frame + reach + 1])


def _around(
    run: Run, part: NDArray[np.int64], buffer: Curve, points: NDArray[np.int64], factor: float
) -> Curve:
    """Average frames, and subtract the buffer."""
    where = np.ix_(part, points)
    signal = run.sums.signal[where].sum(axis=0).astype(np.float64)
    variance = run.sums.variance[where].sum(axis=0).astype(np.float64)
    norm = run.sums.normalization[where].sum(axis=0) * (run.exposure_s or 1.0) / factor
    filled = norm > 0
    safe = np.where(filled, norm, 1.0)
    intensity = signal / safe - buffer.intensity
    error = np.hypot(np.sqrt(variance) / safe, buffer.error)
    return Curve(buffer.q_per_nm, intensity, error).at(filled)


def _fit_task(task: _Task) -> NDArray[np.float64]:
    return np.array([_numbers(curve, task.parameters) for curve in task.curves])


def _numbers(
    curve: Curve, parameters: ElutionParameters
) -> tuple[float, float, float, float, float]:
    """Give Rg, its error, I0, its error and mass; NaN where the curve has none: an answer here."""
    try:
        fit = fit_guinier(curve, parameters)
    except ReductionError:
        return (np.nan,) * 5
    with np.errstate(all="ignore"):
        found = invariants_of(curve, estimate_of_fit(fit), parameters)
    kda = np.nan if found.qr_nm3 is None else found.qr_nm3 / 0.1231
    return fit.rg_nm, fit.rg_error_nm, fit.i0, fit.i0_error, kda
