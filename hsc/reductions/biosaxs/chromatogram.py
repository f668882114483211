"""The chromatogram of an elution: how much each frame scatters, its baseline and its peaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ReductionError
from hsc.reductions.biosaxs.choosing import FrameRanges, OddFrames, frame_ranges, named_frames
from hsc.reductions.biosaxs.losses import lost_frames
from hsc.reductions.biosaxs.runs import Run
from hsc.reductions.biosaxs.sharing import apart
from hsc.reductions.biosaxs.similarity import SimilarityParameters, find_similar
from hsc.workers import Progress, Workers

_LOW_SHARE = 0.25
_DEVIATIONS = 4.0
_FLAT = 0.01
_MAD_TO_SIGMA = 1.4826
_MEDIAN_LOSS = 1.2533
_CLEAR = 2.0


class ChromatogramParameters(SimilarityParameters):
    """How buffer and peaks are found in an elution."""

    sec_buffer: FrameRanges | None = None
    """Frames of the buffer by number, counted from one, as in ``1-200``; None: found."""
    sec_peaks: FrameRanges | None = None
    """Frames of each peak by number, one range for each, as in ``800-860,1100-1150``; None:
    found."""
    sec_smoothing_frames: OddFrames = Field(default=11, ge=1)
    """Frames of the running median that peaks and baseline are sought in; odd."""
    sec_buffer_least_frames: int = Field(default=20, ge=3)
    """Fewest frames of a buffer that is found."""
    sec_peak_prominence: float = Field(default=0.05, gt=0, le=1)
    """Least prominence of a peak that is found, as a share of the highest one's height."""
    sec_peak_least_frames: int = Field(default=10, ge=1)
    """Least width of a peak that is found, at half of its prominence, in frames."""
    sec_peak_share: float = Field(default=0.5, gt=0, lt=1)
    """A peak's frames reach on either side down to this share of its height above the lowest frame
    there, before the next peak's top."""


@dataclass(frozen=True, slots=True)
class Peak:
    """A peak of a chromatogram."""

    top: int
    """Frame of the highest smoothed intensity, counted from zero."""
    start: int
    """First frame."""
    stop: int
    """One past the last frame."""


@dataclass(frozen=True, slots=True)
class Chromatogram:
    """How much each frame scatters."""

    intensity: NDArray[np.float64]
    """Mean of I over the bins that all frames have, shape (frames,)."""
    error: NDArray[np.float64]
    """One standard deviation of it."""
    smoothed: NDArray[np.float64]
    """Its running median."""
    baseline: float
    """Level of the buffer."""
    tolerance: float
    """How far smoothed values of buffer lie from it at most."""
    lost: NDArray[np.bool_]
    """Frames that leap away from those around them, as where the beam was lost; in no average
    unless they are named."""

    @property
    def height(self) -> NDArray[np.float64]:
        """Smoothed intensity above the baseline."""
        return self.smoothed - self.baseline


def chromatogram_of(run: Run, parameters: ChromatogramParameters) -> Chromatogram:
    """Give the chromatogram of an elution.

    The baseline is the median of the lowest quarter of the smoothed intensities: an elution shows
    buffer for at least that long.

    Raises
    ------
    ReductionError
        No bin of q has good pixels in every frame.
    """
    # scipy takes a tenth of a second to import.
    from scipy.ndimage import median_filter

    intensity, error, filled = run.intensities()
    if not filled.any():
        raise ReductionError(
            "no bin of q has good pixels in every frame", where=run.where,
            next_step="use fewer bins, or check the masks",
        )  # fmt: skip
    total = intensity[:, filled].mean(axis=1)
    spread = np.sqrt((error[:, filled] ** 2).sum(axis=1)) / filled.sum()
    window = parameters.sec_smoothing_frames
    # "nearest" would repeat the frames at the ends until one that was lost is its own median.
    smoothed = median_filter(total, size=window, mode="mirror")
    low = np.sort(smoothed)[: max(1, round(_LOW_SHARE * len(smoothed)))]
    baseline = float(np.median(low))
    noise = _MAD_TO_SIGMA * float(np.median(np.abs(total - smoothed)))
    tolerance = max(
        _DEVIATIONS * noise * _MEDIAN_LOSS / np.sqrt(window),
        _FLAT * float(smoothed.max() - baseline),
    )
    lost = lost_frames(total, spread, smoothed)
    return Chromatogram(total, spread, smoothed, baseline, tolerance, lost)


def find_buffer(
    run: Run,
    chromatogram: Chromatogram,
    parameters: ChromatogramParameters,
    workers: Workers,
    progress: Progress,
) -> NDArray[np.bool_]:
    """Mark the frames that show buffer.

    Found, they are the longest stretch on the baseline, without the smoothing window next to a
    peak, and in it the longest block of frames that a correlation map finds alike.

    Raises
    ------
    ReductionError
        There is no such stretch, or too few frames of it are alike.
    ParameterError
        A frame is named that is not there.
    """
    if parameters.sec_buffer is not None:
        return named_frames(parameters.sec_buffer, run.frames, run.where)
    flat = np.abs(chromatogram.height) <= chromatogram.tolerance
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat.astype(np.int8), [0]])))
    stretches = edges.reshape(-1, 2)
    lengths = stretches[:, 1] - stretches[:, 0] if len(stretches) else np.zeros(1, dtype=int)
    least = parameters.sec_buffer_least_frames
    if lengths.max() < least:
        raise ReductionError(
            f"no {least} frames in a row lie on the baseline of the chromatogram; the longest "
            f"stretch has {int(lengths.max())}",
            where=run.where,
            next_step="name the buffer's frames: -p sec_buffer=1-200, or give a run of buffer: "
            "buffer=PID",
        )
    start, stop = stretches[int(np.argmax(lengths))]
    # The feet of a peak are within the tolerance.
    margin = min(parameters.sec_smoothing_frames, int(stop - start - least) // 2)
    start, stop = (start + margin if start else 0), (stop - margin if stop < run.frames else stop)
    frames = start + np.flatnonzero(~chromatogram.lost[start:stop])
    intensity, _, filled = run.intensities()
    curves = apart(intensity[frames][:, filled], np.flatnonzero(filled), run.reach)
    similar = find_similar(curves, parameters, workers, progress)
    if similar.stop - similar.start < least:
        raise ReductionError(
            f"frames {start + 1}-{stop} lie on the baseline of the chromatogram, but no more than "
            f"{similar.stop - similar.start} of them in a row are alike, and {least} are asked for",
            where=run.where,
            next_step="look whether they drift; name the buffer's frames: -p sec_buffer=1-200, "
            "ask for fewer: -p sec_buffer_least_frames=..., or give a run of buffer: buffer=PID",
        )
    kept = np.zeros(run.frames, dtype=np.bool_)
    kept[frames[similar.start : similar.stop]] = True
    return kept


def find_peaks(
    chromatogram: Chromatogram, parameters: ChromatogramParameters, run: Run
) -> tuple[Peak, ...]:
    """Find the peaks, or take those that are named.

    Raises
    ------
    ReductionError
        There is none.
    ParameterError
        A frame is named that is not there.
    """
    # scipy takes a tenth of a second to import.
    from scipy import signal

    height = chromatogram.height
    if parameters.sec_peaks is not None:
        named_frames(parameters.sec_peaks, run.frames, run.where)
        return tuple(
            Peak(start + int(np.argmax(height[start:stop])), start, stop)
            for start, stop in frame_ranges(parameters.sec_peaks)
        )
    least = max(
        parameters.sec_peak_prominence * float(height.max()),
        _CLEAR * chromatogram.tolerance,
    )
    # A maximum at the rim is none for scipy: the padding lets an elution begin or end in one.
    padded = np.concatenate([[height.min()], height, [height.min()]])
    tops, _ = signal.find_peaks(padded, prominence=least, width=parameters.sec_peak_least_frames)
    if not len(tops):
        raise ReductionError(
            f"no peak rises {least:.3g} above the chromatogram's baseline over "
            f"{parameters.sec_peak_least_frames} frames",
            where=run.where,
            next_step="name the peaks' frames: -p sec_peaks=800-860,1100-1150",
        )
    found = _parted([int(top) - 1 for top in tops], height, least)
    rims = [-1, *found, run.frames]
    share = parameters.sec_peak_share
    return tuple(
        Peak(
            top,
            top - _reach(height[before + 1 : top + 1][::-1], share) + 1,
            top + _reach(height[top:after], share),
        )
        for before, top, after in zip(rims, rims[1:], rims[2:], strict=False)
    )


def _parted(tops: list[int], height: NDArray[np.float64], least: float) -> list[int]:
    """Leave one top of those that no valley parts: scipy counts tops of one height each."""
    kept: list[int] = []
    for top in tops:
        if kept and height[kept[-1] : top + 1].min() > min(height[kept[-1]], height[top]) - least:
            kept[-1] = max(kept[-1], top, key=lambda one: height[one])
        else:
            kept.append(top)
    return kept


def _reach(height: NDArray[np.float64], share: float) -> int:
    """Give how many frames, from a top on, are above a share of its height over the lowest one."""
    level = height.min() + share * (height[0] - height.min())
    below = np.flatnonzero(height < level)
    return int(below[0]) if len(below) else len(height)
