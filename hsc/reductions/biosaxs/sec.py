"""Size-exclusion chromatography with solution scattering: from an elution to its peaks."""

from __future__ import annotations

from typing import Any

from hsc.model import Dataset, Quantity
from hsc.reductions.azimuthal.instrument import beam_quantities
from hsc.reductions.azimuthal.pictures import CALIBRATION_INPUTS
from hsc.reductions.base import Input, Inputs, Outputs, Reduction
from hsc.reductions.biosaxs.choosing import spell_frames
from hsc.reductions.biosaxs.concentration import find_concentration
from hsc.reductions.biosaxs.measuring import (
    ABSOLUTE_INPUTS,
    beam_remarks,
    measure_inputs,
    sample_name_of,
    scale_of,
)
from hsc.reductions.biosaxs.peaks import SecParameters, SecSaxs, follow_peaks
from hsc.reductions.biosaxs.reduction import results_of
from hsc.reductions.biosaxs.reports.files import elution_files
from hsc.reductions.biosaxs.sec_tree import purity_document, sec_tree
from hsc.reductions.biosaxs.tree import Labels
from hsc.workers import Progress, Workers


def reduce_sec_saxs(
    inputs: Inputs, parameters: SecParameters, workers: Workers, progress: Progress
) -> Outputs:
    """Find buffer and peaks of an elution, and follow the chain for each peak.

    Every frame is integrated; the chromatogram is the mean of I over q (`chromatogram_of`). The
    buffer is the longest stretch of alike frames on its baseline (`find_buffer`), what is named,
    or runs of their own. Along the elution each frame with its neighbours is fitted
    (`follow_elution`), and each peak (`find_peaks`) keeps its clean part (`purify`). Then it goes
    as for `biosaxs`.

    Raises
    ------
    RoleMissingError, ParameterError
        Something that the chain needs is missing or impossible.
    ReductionError
        No buffer or no peak is found, or none of the peaks allows a Guinier fit.
    """
    inputs.check_unlike("sample", "buffer")
    loaded = find_concentration(inputs.every("sample"), parameters.concentration_g_per_l)
    parameters = parameters.model_copy(update={"concentration_g_per_l": loaded.g_per_l})
    runs = measure_inputs(inputs, parameters, {"sample": "all"}, workers, progress)
    scale = scale_of(runs, parameters)
    # What was loaded is thinned out on its way: no mass of a peak comes from its concentration.
    eluted = parameters.model_copy(update={"concentration_g_per_l": None})
    found = follow_peaks(
        runs["sample"][0], runs.get("buffer", ()), eluted, scale, workers, progress,
        beam_remarks(inputs, runs, parameters),
    )  # fmt: skip
    first = inputs.one("sample")
    name = sample_name_of(first)
    labels = Labels(
        sample_name=name,
        instrument=first.record.instrument,
        facility=first.record.facility,
        parameters=parameters.document(),
        name="sec_saxs",
        version=SEC_SAXS.version,
        concentration_g_per_l=loaded.g_per_l,
    )
    radii = ", ".join(
        f"{one.chain.analysis.guinier.rg_nm:.3g}{' (doubtful)' if one.doubts else ''}"
        for one in found.peaks
    )
    return Outputs(
        tree=sec_tree(found, labels),
        results=_results(found),
        quantities=_quantities(found, first.record),
        title=f"{name or first.record.title}: SEC-SAXS, {len(found.peaks)} peaks, Rg = {radii} nm",
        files=elution_files(found, labels, inputs),
    )


def _quantities(found: SecSaxs, record: Dataset) -> dict[str, Quantity]:
    said = beam_quantities(record, found.run.stack.binning.geometry)
    if not found.main.doubts:  # where people search there is no room for one
        rg_nm = found.main.chain.analysis.guinier.rg_nm
        said["radius_of_gyration"] = Quantity(value=rg_nm, unit="nm")
    return said


def _results(found: SecSaxs) -> dict[str, Any]:
    main = results_of(found.main.chain)
    peaks = [
        {
            "frames": spell_frames(one.chain.sample.runs[0].kept),
            "top_frame": one.found.top + 1,
            **purity_document(one),
            "doubts": list(one.doubts),
            **{name: value for name, value in results_of(one.chain).items()
               if name not in {"warnings", "bins", "buffer_frames", "buffer_frames_measured",
                               "sample_frames_measured"}},
        }
        for one in found.peaks
    ]  # fmt: skip
    warnings = [text for one in found.peaks for text in one.chain.warnings]
    buffer = ", ".join(spell_frames(run.kept) for run in found.buffer)
    return {
        "rg_nm": main["rg_nm"],
        "rg_error_nm": main["rg_error_nm"],
        "rg_doubtful": bool(found.main.doubts),
        "frames": found.run.frames,
        "buffer_frames": buffer,
        "buffer_in_run": found.buffer_in_run,
        "bins": main["bins"],
        "peaks": peaks,
        "warnings": [*dict.fromkeys(warnings), *found.failures],
    }


SEC_SAXS = Reduction(
    name="sec_saxs",
    version="8",
    summary="frames of an elution to chromatogram, buffer, peaks, and I(q), Rg, p(r) of each",
    inputs=(
        Input("sample", "frames of the elution"),
        Input("buffer", "frames of buffer, if not those of the elution", required=False, many=True),
        *CALIBRATION_INPUTS,
        *ABSOLUTE_INPUTS,
    ),
    parameters=SecParameters,
    function=reduce_sec_saxs,
    packages=("pyFAI", "numexpr", "freesas", "scipy", "matplotlib", "jinja2"),
    order="pixel-order-f64/v1",
)
"""Frames of a size-exclusion run to what a paper needs of each peak."""
