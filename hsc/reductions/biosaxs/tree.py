"""How the results of the solution-scattering chain are laid out as a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reductions import nexus
from hsc.reductions.azimuthal.instrument import instrument_groups
from hsc.reductions.azimuthal.integration import FrameSums, Stack, stack_facts
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.guinier import GuinierFit
from hsc.store import NewArray, NewGroup, NewTree

_Part = tuple[list[NewGroup], list[NewArray]]


@dataclass(frozen=True, slots=True)
class Half:
    """What was measured of the sample, or of the buffer."""

    curve: Curve
    """Average of the kept frames."""
    kept: NDArray[np.bool_]
    """Which frames were averaged."""
    sums: FrameSums
    """Sums for each frame and bin."""
    stack: Stack
    """Frames and binning."""
    exposure_s: float | None
    """Exposure of each frame; None: unknown for both, intensities are per frame."""


@dataclass(frozen=True, slots=True)
class Subtracted:
    """Sample less buffer, with both."""

    curve: Curve
    """The difference."""
    sample: Half
    """The sample."""
    buffer: Half
    """The buffer."""
    edges_per_nm: NDArray[np.float64]
    """Edges of all bins, empty ones included, 1/nm."""
    bin: NDArray[np.int64]
    """Which bin each point of the curves is."""


def biosaxs_tree(
    subtracted: Subtracted,
    fit: GuinierFit,
    *,
    sample_name: str | None,
    instrument: str | None,
    parameters: Mapping[str, Any],
    version: str,
) -> NewTree:
    """Arrange curves, fit and history under NeXus names."""
    geometry = subtracted.sample.stack.binning.geometry
    per = "frame" if subtracted.sample.exposure_s is None else "second"
    note = "1 average of frames as ratio of sums; 2 sample less buffer; 3 Guinier fit"
    parts: list[_Part] = [
        ([nexus.group("/entry", "NXentry", default="subtracted")], []),
        _curve("/entry/subtracted", subtracted.curve, per),
        _curve("/entry/sample_curve", subtracted.sample.curve, per),
        _curve("/entry/buffer_curve", subtracted.buffer.curve, per),
        _guinier("/entry/guinier", subtracted.curve, fit),
        _process("/entry/reduction", version, note, parameters),
        instrument_groups("/entry/instrument", instrument, geometry),
        _frames("/entry/reduction/sample_frames", subtracted.sample),
        _frames("/entry/reduction/buffer_frames", subtracted.buffer),
    ]
    arrays = [
        nexus.array("/entry/reduction/q_edges", subtracted.edges_per_nm, ("q_edges",), "1/nm"),
        nexus.array("/entry/reduction/bin", subtracted.bin, ("q",)),
    ]
    if sample_name:
        parts.append(
            (
                [nexus.group("/entry/sample", "NXsample")],
                [nexus.scalar("/entry/sample/name", sample_name)],
            )
        )
    roles = {
        "q": "/entry/subtracted/q",
        "intensity": "/entry/subtracted/I",
        "intensity_error": "/entry/subtracted/I_errors",
    }
    return NewTree(
        tuple(one for groups, _ in parts for one in groups),
        (*(one for _, more in parts for one in more), *arrays),
        roles,
    )


def _curve(path: str, curve: Curve, per: str) -> _Part:
    said = f"mean counts per pixel and {per}, relative to its solid angle"
    return (
        [nexus.group(path, "NXdata", signal="I", axes=["q"], q_indices=[0])],
        [
            nexus.array(f"{path}/q", curve.q_per_nm, ("q",), "1/nm"),
            nexus.array(
                f"{path}/I",
                curve.intensity,
                ("q",),
                "arbitrary",
                long_name=said,
                uncertainties="I_errors",
            ),
            nexus.array(f"{path}/I_errors", curve.error, ("q",), "arbitrary"),
        ],
    )


def _guinier(path: str, curve: Curve, fit: GuinierFit) -> _Part:
    q, intensity = curve.q_per_nm[fit.used], curve.intensity[fit.used]
    error = curve.error[fit.used] / intensity
    line = fit.log_intensity(q)
    dims = ("guinier_q",)
    reference = "A. Guinier and G. Fournet, Small-Angle Scattering of X-Rays, Wiley 1955"
    return (
        [
            nexus.group(
                path,
                "NXdata",
                signal="ln_intensity",
                axes=["q_squared"],
                q_squared_indices=[0],
                reference=reference,
            )
        ],
        [
            nexus.array(f"{path}/q_squared", q**2, dims, "1/nm^2"),
            nexus.array(f"{path}/ln_intensity", np.log(intensity), dims, "1"),
            nexus.array(f"{path}/ln_intensity_errors", error, dims, "1"),
            nexus.array(f"{path}/line", line, dims, "1"),
            nexus.array(
                f"{path}/residuals",
                (np.log(intensity) - line) / error,
                dims,
                "1",
                long_name="(ln I - line) / σ",
            ),
            nexus.scalar(f"{path}/rg", fit.rg_nm, "nm"),
            nexus.scalar(f"{path}/rg_error", fit.rg_error_nm, "nm"),
            nexus.scalar(f"{path}/i0", fit.i0, "arbitrary"),
            nexus.scalar(f"{path}/i0_error", fit.i0_error, "arbitrary"),
            nexus.scalar(f"{path}/q_min", fit.q_min_per_nm, "1/nm"),
            nexus.scalar(f"{path}/q_max", fit.q_max_per_nm, "1/nm"),
            nexus.scalar(f"{path}/points", fit.points),
            nexus.scalar(f"{path}/chi2", fit.chi2, "1"),
        ],
    )


def _process(path: str, version: str, note: str, parameters: Mapping[str, Any]) -> _Part:
    groups, arrays = nexus.process_group(path, "biosaxs", version, note)
    more_groups, more_arrays = nexus.parameters_group(f"{path}/input", parameters)
    return groups + more_groups, arrays + more_arrays


def _frames(path: str, half: Half) -> _Part:
    groups, arrays = nexus.parameters_group(
        path, {**stack_facts(half.stack), "count_time_s": half.exposure_s}
    )
    totals = half.sums.signal.sum(axis=1, dtype=np.uint64)
    name = f"{path.rsplit('/', 1)[1]}_frame"
    arrays += [
        nexus.array(f"{path}/kept", half.kept, (name,)),
        nexus.array(f"{path}/total", totals, (name,), "counts"),
        nexus.array(f"{path}/left_out", half.sums.left_out, (name,), "pixels"),
    ]
    return groups, arrays
