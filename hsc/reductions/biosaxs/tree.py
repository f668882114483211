"""How the results of the solution-scattering chain are laid out as a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hsc.reductions import nexus
from hsc.reductions.azimuthal.instrument import instrument_groups
from hsc.reductions.azimuthal.stack import stack_facts
from hsc.reductions.biosaxs.chain import Chain
from hsc.reductions.biosaxs.entries import (
    Part,
    join_parts,
    sas_data,
    sas_entry,
    sas_sample,
    sas_steps,
)
from hsc.reductions.biosaxs.numbers_tree import analysis_part
from hsc.reductions.biosaxs.runs import Run, Side
from hsc.reductions.geometry import Geometry
from hsc.store import NewArray, NewGroup, NewTree

_CANSAS = {"NXinstrument": "SASinstrument", "NXdetector": "SASdetector"}


@dataclass(frozen=True, slots=True)
class Labels:
    """What a tree says beside the numbers."""

    sample_name: str | None
    """Name of the sample; None: not known."""
    instrument: str | None
    """Name of the instrument; None: not known."""
    parameters: Mapping[str, Any]
    """All parameters, defaults written out."""
    name: str
    """Name of the reduction."""
    version: str
    """Version of the reduction."""
    concentration_g_per_l: float | None = None
    """Concentration of the sample, of an elution as it was loaded; None: not known."""
    facility: str | None = None
    """Name of the facility; None: not known."""

    @property
    def met_concentration_g_per_l(self) -> float | None:
        """Concentration of what the beam met; None: not known, as of what a column thinned out."""
        return None if self.name == "sec_saxs" else self.concentration_g_per_l


def biosaxs_tree(chain: Chain, labels: Labels) -> NewTree:
    """Arrange curves as NXcanSAS entries, analysis and history beside them.

    ``/entry`` is the subtracted curve with instrument and steps, ``/entry_sample`` and
    ``/entry_buffer`` are the averages, all on the same q. ``/results`` holds the fits, plots and
    numbers of a paper, ``/reduction`` what was chosen and found on the way.
    """
    groups, arrays = join_parts([
        *_curves(chain, labels),
        ([nexus.group("/results", "NXentry", default="guinier")], []),
        analysis_part("/results", chain.analysis),
        *_history(chain, labels),
    ])  # fmt: skip
    roles = {
        "q": "/entry/data/Q",
        "intensity": "/entry/data/I",
        "intensity_error": "/entry/data/Idev",
    }
    return NewTree((NewGroup("/", {"default": "entry"}), *groups), tuple(arrays), roles)


def curve_entry(
    chain: Chain, labels: Labels, path: str, dimension: str = "Q", what: str = ""
) -> list[Part]:
    """Write the subtracted curve with sample, instrument and steps as an NXcanSAS entry."""
    run = chain.sample.runs[0]
    sample = labels.sample_name or "sample"
    unit = chain.analysis.intensity_unit
    return [
        sas_entry(path, title=f"{sample}, {what}buffer subtracted", run=run.title),
        sas_data(f"{path}/data", chain.curve, unit, _said(chain, "sample less buffer"), dimension),
        sas_sample(f"{path}/sample", labels.sample_name, labels.met_concentration_g_per_l),
        sas_instrument(f"{path}/instrument", labels.instrument, run.stack.binning.geometry),
        sas_steps(path, chain.steps, labels.version),
    ]


def sas_instrument(path: str, name: str | None, geometry: Geometry) -> Part:
    """Write wavelength and detector geometry in the terms of NeXus and of NXcanSAS."""
    groups, arrays = instrument_groups(path, name, geometry)
    groups = [NewGroup(one.path, {**one.attributes, **_cansas(one)}) for one in groups]
    # NXcanSAS: "a length, not a pixel position".
    centre = {
        f"{path}/detector/beam_center_x": geometry.beam_center_x_pixels * geometry.x_pixel_size_m,
        f"{path}/detector/beam_center_y": geometry.beam_center_y_pixels * geometry.y_pixel_size_m,
    }
    arrays = [
        nexus.scalar(one.path, centre[one.path], "m") if one.path in centre else one
        for one in arrays
    ]
    if f"{path}/detector/name" not in {one.path for one in arrays}:
        arrays.append(nexus.scalar(f"{path}/detector/name", "unknown"))
    arrays += [
        nexus.scalar(f"{path}/detector/SDD", geometry.distance_m, "m"),
        nexus.scalar(
            f"{path}/source/incident_wavelength", geometry.wavelength_angstrom, "angstrom"
        ),
        nexus.scalar(f"{path}/source/probe", "x-ray"),
        nexus.scalar(f"{path}/source/radiation", "x-ray"),
    ]
    source = nexus.group(f"{path}/source", "NXsource", canSAS_class="SASsource")
    return [*groups, source], arrays


def reduction_part(
    path: str, labels: Labels, summary: str, facts: Mapping[str, Any] | None = None
) -> Part:
    """Write the reduction's name, version and parameters."""
    groups, arrays = nexus.process_group(path, labels.name, labels.version, summary)
    more_groups, more_arrays = nexus.parameters_group(
        f"{path}/input", {**labels.parameters, **(facts or {})}
    )
    return groups + more_groups, arrays + more_arrays


def run_part(path: str, run: Run, *, similarity: bool = True) -> Part:
    """Write what was found in a run, which frames are kept, and how alike they are."""
    groups, arrays = nexus.parameters_group(
        path,
        {
            **stack_facts(run.stack),
            "count_time_s": run.exposure_s,
            "transmission": run.transmission,
        },
    )
    name = f"{path.rsplit('/', 1)[1]}_frame"
    totals = run.sums.signal.sum(axis=1)
    arrays += [
        nexus.scalar(f"{path}/run", run.title),
        nexus.array(f"{path}/kept", run.kept, (name,)),
        nexus.array(f"{path}/total", totals, (name,), "counts"),
        nexus.array(f"{path}/left_out", run.sums.left_out, (name,), "pixels"),
    ]
    if run.similarity is not None and similarity:
        group = f"{path}/similarity"
        other = f"{name}_other"
        groups.append(nexus.group(group, "NXdata", signal="longest"))
        lengths = f"{name}_longest_run"
        arrays += [
            nexus.array(
                f"{group}/probability", run.similarity.chance, (lengths,), "1",
                long_name="probability of a longest run of 0, 1, 2 ... points by chance",
            ),
            nexus.array(
                f"{group}/longest", run.similarity.longest, (name, other), "1",
                long_name="longest run of one sign in the difference of two frames",
            ),
            nexus.scalar(f"{group}/points", run.similarity.points),
        ]  # fmt: skip
    return groups, arrays


def _curves(chain: Chain, labels: Labels) -> list[Part]:
    unit = chain.analysis.intensity_unit
    parts = curve_entry(chain, labels, "/entry")
    for side in (chain.sample, chain.buffer):
        path = f"/entry_{side.name}"
        title = (
            f"{labels.sample_name or 'sample'}: {side.name}, average of {side.frames_kept} frames"
        )
        parts.append(sas_entry(path, title=title, run=side.runs[0].title))
        parts.append(sas_data(f"{path}/data", side.curve, unit, _said(chain, side.name)))
    return parts


def _history(chain: Chain, labels: Labels) -> list[Part]:
    summary = "; ".join(f"{n} {step.title}" for n, step in enumerate(chain.steps, start=1))
    path = "/reduction"
    arrays: list[NewArray] = [
        nexus.array(f"{path}/process/q_edges", chain.edges_per_nm, ("q_edges",), "1/nm"),
        nexus.array(f"{path}/process/bin", chain.bin, ("Q",)),
    ]
    if chain.warnings:
        arrays.append(nexus.array(f"{path}/warnings", np.array(chain.warnings), ("warning",)))
    parts: list[Part] = [
        ([nexus.group(path, "NXentry")], arrays),
        reduction_part(f"{path}/process", labels, summary),
    ]
    for side in (chain.sample, chain.buffer):
        parts += _side(path, side)
    return parts


def _side(path: str, side: Side) -> list[Part]:
    parts: list[Part] = []
    for number, run in enumerate(side.runs, start=1):
        suffix = "" if len(side.runs) == 1 else f"_{number}"
        parts.append(run_part(f"{path}/{side.name}_frames{suffix}", run))
    if len(side.runs) > 1:
        dims = (f"{side.name}_run", f"{side.name}_run_other")
        array = nexus.array(
            f"{path}/{side.name}_runs_alike", side.between, dims, "1",
            long_name="probability that the averages of two runs show the same",
        )  # fmt: skip
        parts.append(([], [array]))
    return parts


def _said(chain: Chain, what: str) -> str:
    if chain.scale is not None:
        return f"{what}, dΣ/dΩ"
    run = chain.sample.runs[0]
    per = "frame" if run.exposure_s is None else "second"
    return f"{what}, mean counts per pixel and {per}, relative to its solid angle"


def _cansas(group: NewGroup) -> dict[str, str]:
    name = _CANSAS.get(str(group.attributes.get("NX_class")))
    return {} if name is None else {"canSAS_class": name}
