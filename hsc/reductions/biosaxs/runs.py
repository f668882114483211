"""Runs of frames of one kind, sample or buffer: integrated, compared, and averaged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError, ReductionError
from hsc.model import Record
from hsc.reductions.azimuthal.integration import integrate
from hsc.reductions.azimuthal.stack import Stack
from hsc.reductions.azimuthal.sums import FrameSums
from hsc.reductions.base import SourceDataset
from hsc.reductions.biosaxs.choosing import FrameChoice, named_frames, spell_frames
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.sharing import apart, bins_of_a_pixel
from hsc.reductions.biosaxs.similarity import Similarity, SimilarityParameters, find_similar
from hsc.reductions.numbers import Sought, find_optional_number
from hsc.workers import Progress, Workers


class RunParameters(SimilarityParameters):
    """Which frames of a run are averaged."""

    frames_kept: FrameChoice = "similar"
    """Which frames of a sample are averaged: ``all``, ``similar`` (the longest block of like
    ones), or by number, counted from one, as in ``1-100,120``."""
    buffer_frames_kept: FrameChoice = "similar"
    """Which frames of a buffer are averaged, likewise."""


class ExposureParameters(Record):
    """How long frames were exposed, where the datasets do not say."""

    sample_count_time_s: float | None = Field(default=None, gt=0)
    """Exposure of each sample frame, s; None: as the dataset says."""
    buffer_count_time_s: float | None = Field(default=None, gt=0)
    """Exposure of each buffer frame, s; None: as the dataset says."""


@dataclass(frozen=True, slots=True)
class Run:
    """One dataset's frames, integrated."""

    name: str
    """What it is, as in ``sample`` or ``buffer 2``."""
    where: str
    """PID of the dataset, for messages; it stands in no file."""
    title: str
    """The dataset's title, which names it where no PID may stand."""
    stack: Stack
    """Frames and binning."""
    sums: FrameSums
    """Sums for each frame and bin."""
    exposure_s: float | None
    """Exposure of each frame; None: unknown for all, or frames are divided by their monitor."""
    kept: NDArray[np.bool_]
    """Which frames are averaged, shape (frames,)."""
    similarity: Similarity | None
    """How alike the frames are; None: not looked at."""
    transmission: float | None = None
    """Mean share of the beam that passes, by which intensities are divided; None: they are not."""

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.kept)

    @property
    def reach(self) -> int:
        """Among how many bins a pixel may be split."""
        return bins_of_a_pixel(self.stack.binning)

    def intensities(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Give I and σ of each frame, (frames, bins), and which bins every frame has pixels in."""
        sums = self.sums
        filled: NDArray[np.bool_] = np.all(sums.count > 0, axis=0)
        norm = np.where(sums.count > 0, sums.normalization, np.nan) * (self.exposure_s or 1.0)
        intensity = sums.signal.astype(np.float64) / norm
        error = np.sqrt(sums.variance.astype(np.float64)) / norm
        return intensity, error, filled


@dataclass(frozen=True, slots=True)
class Side:
    """All runs of the sample, or of the buffer, and their average."""

    name: str
    """``sample`` or ``buffer``."""
    runs: tuple[Run, ...]
    """The runs, in the order that they were given."""
    curve: Curve
    """Average of all kept frames."""
    between: NDArray[np.float64] = field(default_factory=lambda: np.ones((1, 1)))
    """Probability that the averages of two runs show the same, shape (runs, runs)."""

    @property
    def frames(self) -> int:
        """Number of frames measured."""
        return sum(run.frames for run in self.runs)

    @property
    def frames_kept(self) -> int:
        """Number of frames averaged."""
        return int(sum(run.kept.sum() for run in self.runs))

    @property
    def exposure_s(self) -> float | None:
        """Exposure of all kept frames together; None: unknown."""
        times = [run.exposure_s for run in self.runs]
        if any(time is None for time in times):
            return None
        return float(sum((run.exposure_s or 0.0) * run.kept.sum() for run in self.runs))

    @property
    def transmission(self) -> float | None:
        """Mean transmission of the kept frames; None: intensities are not divided by it."""
        if any(run.transmission is None for run in self.runs):
            return None
        total = sum((run.transmission or 0.0) * run.kept.sum() for run in self.runs)
        return float(total / self.frames_kept)


def find_exposure(dataset: SourceDataset, parameter: str, given: float | None) -> float | None:
    """Find the exposure of a dataset's frames, s; None: unknown.

    Raises
    ------
    ParameterError
        It is not above zero, or in a unit that is no time.
    """
    value = find_optional_number(dataset, given, Sought(parameter, "count_time", "s", "time"))
    if value is not None and value <= 0:
        raise ParameterError(
            f"{parameter} is {value!r}, which is impossible",
            where=f"{dataset.record.pid}, role count_time",
            next_step=f"give it: -p {parameter}=...",
        )
    return value


def check_exposures(runs: list[tuple[str, str, float | None]]) -> None:
    """Refuse exposures that are known of some runs only: one alone would scale one curve only.

    Parameters
    ----------
    runs
        Name, PID and exposure of each.
    """
    lacking = [(name, where) for name, where, exposure in runs if exposure is None]
    if lacking and len(lacking) < len(runs):
        name, where = lacking[0]
        other = next(known for known, _, exposure in runs if exposure is not None)
        parameter = f"{name.split()[0].removesuffix('_empty')}_count_time_s"
        raise ParameterError(
            f"the exposure of the {name} frames is unknown, that of the {other} frames is known",
            where=where,
            next_step=f"give it: -p {parameter}=...",
        )


def measure(
    name: str,
    dataset: SourceDataset,
    stack: Stack,
    exposure_s: float | None,
    chosen: str,
    parameters: SimilarityParameters,
    workers: Workers,
    progress: Progress,
) -> Run:
    """Integrate the frames of a dataset and choose those that are averaged.

    Raises
    ------
    ParameterError
        A frame is named that is not there.
    """
    sums = integrate(stack, workers, progress)
    frames = len(sums.signal)
    where = str(dataset.record.pid)
    run = Run(
        name, where, dataset.record.title, stack, sums, exposure_s,
        np.ones(frames, dtype=np.bool_), None,
    )  # fmt: skip
    return choose(run, chosen, parameters, workers, progress)


def choose(
    run: Run, chosen: str, parameters: SimilarityParameters, workers: Workers, progress: Progress
) -> Run:
    """Choose the frames of a run that are averaged.

    Raises
    ------
    ReductionError
        Frames are to be compared, and have no bin with good pixels in all of them.
    """
    if chosen == "all":
        return run
    if chosen != "similar":
        return replace(run, kept=named_frames(chosen, run.frames, run.where))
    intensity, _, filled = run.intensities()
    if not filled.any() and run.sums.count.any():
        raise ReductionError(
            "no bin of q has good pixels in every frame, so that frames can't be compared",
            where=run.where,
            next_step="look at the masks and at saturated frames, name frames as in "
            "-p frames_kept=1-100, or take all with -p frames_kept=all",
        )
    if not filled.any():  # nothing counts at all, which is told where the curve is made
        return run
    curves = apart(intensity[:, filled], np.flatnonzero(filled), run.reach)
    similar = find_similar(curves, parameters, workers, progress)
    return replace(run, kept=similar.kept, similarity=similar)


def averages(
    runs: tuple[Run, ...],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average the kept frames of runs as a ratio of sums: Σ S / Σ t N with the error √ΣV / Σ t N.

    That is the mean of the runs weighted by their normalisations n = Σ t N, with the variance
    Σ(n σ)² / (Σ n)²; it shrinks with the number of runs (dahu's Σ(n σ)² / Σ n² does not).

    Returns
    -------
    Intensity and its standard deviation, shape (bins,); NaN where no pixel counts.

    Raises
    ------
    ReductionError
        No frame is kept.
    """
    if not any(run.kept.any() for run in runs):
        raise ReductionError("no frame is kept", next_step="loosen the rule that keeps frames")
    bins = runs[0].sums.signal.shape[1]
    signal, variance, norm = np.zeros(bins), np.zeros(bins), np.zeros(bins)
    filled = np.zeros(bins, dtype=np.bool_)
    for run in runs:
        signal += _total(run.sums.signal, run.kept)
        variance += _total(run.sums.variance, run.kept)
        norm += _total(run.sums.normalization, run.kept) * (run.exposure_s or 1.0)
        filled |= (run.sums.count[run.kept] > 0).any(axis=0)
    norm[~filled] = np.nan
    return signal / norm, np.sqrt(variance) / norm


def standard_curve(
    runs: tuple[Run, ...], empty: tuple[Run, ...], edges_per_nm: NDArray[np.float64]
) -> Curve:
    """Average the runs of a standard, less what is behind it where that was measured.

    Raises
    ------
    ReductionError
        No bin of q has good pixels.
    """
    middle = (edges_per_nm[:-1] + edges_per_nm[1:]) / 2
    intensity, error = averages(runs)
    if empty:
        behind, behind_error = averages(empty)
        intensity, error = intensity - behind, np.hypot(error, behind_error)
    filled = np.isfinite(intensity)
    if not filled.any():
        raise ReductionError(
            f"no bin of q has good pixels in {runs[0].name}", where=runs[0].where,
            next_step="check the masks, the beam centre and the range of q",
        )  # fmt: skip
    return Curve(middle[filled], intensity[filled], error[filled])


def left_out(run: Run) -> str | None:
    """Say which frames of a run are left out for being unlike the others; None: none."""
    if run.similarity is None or run.kept.all():
        return None
    return (
        f"{run.name}: frames {spell_frames(~run.kept)} of {run.frames} are left out, for they "
        f"differ from frames {spell_frames(run.kept)} (radiation damage, bubbles, or a drift); "
        "-p frames_kept=all averages all"
    )


def alone(run: Run) -> str | None:
    """Say that a run is a single frame, which nothing was compared with; None: it is not."""
    if run.kept.sum() != 1:
        return None
    if run.frames == 1:
        why = "it can be compared with no other"
    else:
        why = "it alone was named" if run.similarity is None else "no two in a row are alike"
    return (
        f"{run.name}: one frame of {run.frames} is averaged: {why}, so that nothing tells whether "
        "it is good"
    )


def _total(values: NDArray[Any], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Add up frames: integers exactly, floating-point numbers in the order of the frames."""
    if values.dtype.kind == "f":
        total = np.zeros(values.shape[1])
        for row in np.flatnonzero(kept):
            total += values[row]
        return total
    whole: NDArray[np.float64] = values[kept].sum(axis=0, dtype=np.int64).astype(np.float64)
    return whole
