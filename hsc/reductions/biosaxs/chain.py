"""What the chain from frames to numbers made: both averages, their difference, its analysis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ReductionError
from hsc.model import Record
from hsc.reductions.biosaxs.absolute import AbsoluteParameters, AbsoluteScale, scale_remarks
from hsc.reductions.biosaxs.analysis import Analysis, AnalysisParameters, analyse
from hsc.reductions.biosaxs.curve import Curve, subtract
from hsc.reductions.biosaxs.runs import Run, Side, alone, averages, left_out
from hsc.reductions.biosaxs.sharing import apart
from hsc.reductions.biosaxs.similarity import SimilarityParameters, between_curves
from hsc.reductions.biosaxs.steps import Step

_LARGE_Q = 0.1
_SMALL_Q = 0.2
_BELOW_ZERO = -5.0
_VC_SHARE = 0.75
_CHI2_DEVIATIONS = 5.0
_BEGINNING = 3
_BAD_CHI2 = 3.0  # with few errors the law itself is off by more, for it is a first term


class SubtractionParameters(Record):
    """How the buffer is subtracted."""

    buffer_scale: float = Field(default=1.0, gt=0)
    """Factor of the buffer when it is subtracted."""


class ChainParameters(
    SimilarityParameters, SubtractionParameters, AbsoluteParameters, AnalysisParameters
):
    """From runs of frames to numbers."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Sample less buffer, with all that led there and what it tells."""

    analysis: Analysis
    """The difference, on the absolute scale where there is one, and what it tells."""
    sample: Side
    """The sample."""
    buffer: Side
    """The buffer."""
    edges_per_nm: NDArray[np.float64]
    """Edges of all bins, empty ones included, 1/nm."""
    bin: NDArray[np.int64]
    """Which bin each point of the curves is."""
    scale: AbsoluteScale | None
    """The absolute scale; None: intensities are in arbitrary units."""
    warnings: tuple[str, ...]
    """What a person should look at, in sentences."""
    steps: tuple[Step, ...]
    """What was done, in order, the analysis' steps at the end."""

    @property
    def curve(self) -> Curve:
        """The subtracted curve."""
        return self.analysis.curve


def follow(
    sample: tuple[Run, ...],
    buffer: tuple[Run, ...],
    edges_per_nm: NDArray[np.float64],
    parameters: ChainParameters,
    scale: AbsoluteScale | None = None,
    remarks: tuple[str, ...] = (),
) -> Chain:
    """Average, subtract, scale and analyse runs whose frames are chosen.

    Parameters
    ----------
    sample, buffer
        Runs on the same bins.
    edges_per_nm
        Edges of the bins.
    parameters
        How.
    scale
        The absolute scale, if there is one.
    remarks
        What else a person should look at, in sentences.

    Raises
    ------
    ReductionError
        The data allow no subtraction, or no Guinier fit.
    """
    middle = (edges_per_nm[:-1] + edges_per_nm[1:]) / 2
    means = averages(sample), averages(buffer)
    filled = np.isfinite(means[0][0]) & np.isfinite(means[1][0])
    if not filled.any():
        raise ReductionError(
            "no bin of q has good pixels in both sample and buffer",
            next_step="check the masks, the beam centre and the range of q",
        )
    factor = 1.0 if scale is None else scale.factor
    curves = [
        Curve(middle[filled], one[filled], error[filled]).times(factor) for one, error in means
    ]
    sides = (_side("sample", sample, curves[0]), _side("buffer", buffer, curves[1]))
    difference = subtract(curves[0], curves[1], parameters.buffer_scale)
    _refuse_exchanged(difference)
    unit, uncertain = "arbitrary", 0.0
    if scale is not None:
        unit, uncertain = "1/cm", scale.factor_error / scale.factor
    analysis = analyse(difference, parameters, unit, uncertain)
    return Chain(
        analysis=analysis,
        sample=sides[0],
        buffer=sides[1],
        edges_per_nm=edges_per_nm,
        bin=np.flatnonzero(filled),
        scale=scale,
        warnings=(*_warnings(sides, difference, analysis, scale, parameters), *remarks),
        steps=(*_steps(sides, scale, parameters), *analysis.steps),
    )


def _refuse_exchanged(difference: Curve) -> None:
    """Refuse a sample that scatters less than its buffer where particles scatter most."""
    first = difference.at(slice(0, max(3, round(_SMALL_Q * len(difference.q_per_nm)))))
    error = float(np.sqrt((first.error**2).sum()))
    below = -float(first.intensity.sum()) / error if error > 0 else 0.0
    if below > -_BELOW_ZERO:
        raise ReductionError(
            f"the sample scatters less than the buffer, by {below:.0f} standard deviations from "
            f"{first.q_per_nm[0]:.3g} to {first.q_per_nm[-1]:.3g} 1/nm",
            next_step="are sample and buffer exchanged? Else look at exposures, monitors and "
            "transmissions of both, and at buffer_scale",
        )


def _side(name: str, runs: tuple[Run, ...], curve: Curve) -> Side:
    own = [averages((run,))[0] for run in runs]
    common = np.isfinite(own).all(axis=0)
    curves = apart(np.array(own)[:, common], np.flatnonzero(common), runs[0].reach)
    return Side(name, runs, curve, between_curves(curves))


def _warnings(
    sides: tuple[Side, Side],
    difference: Curve,
    analysis: Analysis,
    scale: AbsoluteScale | None,
    parameters: ChainParameters,
) -> list[str]:
    said = [text for side in sides for text in map(left_out, side.runs) if text]
    said += [text for side in sides for text in map(alone, side.runs) if text]
    for side in sides:
        said += _unlike(side, parameters.fidelity_neighbours)
    last = difference.at(slice(-max(1, round(_LARGE_Q * len(difference.q_per_nm))), None))
    error = float(np.sqrt((last.error**2).sum()))
    if error > 0 and last.intensity.sum() / error < _BELOW_ZERO:
        said.append(
            f"sample less buffer is below zero from {last.q_per_nm[0]:.3g} 1/nm on, by "
            f"{abs(last.intensity.sum()) / error:.1f} standard deviations: the buffer does not "
            "match (other buffer, other cell, flux or concentration); look at both curves, "
            "-p buffer_scale=... is the last resort"
        )
    found = analysis.invariants
    if found.vc_nm2 is not None and found.vc_q_max_per_nm < _VC_SHARE * parameters.vc_q_max_per_nm:
        said.append(
            f"the mass from Vc is doubtful: its integral ends at {found.vc_q_max_per_nm:.3g} 1/nm "
            f"with the curve, and the law was found with {parameters.vc_q_max_per_nm:g}"
        )
    if scale is not None:
        said += scale_remarks(scale)
    said += misfits(analysis)
    if "pr" in analysis.failures:
        said.append(f"no p(r): {analysis.failures['pr']}")
    return said


def misfits(analysis: Analysis) -> list[str]:
    """Say which of the fits that count miss the curve, in sentences."""
    fit, said = analysis.fit, []
    counts = fit is not None and analysis.guinier.method == "closed_form"
    if (
        fit is not None
        and counts
        and fit.chi2 > max(_BAD_CHI2, 1 + _CHI2_DEVIATIONS * math.sqrt(2 / fit.points))
    ):
        begun = float(fit.residuals(analysis.curve)[:_BEGINNING].mean())
        said.append(
            f"points lie off the Guinier line by more than their noise: χ² = {fit.chi2:.3g} for "
            f"{fit.points} points up to q·Rg = {fit.qrg_max:.2f} "
            + (
                f"(the first {_BEGINNING} lie {-begun:.3g} standard deviations below: the shadow "
                "of the beamstop, or particles that repel each other); look at the residuals, "
                "-p guinier_q_min_per_nm=... begins later"
                if begun < -_CHI2_DEVIATIONS
                else "(aggregates, a buffer that does not match, or no compact particle); look at "
                "the residuals, -p guinier_qrg_max=1 takes fewer"
            )
        )
    if analysis.pairs is not None and analysis.pairs.chi2 > _BAD_CHI2:
        said.append(f"p(r) fits the curve badly: χ² = {analysis.pairs.chi2:.3g}")
    return said


def _unlike(side: Side, limit: float) -> list[str]:
    said = []
    for first in range(len(side.runs)):
        for second in range(first + 1, len(side.runs)):
            chance = side.between[first, second]
            if chance < limit:
                said.append(
                    f"{side.runs[first].name} and {side.runs[second].name} differ: the "
                    f"probability that they show the same is {chance:.2g}; both are in the average"
                )
    return said


def _steps(
    sides: tuple[Side, Side], scale: AbsoluteScale | None, parameters: ChainParameters
) -> list[Step]:
    stack = sides[0].runs[0].stack
    limits = [run.similarity for side in sides for run in side.runs if run.similarity]
    steps = [
        Step(
            "integration", "azimuthal integration", "each frame over the azimuth, into bins of q",
            {"bins": stack.binning.bins, "frames": sum(side.frames for side in sides)},
        ),
        Step(
            "similarity", "correlation map",
            "longest block of frames whose every pair is alike, by the longest run of one sign in "
            "their difference (Franke et al. 2015)",
            {**{f"{side.name}_frames_kept": side.frames_kept for side in sides},
             **({} if not limits else {
                 "least_probability_neighbours": limits[0].least_neighbours,
                 "least_probability_pairs": limits[0].least_pairs})},
        ),
        Step(
            "average", "average of frames",
            "ratio of sums over the kept frames of all runs: I = Σ S / Σ t N, σ = √ΣV / Σ t N",
            {**{f"{side.name}_exposure_s": side.exposure_s
                for side in sides if side.exposure_s is not None},
             **{f"{side.name}_transmission": side.transmission
                for side in sides if side.transmission is not None}},
        ),
    ]  # fmt: skip
    if scale is not None:
        steps.append(
            Step(
                "absolute", "absolute scale",
                f"intensities times the factor that {scale.standard.replace('_', ' ')} gives",
                {"factor": scale.factor, "factor_error": scale.factor_error,
                 "q_min_per_nm": scale.q_min_per_nm, "q_max_per_nm": scale.q_max_per_nm,
                 "chi2": scale.chi2},
            )
        )  # fmt: skip
    steps.append(
        Step(
            "subtraction",
            "buffer subtraction",
            "I = I_sample - k I_buffer, σ² = σ_s² + k² σ_b²",
            {"buffer_scale": parameters.buffer_scale},
        )
    )
    return steps
