"""Solution scattering: from frames of sample and buffer to what a paper needs."""

from __future__ import annotations

from typing import Any

from hsc.model import Quantity
from hsc.reductions.azimuthal.instrument import beam_quantities
from hsc.reductions.azimuthal.pictures import CALIBRATION_INPUTS
from hsc.reductions.base import Input, Inputs, Outputs, Reduction
from hsc.reductions.biosaxs.chain import Chain, follow
from hsc.reductions.biosaxs.concentration import find_concentration
from hsc.reductions.biosaxs.measuring import (
    ABSOLUTE_INPUTS,
    MeasuringParameters,
    beam_remarks,
    measure_inputs,
    sample_name_of,
    scale_of,
)
from hsc.reductions.biosaxs.reports.files import report_files
from hsc.reductions.biosaxs.runs import RunParameters
from hsc.reductions.biosaxs.tree import Labels, biosaxs_tree
from hsc.workers import Progress, Workers


class BiosaxsParameters(MeasuringParameters, RunParameters):
    """Parameters of the solution-scattering chain."""


def reduce_biosaxs(
    inputs: Inputs, parameters: BiosaxsParameters, workers: Workers, progress: Progress
) -> Outputs:
    """Average sample and buffer, subtract, and analyse what remains.

    Frames are summed into bins as in `reduce_azimuthal`; of each run those are kept that a
    correlation map finds alike (`find_similar`), averaged as ratios of sums per second of
    exposure (`averages`), put on the absolute scale where a standard is given (`find_scale`),
    subtracted with Gaussian error propagation (`subtract`), and analysed (`analyse`). Bins
    without a good pixel in either are left out.

    Raises
    ------
    RoleMissingError, ParameterError
        Something that the chain needs is missing or impossible.
    ReductionError
        The data allow no subtraction or no fit.
    """
    inputs.check_unlike("sample", "buffer")
    concentration = find_concentration(inputs.every("sample"), parameters.concentration_g_per_l)
    parameters = parameters.model_copy(update={"concentration_g_per_l": concentration.g_per_l})
    chosen = {"sample": parameters.frames_kept, "buffer": parameters.buffer_frames_kept}
    runs = measure_inputs(inputs, parameters, chosen, workers, progress)
    edges = runs["sample"][0].stack.binning.edges()
    scale = scale_of(runs, parameters)
    remarks = beam_remarks(inputs, runs, parameters)
    remarks += () if concentration.remark is None else (concentration.remark,)
    chain = follow(runs["sample"], runs["buffer"], edges, parameters, scale, remarks)
    first = inputs.every("sample")[0]
    name = sample_name_of(first)
    labels = Labels(
        sample_name=name,
        instrument=first.record.instrument,
        facility=first.record.facility,
        parameters=parameters.document(),
        name="biosaxs",
        version=BIOSAXS.version,
        concentration_g_per_l=parameters.concentration_g_per_l,
    )
    rg_nm = chain.analysis.guinier.rg_nm
    geometry = runs["sample"][0].stack.binning.geometry
    return Outputs(
        tree=biosaxs_tree(chain, labels),
        results=results_of(chain),
        quantities=_quantities(beam_quantities(first.record, geometry), chain),
        title=f"{name or first.record.title}: I(q) less buffer, Rg = {rg_nm:.3g} nm",
        files=report_files(chain, labels, inputs),
    )


def results_of(chain: Chain) -> dict[str, Any]:
    """Give the numbers that people ask for first; those that there are not are None."""
    found, fit = chain.analysis, chain.analysis.fit
    chosen, pairs = found.guinier, found.pairs
    return {
        "rg_nm": chosen.rg_nm,
        "rg_error_nm": chosen.rg_error_nm,
        "i0": chosen.i0,
        "i0_error": chosen.i0_error,
        "intensity_unit": found.intensity_unit,
        "guinier_method": chosen.method,
        "guinier_q_min_per_nm": chosen.q_min_per_nm,
        "guinier_q_max_per_nm": chosen.q_max_per_nm,
        "guinier_qrg_max": chosen.qrg_max,
        "guinier_points": chosen.stop - chosen.start,
        "guinier_chi2": None if fit is None or chosen.method != "closed_form" else fit.chi2,
        **{f"rg_{one.method}_nm": one.rg_nm for one in found.estimates},
        "porod_volume_nm3": found.invariants.porod_volume_nm3,
        "vc_nm2": found.invariants.vc_nm2,
        "qr_nm3": found.invariants.qr_nm3,
        **{f"mass_{one.method}_kda": one.kda for one in found.masses},
        "dmax_nm": None if pairs is None else pairs.dmax_nm,
        "dmax_error_nm": None if pairs is None else pairs.dmax_error_nm,
        "pr_rg_nm": None if pairs is None else pairs.rg_nm,
        "pr_i0": None if pairs is None else pairs.i0,
        "pr_chi2": None if pairs is None else pairs.chi2,
        "absolute_factor": None if chain.scale is None else chain.scale.factor,
        "sample_frames": chain.sample.frames_kept,
        "buffer_frames": chain.buffer.frames_kept,
        "sample_frames_measured": chain.sample.frames,
        "buffer_frames_measured": chain.buffer.frames,
        "bins": len(chain.curve.q_per_nm),
        "warnings": list(chain.warnings),
    }


def _quantities(beam: dict[str, Quantity], chain: Chain) -> dict[str, Quantity]:
    radius = Quantity(value=chain.analysis.guinier.rg_nm, unit="nm")
    found = {"radius_of_gyration": radius, **beam}
    if chain.analysis.pairs is not None:
        found["maximum_distance"] = Quantity(value=chain.analysis.pairs.dmax_nm, unit="nm")
    return found


BIOSAXS = Reduction(
    name="biosaxs",
    version="9",
    summary="frames of a solution and its buffer to I(q), Rg, p(r), volumes and masses",
    inputs=(
        Input("sample", "frames of the solution; several runs are averaged", many=True),
        Input("buffer", "frames of its buffer, before and after", many=True),
        *CALIBRATION_INPUTS,
        *ABSOLUTE_INPUTS,
    ),
    parameters=BiosaxsParameters,
    function=reduce_biosaxs,
    packages=("pyFAI", "numexpr", "freesas", "scipy", "matplotlib", "jinja2"),
    order="pixel-order-f64/v1",
)
"""Frames of a solution and of its buffer to the subtracted curve and what a paper needs."""
