"""The peaks of an elution: found, and followed through the chain one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ReductionError
from hsc.reductions.biosaxs.absolute import AbsoluteScale
from hsc.reductions.biosaxs.chain import Chain, follow, misfits
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
from hsc.reductions.biosaxs.elution import Elution, ElutionParameters, follow_elution
from hsc.reductions.biosaxs.measuring import MeasuringParameters
from hsc.reductions.biosaxs.purity import Purity, PurityParameters, judge, purify
from hsc.reductions.biosaxs.remarks import elution_remarks, level_remarks
from hsc.reductions.biosaxs.runs import Run, averages
from hsc.workers import Progress, Workers


class SecParameters(
    MeasuringParameters, ChromatogramParameters, ElutionParameters, PurityParameters
):
    """Parameters of SEC-SAXS."""

    bins: int = Field(default=500, ge=1, le=1_000_000)
    """Number of radial bins, all equal."""


@dataclass(frozen=True, slots=True)
class ElutedPeak:
    """One peak of an elution with its chain."""

    found: Peak
    """The peak as found, or as named."""
    purity: Purity
    """How clean it is, and which part of it is averaged."""
    chain: Chain
    """Averages, difference and analysis."""
    doubts: tuple[str, ...] = ()
    """Why its numbers are not to be trusted as they stand, in sentences; they are among the
    chain's warnings. Errors of the counts hold nothing of this."""

    @property
    def used(self) -> Peak:
        """The part that is averaged."""
        return self.purity.used


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
    beam: tuple[str, ...] = (),
) -> SecSaxs:
    """Find buffer and peaks of an integrated elution, and follow the chain for each peak.

    What is to be known of the beam is told with each of them.

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
    wanted = _wanted(chromatogram, peaks, parameters.sec_least_share)
    named = parameters.sec_peaks is not None
    lost = chromatogram.lost & (not named)
    elution = follow_elution(
        run, curve, points, wanted, lost, parameters, workers, progress, factor
    )
    window = parameters.sec_window_frames
    levels = tuple(level_remarks(run, chromatogram, buffer[0], peaks)) if own else ()
    remarks = (*elution_remarks(chromatogram, buffer, parameters), *levels, *beam)
    followed: list[ElutedPeak] = []
    failures: list[str] = []
    for number, peak in enumerate(peaks, start=1):
        used, least = (peak, None) if named else purify(
            peak, run, curve, points, chromatogram, elution, window, parameters, workers,
            progress, factor,
        )  # fmt: skip
        purity = judge(number, peaks, used, least, chromatogram, elution, window, parameters)
        kept = ~lost
        kept[: used.start], kept[used.stop :] = False, False
        sample = replace(run, name=f"peak {number}", kept=kept)
        said = (*purity.remarks, *remarks)
        try:
            chain = follow((sample,), buffer, edges, parameters, scale, said)
            doubts = (*purity.remarks, *levels, *misfits(chain.analysis))
            followed.append(ElutedPeak(peak, purity, chain, doubts))
        except ReductionError as error:
            failures.append(
                f"peak {number}, frames {spell_frames(kept)}, gives no numbers: {error.message}"
            )
    if not followed:
        raise _fruitless(run, failures)
    return SecSaxs(run, chromatogram, buffer, own, elution, tuple(followed), tuple(failures))


def _fruitless(run: Run, failures: list[str]) -> ReductionError:
    return ReductionError(
        "; ".join(failures), where=run.where,
        next_step="name other frames: -p sec_peaks=800-860 -p sec_buffer=1-200",
    )  # fmt: skip


def _wanted(
    chromatogram: Chromatogram, peaks: tuple[Peak, ...], least_share: float
) -> NDArray[np.bool_]:
    """Mark frames whose numbers along the elution are looked for."""
    height = chromatogram.height
    wanted: NDArray[np.bool_] = height > least_share * height.max()
    for peak in peaks:
        wanted[peak.start : peak.stop] = True
    return wanted


def _buffer_curve(
    buffer: tuple[Run, ...], edges_per_nm: NDArray[np.float64], factor: float
) -> tuple[Curve, NDArray[np.int64]]:
    intensity, error = averages(buffer)
    points = np.flatnonzero(np.isfinite(intensity))
    middle = (edges_per_nm[:-1] + edges_per_nm[1:]) / 2
    curve = Curve(middle[points], intensity[points], error[points])
    return curve.times(factor), points
