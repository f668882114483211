"""The inputs of the chain: found, integrated on one grid of q, put on the absolute scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError
from hsc.reductions.azimuthal.parameters import IntegrationParameters
from hsc.reductions.azimuthal.pictures import calibrations_of
from hsc.reductions.azimuthal.stack import Stack, stack_of
from hsc.reductions.base import Input, Inputs, SourceDataset
from hsc.reductions.biosaxs.absolute import AbsoluteScale, find_scale
from hsc.reductions.biosaxs.chain import ChainParameters
from hsc.reductions.biosaxs.reporting import ReportParameters
from hsc.reductions.biosaxs.runs import (
    ExposureParameters,
    Run,
    check_exposures,
    find_exposure,
    measure,
    standard_curve,
)
from hsc.reductions.biosaxs.transmission import (
    TransmissionParameters,
    check_transmissions,
    find_transmission,
)
from hsc.workers import Progress, Workers

ABSOLUTE_INPUTS = (
    Input("absolute", "frames of water or glassy carbon, for 1/cm", required=False, many=True),
    Input("absolute_empty", "frames of what is behind that standard", required=False, many=True),
)
"""The inputs that the absolute scale is found from."""

# A buffer is subtracted that may be a hundred times the particle's scattering.
_SOLID_ANGLE_TOLERANCE = 1e-4
_WAVELENGTH_TOLERANCE = 1e-3
# A pixel's border may lie within a bin of any width; beyond, bins are narrower than its diagonal.
_SHARING = 2


class MeasuringParameters(
    IntegrationParameters,
    ChainParameters,
    ExposureParameters,
    TransmissionParameters,
    ReportParameters,
):
    """From frames to averages."""

    radial_unit: Literal["q_nm^-1"] = "q_nm^-1"
    """The chain works in 1/nm."""
    error_model: Literal["poisson", "variance", "azimuthal"] = "poisson"
    """Where variances come from; the chain can't do without."""


def measure_inputs(
    inputs: Inputs,
    parameters: MeasuringParameters,
    chosen: Mapping[str, str],
    workers: Workers,
    progress: Progress,
) -> dict[str, tuple[Run, ...]]:
    """Integrate all datasets on the first sample's bins, and choose frames of each.

    Parameters
    ----------
    inputs
        ``sample``, ``buffer``, ``absolute`` and ``absolute_empty``, as far as they are given.
    parameters
        How frames are summed, and from where on they are alike.
    chosen
        Which frames are kept (``all``, ``similar``, or numbers), by input; ``similar`` where it
        is not said.
    workers, progress
        What does it, and who hears of it.
    """
    inputs.check_unlike("absolute", "absolute_empty")
    named = [
        (_run_name(inputs, name, number), name, dataset)
        for name in ("sample", "buffer", "absolute", "absolute_empty")
        for number, dataset in enumerate(inputs.every(name), start=1)
    ]
    exposures = {label: _exposure(dataset, name, parameters) for label, name, dataset in named}
    check_exposures([
        (label, str(dataset.record.pid), exposures[label]) for label, _, dataset in named
    ])  # fmt: skip
    stacks = stacks_of([dataset for _, _, dataset in named], inputs, parameters)
    shares = [
        find_transmission(dataset, name, stack.frames.shape[0], parameters)
        for (_, name, dataset), stack in zip(named, stacks, strict=True)
    ]
    check_transmissions([
        (label, str(dataset.record.pid), share)
        for (label, _, dataset), share in zip(named, shares, strict=True)
    ])  # fmt: skip
    found: dict[str, tuple[Run, ...]] = {}
    for (label, name, dataset), stack, share in zip(named, stacks, shares, strict=True):
        run = measure(
            label, dataset, _divided(stack, share), exposures[label],
            chosen.get(name, "similar"), parameters, workers, progress,
        )  # fmt: skip
        run = replace(run, transmission=None if share is None else float(share.mean()))
        found[name] = (*found.get(name, ()), run)
    return found


def stacks_of(
    datasets: list[SourceDataset], inputs: Inputs, parameters: IntegrationParameters
) -> list[Stack]:
    """Find frames and geometry of datasets, with one grid of q for all: the first one's.

    Raises
    ------
    ParameterError
        Pixels see another solid angle in one than in the first: intensities, which are relative
        to it, could be neither averaged nor subtracted. Or its wavelength is another one.
    """
    given = calibrations_of(inputs)
    stacks = [stack_of(dataset, parameters, given) for dataset in datasets]
    first = stacks[0].binning.geometry.pixel_solid_angle_sr
    for dataset, stack in zip(datasets, stacks, strict=True):
        ratio = stack.binning.geometry.pixel_solid_angle_sr / first
        if abs(ratio - 1) > _SOLID_ANGLE_TOLERANCE:
            raise ParameterError(
                f"a pixel sees {ratio:.5g} times the solid angle that it sees in the first "
                f"sample ({stack.binning.geometry.distance_m:.6g} m away, there "
                f"{stacks[0].binning.geometry.distance_m:.6g} m): intensities can't be compared",
                where=str(dataset.record.pid),
                next_step="where that is a mistake of the files, give what is right for all: "
                "geometry=PID, or -p distance_m=...",
            )
    _check_wavelengths(datasets, stacks)
    high = stacks[0].binning.radial_max
    return [replace(stack, binning=replace(stack.binning, radial_max=high)) for stack in stacks]


def _check_wavelengths(datasets: list[SourceDataset], stacks: list[Stack]) -> None:
    first = stacks[0].binning.geometry.wavelength_angstrom
    for dataset, stack in zip(datasets, stacks, strict=True):
        wavelength = stack.binning.geometry.wavelength_angstrom
        if abs(wavelength / first - 1) > _WAVELENGTH_TOLERANCE:
            raise ParameterError(
                f"its wavelength is {wavelength:.6g} angstrom, that of the first sample "
                f"{first:.6g}: absorption and flux are others, and nothing can be subtracted",
                where=str(dataset.record.pid),
                next_step="give what was measured with the same beam; where that is a mistake of "
                "the files, what is right for all: -p wavelength_m=...",
            )


def beam_remarks(
    inputs: Inputs, runs: Mapping[str, tuple[Run, ...]], parameters: MeasuringParameters
) -> tuple[str, ...]:
    """Say what of the beam is not known, contradicted, or known and not used, in sentences."""
    datasets = [one for name in runs for one in inputs.every(name)]
    doubts = [text for every in runs.values() for one in every for text in one.stack.doubts]
    said = [*dict.fromkeys(doubts)]
    if not parameters.monitor:
        if len(datasets) > 1 and all(
            one.exposure_s is None for every in runs.values() for one in every
        ):
            said.append(
                "no exposure is known and no monitor used: all frames are taken for equally "
                "exposed; -p sample_count_time_s=... -p buffer_count_time_s=... say otherwise"
            )
        if all("monitor" in one.roles for one in datasets):
            said.append(
                "a monitor was recorded with all frames and is not used: where the beam was not "
                "the same, nothing corrects that; -p monitor=true divides by it"
            )
    reach = runs["sample"][0].reach
    if reach > _SHARING:
        said.append(
            f"pixels are split among up to {reach} bins, so that neighbouring points hold the "
            "same counts: errors of Rg, I(0) and p(r) are too small, and χ² is; fewer bins, or "
            "-p splitting=no, give points that are independent"
        )
    carbon = "absolute" in runs and parameters.absolute_standard == "glassy_carbon"
    if carbon and parameters.transmission and runs["absolute"][0].transmission is None:
        said.append(
            "no transmission is known: glassy carbon lets another share of the beam pass than a "
            "solution, and the absolute scale is off by as much; give all of them, or say with "
            "-p transmission=false that monitor or exposure hold them"
        )
    return tuple(said)


def scale_of(
    runs: dict[str, tuple[Run, ...]], parameters: MeasuringParameters
) -> AbsoluteScale | None:
    """Find the absolute scale from the runs of its standard; None: there are none."""
    if "absolute" not in runs:
        if "absolute_empty" in runs:
            raise ParameterError(
                "the input absolute_empty is given without absolute",
                next_step="give the frames of water or glassy carbon: absolute=PID",
            )
        return None
    edges = runs["sample"][0].stack.binning.edges()
    empty = runs.get("absolute_empty", ())
    standard = standard_curve(runs["absolute"], empty, edges)
    return find_scale(standard, parameters, empty_subtracted=bool(empty))


def sample_name_of(dataset: SourceDataset) -> str | None:
    """Give the name of a dataset's sample, from its arrays, else from its record."""
    if "sample_name" in dataset.roles:
        return str(dataset.role("sample_name").scalar())
    return dataset.record.sample


def _divided(stack: Stack, share: NDArray[np.float64] | None) -> Stack:
    """Let the transmission stand in each frame's normalisation, beside its monitor."""
    if share is None:
        return stack
    return replace(stack, scales=(stack.scales * share).astype(np.float32))


def _run_name(inputs: Inputs, name: str, number: int) -> str:
    return f"{name} {number}" if len(inputs.every(name)) > 1 else name


def _exposure(dataset: SourceDataset, name: str, parameters: MeasuringParameters) -> float | None:
    if parameters.monitor:  # which is the flux of the whole exposure
        return None
    parameter = f"{name.split('_', maxsplit=1)[0]}_count_time_s"
    return find_exposure(dataset, parameter, getattr(parameters, parameter))
