"""Which part of a peak is one species: where frames are alike and the radius of gyration constant.

Peaks that overlap are told of and the part that is clean is taken; nothing is taken apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.reductions.biosaxs.choosing import spell_frames
from hsc.reductions.biosaxs.chromatogram import Chromatogram, Peak
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.elution import Elution
from hsc.reductions.biosaxs.runs import Run
from hsc.reductions.biosaxs.sharing import apart
from hsc.reductions.biosaxs.similarity import (
    LookedUp,
    SimilarityParameters,
    earliest_starts,
    find_similar,
)
from hsc.workers import Progress, Workers

_SIGNIFICANT = 3.0
_CUTS = 200


class PurityParameters(SimilarityParameters):
    """From when on peaks overlap, and a radius is constant."""

    sec_valley_share: float = Field(default=0.1, gt=0, lt=1)
    """Peaks overlap where the chromatogram between them stays above this share of the lower one's
    height."""
    sec_rg_tolerance: float = Field(default=0.03, gt=0)
    """The radius of gyration is constant over frames of a found peak whose straight line through it
    changes by at most this share of its mean, or by three standard deviations; and each frame's
    is as near to the mean."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How the radius of gyration changes over some frames, by a weighted straight line."""

    change_nm: float
    """From the first frame to the last, nm."""
    error_nm: float
    """One standard deviation of it."""
    mean_nm: float
    """Weighted mean, nm."""

    def changes(self, tolerance: float) -> bool:
        """Tell whether it changes by more than a share of its mean and than its noise."""
        limit = max(tolerance * self.mean_nm, _SIGNIFICANT * self.error_nm)
        return abs(self.change_nm) > limit


@dataclass(frozen=True, slots=True)
class Purity:
    """A peak as found, and its clean part."""

    used: Peak
    """The clean part; the whole peak where it is clean, or named, or has no radii."""
    valley_share: float
    """The higher of the valleys beside it over the lower of the two peaks; 0: it stands alone."""
    whole: Trend | None
    """Over all of the peak; None: too few frames have a radius."""
    clean: Trend | None
    """Over the clean part."""
    least_probability: float | None
    """Least probability that two frames of the whole peak show the same shape; None: not looked
    at."""
    remarks: tuple[str, ...]
    """What a person should know, in sentences."""


def trend_of(elution: Elution, start: int, stop: int, window: int) -> Trend | None:
    """Fit a straight line to the radius of gyration; None: fewer than three frames have one.

    Neighbours share frames of the window they are averaged over, so that errors are larger by its
    root than those of independent numbers.
    """
    frames = np.arange(start, stop)
    rg, error = elution.rg_nm[start:stop], elution.rg_error_nm[start:stop]
    good = np.isfinite(rg) & (error > 0)
    if good.sum() < 3:
        return None
    x, y, w = frames[good].astype(np.float64), rg[good], error[good] ** -2
    middle, mean = (w * x).sum() / w.sum(), (w * y).sum() / w.sum()
    spread = (w * (x - middle) ** 2).sum()
    slope = (w * (x - middle) * (y - mean)).sum() / spread
    length = x[-1] - x[0]
    return Trend(float(slope * length), float(length * np.sqrt(window / spread)), float(mean))


def purify(
    peak: Peak,
    run: Run,
    buffer: Curve,
    points: NDArray[np.int64],
    chromatogram: Chromatogram,
    elution: Elution,
    window: int,
    parameters: PurityParameters,
    workers: Workers,
    progress: Progress,
    factor: float = 1.0,
) -> tuple[Peak, float | None]:
    """Find the part of a peak that scatters most in all while it stays the same.

    Frames less buffer are brought to one height (weighted least squares against their mean) and
    compared as frames of a run are (`find_similar`): their shapes are to be alike. Of all blocks
    of frames that are, and whose radius is constant, that with the most scattering is taken; in
    peaks of more than 200 frames they are cut at every second frame, at every third ...

    Returns
    -------
    The part, and the least probability that two frames of the whole peak show the same shape.
    """
    frames = np.arange(peak.start, peak.stop)
    frames = frames[~chromatogram.lost[frames]]
    curves = _shapes(run, frames, buffer, points, factor)
    if len(frames) < 2 or curves.shape[1] == 0:
        return peak, None
    similar = find_similar(curves, parameters, workers, progress)
    starts = earliest_starts(
        LookedUp(similar.longest, similar.chance), similar.least_neighbours, similar.least_pairs
    )
    weight = np.concatenate([[0.0], np.cumsum(np.maximum(chromatogram.height[frames], 0))])
    best, most = (0, len(frames)), -1.0
    step = -(-len(frames) // _CUTS)
    for last in range(step - 1, len(frames), step):
        for first in range(-(-starts[last] // step) * step, last + 1, step):
            much = weight[last + 1] - weight[first]
            if much <= most:  # blocks that begin later hold less
                break
            if _constant(elution, frames[first], frames[last] + 1, window, parameters):
                best, most = (first, last + 1), much
                break
    start, stop = int(frames[best[0]]), int(frames[best[1] - 1]) + 1
    top = start + int(np.argmax(chromatogram.height[start:stop]))
    return Peak(top, start, stop), float(similar.chance[-1])


def judge(
    number: int,
    peaks: tuple[Peak, ...],
    used: Peak,
    least: float | None,
    chromatogram: Chromatogram,
    elution: Elution,
    window: int,
    parameters: PurityParameters,
) -> Purity:
    """Say how clean a peak is, counted from one."""
    peak = peaks[number - 1]
    whole = trend_of(elution, peak.start, peak.stop, window)
    clean = trend_of(elution, used.start, used.stop, window)
    said, valleys = [], [0.0]
    for other in (number - 1, number + 1):
        if not 1 <= other <= len(peaks):
            continue
        share = valley_share(peak, peaks[other - 1], chromatogram)
        valleys.append(share)
        if share > parameters.sec_valley_share:
            first, second = sorted((number, other))
            said.append(
                f"peaks {first} and {second} overlap: between them the chromatogram falls to "
                f"{share:.0%} of the lower one's height (limit {parameters.sec_valley_share:.0%})"
            )
    if whole is not None and whole.changes(parameters.sec_rg_tolerance):
        said.append(
            f"peak {number}: Rg changes by {whole.change_nm:+.2g} ± {whole.error_nm:.1g} nm over "
            f"frames {peak.start + 1}-{peak.stop}, around {whole.mean_nm:.3g} nm: there is more "
            "than one kind of particle, or the buffer does not match"
        )
    if (used.start, used.stop) != (peak.start, peak.stop):
        said.append(_left(number, peak, used, clean))
    return Purity(used, max(valleys), whole, clean, least, tuple(said))


def valley_share(one: Peak, other: Peak, chromatogram: Chromatogram) -> float:
    """Give the lowest height between two tops over the lower of them, at least 0."""
    first, last = sorted((one.top, other.top))
    height = chromatogram.height
    lower = min(height[first], height[last])
    return max(0.0, float(height[first : last + 1].min() / lower)) if lower > 0 else 0.0


def _left(number: int, peak: Peak, used: Peak, clean: Trend | None) -> str:
    kept = np.zeros(peak.stop, dtype=np.bool_)
    kept[used.start : used.stop] = True
    change = "" if clean is None else f" (change {clean.change_nm:+.2g} ± {clean.error_nm:.1g} nm)"
    outside = "" if used.start <= peak.top < used.stop else "; its top is not among them"
    return (
        f"peak {number}: of frames {peak.start + 1}-{peak.stop} only {spell_frames(kept)} are "
        f"averaged, where frames are alike and Rg is constant{change}{outside}"
    )


def _constant(
    elution: Elution, start: int, stop: int, window: int, parameters: PurityParameters
) -> bool:
    trend = trend_of(elution, start, stop, window)
    if trend is None:
        return True
    rg, error = elution.rg_nm[start:stop], elution.rg_error_nm[start:stop]
    limit = np.maximum(parameters.sec_rg_tolerance * trend.mean_nm, _SIGNIFICANT * error)
    near = ~(np.abs(rg - trend.mean_nm) > limit)  # frames without a radius say nothing
    return bool(near.all()) and not trend.changes(parameters.sec_rg_tolerance)


def _shapes(
    run: Run,
    frames: NDArray[np.int64],
    buffer: Curve,
    points: NDArray[np.int64],
    factor: float,
) -> NDArray[np.float64]:
    """Give frames less buffer, each brought to the height of their mean: (frames, points)."""
    sums = run.sums
    filled = np.all(sums.count[frames][:, points] > 0, axis=0)
    where = np.ix_(frames, points[filled])
    norm = sums.normalization[where] * (run.exposure_s or 1.0) / factor
    intensity = sums.signal[where] / norm
    variance = (sums.variance[where] / norm**2).mean(axis=0)
    behind = buffer.intensity[filled]
    curves = intensity - behind
    mean = curves.mean(axis=0)
    weight = np.where(variance > 0, 1 / np.where(variance > 0, variance, 1), 0)
    square = float((weight * mean**2).sum())
    if square > 0:
        heights = (curves * (weight * mean)).sum(axis=1) / square
        curves = curves / np.where(heights > 0, heights, 1.0)[:, np.newaxis]
    return apart(curves, points[filled], run.reach)
