"""How the results of SEC-SAXS are laid out as a tree."""

from __future__ import annotations

import numpy as np

from hsc.reductions import nexus
from hsc.reductions.azimuthal.instrument import instrument_groups
from hsc.reductions.azimuthal.stack import stack_facts
from hsc.reductions.azimuthal.tree import PYFAI_PAPER
from hsc.reductions.biosaxs.entries import Part, join_parts, sas_data, sas_entry
from hsc.reductions.biosaxs.numbers_tree import analysis_part
from hsc.reductions.biosaxs.peaks import ElutedPeak, SecSaxs
from hsc.reductions.biosaxs.tree import Labels, curve_entry, reduction_part, run_part
from hsc.store import NewArray, NewGroup, NewTree

_FRAME = ("frame",)


def sec_tree(found: SecSaxs, labels: Labels) -> NewTree:
    """Arrange an elution: an NXcanSAS entry for each peak and the buffer, all frames beside.

    ``/peak_1`` ... are the subtracted curves, ``/results/peak_1`` ... what they tell,
    ``/results/chromatogram`` the numbers along the elution, ``/single_frames`` the curve of each
    frame (NXazint1d), ``/reduction`` what was chosen on the way.
    """
    parts: list[Part] = []
    for number, peak in enumerate(found.peaks, start=1):
        parts += _peak(number, peak, labels)
    main = 1 + found.peaks.index(found.main)
    parts += [
        ([nexus.group("/results", "NXentry", default="chromatogram")], []),
        _chromatogram("/results/chromatogram", found),
        *_frames(found, labels),
        *_history(found, labels),
    ]
    groups, arrays = join_parts(parts)
    roles = {
        "q": f"/peak_{main}/data/Q",
        "intensity": f"/peak_{main}/data/I",
        "intensity_error": f"/peak_{main}/data/Idev",
        "chromatogram": "/results/chromatogram/intensity",
        "chromatogram_error": "/results/chromatogram/intensity_errors",
        "frames_q": "/single_frames/data/radial_axis",
        "frames_intensity": "/single_frames/data/I",
        "frames_intensity_error": "/single_frames/data/I_errors",
    }
    return NewTree((NewGroup("/", {"default": f"peak_{main}"}), *groups), tuple(arrays), roles)


def _peak(number: int, peak: ElutedPeak, labels: Labels) -> list[Part]:
    chain, prefix = peak.chain, f"peak_{number}_"
    unit = chain.analysis.intensity_unit
    title = f"{labels.sample_name or 'sample'}: buffer under peak {number}"
    run = chain.buffer.runs[0].title
    return [
        *curve_entry(chain, labels, f"/peak_{number}", f"{prefix}Q", f"peak {number}, "),
        sas_entry(f"/peak_{number}_buffer", title=title, run=run),
        sas_data(f"/peak_{number}_buffer/data", chain.buffer.curve, unit, "buffer", f"{prefix}Q"),
        ([nexus.group(f"/results/peak_{number}", "NXcollection")], []),
        analysis_part(f"/results/peak_{number}", chain.analysis, prefix),
    ]


def _chromatogram(path: str, found: SecSaxs) -> Part:
    chromatogram, elution = found.chromatogram, found.elution
    unit = found.main.chain.analysis.intensity_unit
    numbers = np.arange(1, found.run.frames + 1)
    group = nexus.group(
        path, "NXdata", signal="intensity", auxiliary_signals=["smoothed", "rg"], axes=["frame"],
        frame_indices=[0],
    )  # fmt: skip
    in_peak = np.zeros(found.run.frames, dtype=np.int16)
    for number, peak in enumerate(found.peaks, start=1):
        in_peak[peak.chain.sample.runs[0].kept] = number
    found_peak = np.zeros(found.run.frames, dtype=np.int16)
    for number, peak in enumerate(found.peaks, start=1):
        found_peak[peak.found.start : peak.found.stop] = number
    arrays = [
        nexus.array(f"{path}/frame", numbers, _FRAME, long_name="frame, counted from 1"),
        nexus.array(
            f"{path}/intensity", chromatogram.intensity, _FRAME, "arbitrary",
            long_name="mean of I over q", uncertainties="intensity_errors",
        ),
        nexus.array(f"{path}/intensity_errors", chromatogram.error, _FRAME, "arbitrary"),
        nexus.array(f"{path}/smoothed", chromatogram.smoothed, _FRAME, "arbitrary"),
        nexus.scalar(f"{path}/baseline", chromatogram.baseline, "arbitrary"),
        nexus.array(f"{path}/rg", elution.rg_nm, _FRAME, "nm"),
        nexus.array(f"{path}/rg_errors", elution.rg_error_nm, _FRAME, "nm"),
        nexus.array(f"{path}/i0", elution.i0, _FRAME, unit),
        nexus.array(f"{path}/i0_errors", elution.i0_error, _FRAME, unit),
        nexus.array(
            f"{path}/mass", elution.mass_kda, _FRAME, "kDa",
            long_name="molecular mass from the volume of correlation",
        ),
        nexus.array(
            f"{path}/peak", in_peak, _FRAME, long_name="peak that it is averaged for; 0: none"
        ),
        nexus.array(
            f"{path}/found_peak", found_peak, _FRAME,
            long_name="peak that it lies in as found or named; 0: none",
        ),
        nexus.array(
            f"{path}/lost", chromatogram.lost, _FRAME,
            long_name="leaps away from the frames around it",
        ),
    ]  # fmt: skip
    if found.buffer_in_run:
        arrays.append(
            nexus.array(f"{path}/buffer", found.buffer[0].kept, _FRAME, long_name="is buffer")
        )
    return [group], arrays


def _frames(found: SecSaxs, labels: Labels) -> list[Part]:
    """Write the curve of every frame, as NXazint1d."""
    path, stack = "/single_frames", found.run.stack
    binning, geometry = stack.binning, stack.binning.geometry
    edges, (intensity, error) = binning.edges(), found.run.sums.intensity()
    axes, unit = ("frame", "radial_axis"), "arbitrary units"
    groups = [
        nexus.group(path, "NXentry", default="data"),
        nexus.group(
            f"{path}/data", "NXdata", signal="I", axes=[".", "radial_axis"],
            interpretation="spectrum",
        ),
    ]  # fmt: skip
    arrays: list[NewArray] = [
        nexus.scalar(f"{path}/definition", "NXazint1d"),
        nexus.scalar(f"{path}/solid_angle_applied", binning.solid_angle),
        nexus.scalar(f"{path}/polarization_applied", binning.polarization_factor is not None),
        nexus.scalar(f"{path}/normalization_applied", bool((stack.scales != 1).any())),
        nexus.array(
            f"{path}/data/I", intensity, axes, unit, long_name="intensity",
            uncertainties="I_errors",
        ),
        nexus.array(
            f"{path}/data/I_errors", error, axes, unit, long_name="estimated intensity error"
        ),
        nexus.array(
            f"{path}/data/radial_axis", (edges[:-1] + edges[1:]) / 2, axes[1:], "1/nm",
            long_name="q",
        ),
        nexus.array(
            f"{path}/data/radial_axis_edges", edges, ("radial_axis_edges",), "1/nm",
            long_name="q bin edges",
        ),
        nexus.scalar(f"{path}/reduction/reference", PYFAI_PAPER),
    ]  # fmt: skip
    note = "each frame over the azimuth, per frame: not divided by its exposure"
    return [
        (groups, arrays),
        instrument_groups(
            f"{path}/instrument", labels.instrument, geometry, labels.facility or "unknown"
        ),
        reduction_part(f"{path}/reduction", labels, note, stack_facts(stack)),
    ]


def purity_document(peak: ElutedPeak) -> dict[str, float | str | None]:
    """Give how clean a peak is, as plain numbers."""
    purity = peak.purity
    whole, clean = purity.whole, purity.clean
    return {
        "found_frames": f"{peak.found.start + 1}-{peak.found.stop}",
        "valley_share": purity.valley_share,
        "rg_change_nm": None if whole is None else whole.change_nm,
        "rg_change_error_nm": None if whole is None else whole.error_nm,
        "rg_change_used_nm": None if clean is None else clean.change_nm,
        "rg_change_used_error_nm": None if clean is None else clean.error_nm,
        "least_shape_probability": purity.least_probability,
    }


def _history(found: SecSaxs, labels: Labels) -> list[Part]:
    path = "/reduction"
    summary = (
        "1 azimuthal integration of every frame; 2 chromatogram; 3 buffer region; 4 peaks; "
        "5 Guinier fit along the elution; 6 for each peak average, subtraction, analysis"
    )
    parts: list[Part] = [
        ([nexus.group(path, "NXentry")], []),
        reduction_part(f"{path}/process", labels, summary),
        run_part(f"{path}/sample_frames", found.run, similarity=False),
    ]
    for number, peak in enumerate(found.peaks, start=1):
        clean = {**purity_document(peak), "doubts": "; ".join(peak.doubts) or None}
        parts.append(nexus.parameters_group(f"{path}/peak_{number}", clean))
    if not found.buffer_in_run:
        parts += [
            run_part(f"{path}/buffer_frames_{number}", run)
            for number, run in enumerate(found.buffer, start=1)
        ]
    said = [text for peak in found.peaks for text in peak.chain.warnings] + list(found.failures)
    if said:
        warnings = np.array(list(dict.fromkeys(said)))
        parts.append(([], [nexus.array(f"{path}/warnings", warnings, ("warning",))]))
    return parts
