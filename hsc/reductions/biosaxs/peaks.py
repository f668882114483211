"""The peaks of an elution: found, and followed through the chain one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ReductionError
from hsc.reductions.biosaxs.absolute import AbsoluteScale
from hsc.reductions.biosaxs.chain import Chain, follow
from hsc.reductions.biosaxs.choosing import spell_frames
from hsc.reductions.biosaxs.chromatogram import (
    Chromatogram,
    ChromatogramParameters,
    Peak,
    chromatogram_of,
    find_buffer,
    find_peaks,
)
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.elution import Elution, ElutionParameters, follow_elution, steady
from hsc.reductions.biosaxs.measuring import MeasuringParameters
from hsc.reductions.biosaxs.runs import Run, averages
from hsc.workers import Progress, Workers


class SecParameters(MeasuringParameters, ChromatogramParameters, ElutionParameters):
    """Parameters of SEC-SAXS."""

    bins: int = Field(default=500, ge=1, le=1_000_000)
    """Number of radial bins, all equal."""


@dataclass(frozen=True, slots=True)
class ElutedPeak:
    """One peak of an elution with its chain."""

    found: Peak
    """The peak as found, or as named."""
    used: Peak
    """The frames that are averaged: without the rim where the radius of gyration changes."""
    chain: Chain
    """Averages, difference and analysis."""


@dataclass(frozen=True, slots=True)
class SecSaxs:
    """What an elution came to."""

    run: Run
    """All frames."""
    chromatogram: Chromatogram
    """How much each frame scatters."""
    buffer: tuple[Run, ...]
    """The buffer: frames of the elution, or runs of its own."""
    buffer_in_run: bool
    """Whether the buffer is frames of the elution."""
    elution: Elution
    """Numbers along the elution."""
    peaks: tuple[ElutedPeak, ...]
    """The peaks, in order of time; at least one."""
    failures: tuple[str, ...]
    """Peaks that gave no numbers, and why."""

    @property
    def main(self) -> ElutedPeak:
        """The peak whose sample scatters most forward."""
        return max(self.peaks, key=lambda peak: peak.chain.analysis.guinier.i0)


def follow_peaks(
    run: Run,
    buffer: tuple[Run, ...],
    parameters: SecParameters,
    scale: AbsoluteScale | None,
    workers: Workers,
    progress: Progress,
) -> SecSaxs:
    """Find buffer and peaks of an integrated elution, and follow the chain for each peak.

    Raises
    ------
    ReductionError
        No buffer or no peak is found, or none of the peaks allows a Guinier fit.
    """
    chromatogram = chromatogram_of(run, parameters)
    own = not buffer
    if own:
        kept = find_buffer(run, chromatogram, parameters, workers, progress)
        buffer = (replace(run, name="buffer", kept=kept),)
    peaks = find_peaks(chromatogram, parameters, run)
    edges = run.stack.binning.edges()
    factor = 1.0 if scale is None else scale.factor
    curve, points = _buffer_curve(buffer, edges, factor * parameters.buffer_scale)
    height = chromatogram.height
    wanted = height > parameters.sec_least_share * height.max()
    for peak in peaks:
        wanted[peak.start : peak.stop] = True
    elution = follow_elution(run, curve, points, wanted, parameters, workers, progress, factor)
    followed, failures = [], []
    for number, peak in enumerate(peaks, start=1):
        used = peak
        if parameters.sec_peaks is None:
            used = steady(peak, elution, parameters.sec_rg_tolerance)
        frames = np.zeros(run.frames, dtype=np.bool_)
        frames[used.start : used.stop] = True
        sample = replace(run, name=f"peak {number}", kept=frames)
        try:
            chain = follow((sample,), buffer, edges, parameters, scale)
        except ReductionError as error:
            failures.append(
                f"peak {number}, frames {spell_frames(frames)}, gives no numbers: {error.message}"
            )
            continue
        followed.append(ElutedPeak(peak, used, chain))
    if not followed:
        raise ReductionError("; ".join(failures), where=run.where, next_step="name other frames: "
                             "-p sec_peaks=800-860 -p sec_buffer=1-200")  # fmt: skip
    return SecSaxs(
        run, chromatogram, buffer, own, elution, tuple(followed), tuple(failures)
    )  # fmt: skip


def _buffer_curve(
    buffer: tuple[Run, ...], edges_per_nm: NDArray[np.float64], factor: float
) -> tuple[Curve, NDArray[np.int64]]:
    intensity, error = averages(buffer)
    points = np.flatnonzero(np.isfinite(intensity))
    middle = (edges_per_nm[:-1] + edges_per_nm[1:]) / 2
    curve = Curve(middle[points], intensity[points], error[points])
    return curve.times(factor), points
