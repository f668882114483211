"""Solution scattering: sample less buffer, with the Guinier fit of what remains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError, ReductionError
from hsc.model import Quantity
from hsc.reductions.azimuthal.binning import Mask, mask_of
from hsc.reductions.azimuthal.integration import (
    FrameSums,
    IntegrationParameters,
    Stack,
    integrate,
    stack_of,
)
from hsc.reductions.base import Input, Inputs, Outputs, Reduction, SourceDataset, array_for
from hsc.reductions.biosaxs.curve import Curve, average, subtract
from hsc.reductions.biosaxs.guinier import GuinierFit, GuinierParameters, fit_guinier
from hsc.reductions.biosaxs.tree import Half, Subtracted, biosaxs_tree
from hsc.reductions.numbers import Sought, find_optional_number
from hsc.workers import Progress, Workers


class BiosaxsParameters(IntegrationParameters, GuinierParameters):
    """Parameters of the solution-scattering chain."""

    frames_kept: Literal["all"] = "all"
    """Rule for the frames that are averaged; all of them in this version."""
    buffer_scale: float = Field(default=1.0, gt=0)
    """Factor of the buffer when it is subtracted."""
    sample_count_time_s: float | None = Field(default=None, gt=0)
    """Exposure of each sample frame, s; None: as the dataset says."""
    buffer_count_time_s: float | None = Field(default=None, gt=0)
    """Exposure of each buffer frame, s; None: as the dataset says."""


@dataclass(frozen=True, slots=True)
class _Measured:
    stack: Stack
    sums: FrameSums
    kept: NDArray[np.bool_]
    exposure_s: float | None


def reduce_biosaxs(
    inputs: Inputs, parameters: BiosaxsParameters, workers: Workers, progress: Progress
) -> Outputs:
    """Average sample and buffer, subtract, and fit the Guinier law.

    Frames are summed into bins as in `reduce_azimuthal`, averaged as ratios of sums per second
    of exposure (`average`), subtracted with Gaussian error propagation (`subtract`), and fitted
    from the first usable bin (`fit_guinier`). Bins without a good pixel in either are left out.

    Raises
    ------
    RoleMissingError, ParameterError
        Something that the chain needs is missing or impossible.
    ReductionError
        The data allow no subtraction or no fit.
    """
    masks: tuple[Mask, ...] = ()
    mask = inputs.optional("mask")
    if mask is not None:
        masks = (mask_of(array_for(mask, "pixel_mask", "is the mask given")),)
    stacks = [stack_of(inputs.one(name), parameters, masks) for name in ("sample", "buffer")]
    # One grid of q for both, the sample's.
    grid = stacks[0].binning
    stacks[1] = replace(
        stacks[1], binning=replace(stacks[1].binning, q_max_per_nm=grid.q_max_per_nm)
    )
    exposures = _exposures(inputs, parameters)
    sample, buffer = (
        _measure(stack, exposure, workers, progress)
        for stack, exposure in zip(stacks, exposures, strict=True)
    )
    subtracted = _subtract(sample, buffer, parameters.buffer_scale)
    fit = fit_guinier(subtracted.curve, parameters)
    record = inputs.one("sample").record
    name = _sample_name(inputs.one("sample"))
    tree = biosaxs_tree(
        subtracted,
        fit,
        sample_name=name,
        instrument=record.instrument,
        parameters=parameters.document(),
        version=BIOSAXS.version,
    )
    return Outputs(
        tree=tree,
        results=_results(subtracted, fit),
        quantities=_quantities(grid.geometry.wavelength_angstrom, fit),
        title=f"{name or record.title}: I(q) less buffer, Rg = {fit.rg_nm:.3g} nm",
    )


def _measure(
    stack: Stack, exposure_s: float | None, workers: Workers, progress: Progress
) -> _Measured:
    sums = integrate(stack, workers, progress)
    kept = np.ones(len(sums.signal), dtype=np.bool_)
    return _Measured(stack, sums, kept, exposure_s)


def _exposures(inputs: Inputs, parameters: BiosaxsParameters) -> tuple[float | None, float | None]:
    """Find both exposures; both or none, since one alone would scale one curve only."""
    found = {}
    for name in ("sample", "buffer"):
        parameter = f"{name}_count_time_s"
        sought = Sought(parameter, "count_time", "s", "time")
        value = find_optional_number(inputs.one(name), getattr(parameters, parameter), sought)
        if value is not None and value <= 0:
            raise ParameterError(
                f"{parameter} is {value!r}, which is impossible",
                where=f"{inputs.one(name).record.pid}, role count_time",
                next_step=f"give it: -p {parameter}=...",
            )
        found[name] = value
    if (found["sample"] is None) != (found["buffer"] is None):
        lacking = "sample" if found["sample"] is None else "buffer"
        raise ParameterError(
            f"the exposure of the {lacking} frames is unknown, the other's is known",
            where=str(inputs.one(lacking).record.pid),
            next_step=f"give it: -p {lacking}_count_time_s=...",
        )
    return found["sample"], found["buffer"]


def _subtract(sample: _Measured, buffer: _Measured, scale: float) -> Subtracted:
    edges = sample.stack.binning.edges_per_nm()
    middle = (edges[:-1] + edges[1:]) / 2
    averages = [average(one.sums, one.kept, one.exposure_s or 1.0) for one in (sample, buffer)]
    filled = np.isfinite(averages[0][0]) & np.isfinite(averages[1][0])
    if not filled.any():
        raise ReductionError(
            "no bin of q has good pixels in both sample and buffer",
            next_step="check the masks, the beam centre and the range of q",
        )
    curves = [Curve(middle[filled], one[filled], error[filled]) for one, error in averages]
    halves = [
        Half(curve, measured.kept, measured.sums, measured.stack, measured.exposure_s)
        for curve, measured in zip(curves, (sample, buffer), strict=True)
    ]
    curve = subtract(curves[0], curves[1], scale)
    return Subtracted(curve, halves[0], halves[1], edges, np.flatnonzero(filled))


def _sample_name(dataset: SourceDataset) -> str | None:
    if "sample_name" in dataset.roles:
        return str(dataset.role("sample_name").scalar())
    return dataset.record.sample


def _results(subtracted: Subtracted, fit: GuinierFit) -> dict[str, float | int]:
    return {
        "rg_nm": fit.rg_nm,
        "rg_error_nm": fit.rg_error_nm,
        "i0": fit.i0,
        "i0_error": fit.i0_error,
        "guinier_q_min_per_nm": fit.q_min_per_nm,
        "guinier_q_max_per_nm": fit.q_max_per_nm,
        "guinier_qrg_max": fit.qrg_max,
        "guinier_points": fit.points,
        "guinier_chi2": fit.chi2,
        "sample_frames": int(subtracted.sample.kept.sum()),
        "buffer_frames": int(subtracted.buffer.kept.sum()),
        "bins": len(subtracted.curve.q_per_nm),
    }


def _quantities(wavelength_angstrom: float, fit: GuinierFit) -> dict[str, Quantity]:
    return {
        "radius_of_gyration": Quantity(value=fit.rg_nm, unit="nm"),
        "wavelength": Quantity(value=wavelength_angstrom, unit="angstrom"),
    }


BIOSAXS = Reduction(
    name="biosaxs",
    version="1",
    summary="sample less buffer as I(q) with errors, and the Guinier fit",
    inputs=(
        Input("sample", "frames of the solution"),
        Input("buffer", "frames of its buffer, same instrument and geometry"),
        Input("mask", "a dataset whose role pixel_mask excludes more pixels", required=False),
    ),
    parameters=BiosaxsParameters,
    function=reduce_biosaxs,
    packages=("pyFAI",),
)
"""Frames of a solution and of its buffer to the subtracted curve and Rg."""
