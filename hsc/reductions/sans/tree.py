"""How the results of neutron events are laid out as a tree: NXcanSAS, with C and D beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.reductions import nexus
from hsc.reductions.sans.bands import Bands
from hsc.reductions.sans.intensity import Intensity, Measured
from hsc.reductions.sans.parameters import SansBins
from hsc.store import NewArray, NewGroup, NewTree

_Part = tuple[list[NewGroup], list[NewArray]]
_ENTRY = "/sasentry"
_STEPS = (
    ("count", "events of good pixels by wavelength and Q, bins right-open, counts whole numbers"),
    ("monitors", "monitor counts by wavelength, less their mean background"),
    ("transmission", "(transmitted / transmitted empty) (incident empty / incident)"),
    ("normalize", "sum of counts / sum of incident x transmission x solid angle x direct beam"),
    ("subtract", "sample less background, both normalized"),
)


@dataclass(frozen=True, slots=True, eq=False)
class SansResult:
    """What a reduction of neutron events gives."""

    bins: SansBins
    """The bins."""
    sample: Measured
    """What the sample's runs add up to."""
    background: Measured | None
    """What the background's runs add up to; None: there are none."""
    curve: Intensity
    """I(Q)."""
    flat: Intensity
    """I(Qx, Qy): (Qy, Qx)."""
    direct_beam: NDArray[np.float64]
    """The direct beam function at the middle of each bin of wavelength."""
    bands: Bands | None = None
    """I(Q) in bands of wavelength; None: not wanted."""
    warnings: tuple[str, ...] = ()
    """What is assumed and was not checked."""

    def used(self) -> NDArray[np.bool_]:
        """Tell which bins of Q have an intensity.

        Raises
        ------
        ReductionError
            None has one.
        """
        used = np.isfinite(self.curve.values)
        if not used.any():
            raise ReductionError(
                "no bin of Q could have counted anything",
                next_step="check the ranges of Q and wavelength, and that monitors and the empty "
                "beam cover them",
            )
        return used

    def used_q(self) -> NDArray[np.float64]:
        """Give the middle of each bin that has an intensity, 1/angstrom."""
        edges = self.bins.q.edges
        return np.asarray(((edges[:-1] + edges[1:]) * 0.5)[self.used()])


def sans_tree(
    result: SansResult,
    *,
    sample_name: str | None,
    instrument: str | None,
    facts: Mapping[str, Any],
    parameters: Mapping[str, Any],
    version: str,
) -> NewTree:
    """Arrange curves, sums and history as NXcanSAS 1.1 has them."""
    root = nexus.group("/", "NXroot", default="sasentry")
    entry = nexus.group(
        _ENTRY, "NXentry", canSAS_class="SASentry", version="1.1", default="sasdata01"
    )
    named = [
        nexus.scalar(f"{_ENTRY}/definition", "NXcanSAS"),
        nexus.scalar(f"{_ENTRY}/title", f"I(Q) of {sample_name or 'a sample'}"),
        nexus.scalar(f"{_ENTRY}/run", sample_name or "unknown"),
    ]
    parts: list[_Part] = [
        ([root, entry], named),
        _curve(result),
        _flat(result),
        _bands(result),
        _instrument(instrument),
        _sample(sample_name),
        *_steps(result, facts, parameters, version),
        _sums("sample", result.sample, result.bins),
        *([_sums("background", result.background, result.bins)] if result.background else []),
        _transmission("sample", result.sample, result.bins),
        *(
            [_transmission("background", result.background, result.bins)]
            if result.background
            else []
        ),
        _axes(result),
    ]
    return NewTree(
        tuple(one for groups, _ in parts for one in groups),
        tuple(one for _, arrays in parts for one in arrays),
        _roles(result),
    )


def _roles(result: SansResult) -> dict[str, str]:
    sums = f"{_ENTRY}/sums"
    roles = {
        "q": f"{_ENTRY}/sasdata01/Q",
        "intensity": f"{_ENTRY}/sasdata01/I",
        "intensity_error": f"{_ENTRY}/sasdata01/Idev",
        "wavelength_edges": f"{sums}/wavelength",
        "q_edges": f"{sums}/Q",
    }
    kinds = ["sample", *(["background"] if result.background else [])]
    for kind in kinds:
        end = "" if kind == "sample" else f"@{kind}"
        roles[f"counts{end}"] = f"{sums}/{kind}/C"
        roles[f"denominator{end}"] = f"{sums}/{kind}/D"
    return roles


def _curve(result: SansResult) -> _Part:
    path, used = f"{_ENTRY}/sasdata01", result.used()
    data = _data(path, "I", "Q", [0])
    unit = "arbitrary"
    error = np.sqrt(result.curve.variances[used])
    return [data], [
        nexus.array(f"{path}/Q", result.used_q(), ("Q",), "1/angstrom"),
        nexus.array(f"{path}/I", result.curve.values[used], ("Q",), unit, uncertainties="Idev"),
        nexus.array(f"{path}/Idev", error, ("Q",), unit),
    ]


def _flat(result: SansResult) -> _Part:
    if result.bins.qxy is None:
        return [], []
    path, edges = f"{_ENTRY}/sasdata02", result.bins.qxy.edges
    middle = (edges[:-1] + edges[1:]) * 0.5
    shape, dims = result.flat.values.shape, ("Qy", "Qx")
    group = _data(path, "I", "Qx,Qy", [0, 1], mask="mask")
    x, y = np.broadcast_to(middle, shape).copy(), np.broadcast_to(middle[:, None], shape).copy()
    error = np.sqrt(result.flat.variances)
    return [group], [
        nexus.array(f"{path}/Qx", x, dims, "1/angstrom"),
        nexus.array(f"{path}/Qy", y, dims, "1/angstrom"),
        nexus.array(f"{path}/I", result.flat.values, dims, "arbitrary", uncertainties="Idev"),
        nexus.array(f"{path}/Idev", error, dims, "arbitrary"),
        nexus.array(f"{path}/mask", ~np.isfinite(result.flat.values), dims),
    ]


def _bands(result: SansResult) -> _Part:
    if result.bands is None:
        return [], []
    path, dims = f"{_ENTRY}/bands", ("band", "Q_bin")
    q, found = result.bins.q.edges, result.bands.intensity
    group = nexus.group(path, "NXdata", signal="I", axes=[".", "Q"])
    return [group], [
        nexus.array(f"{path}/Q", (q[:-1] + q[1:]) * 0.5, dims[1:], "1/angstrom"),
        nexus.array(f"{path}/wavelength", result.bands.edges, ("band_edge",), "angstrom"),
        nexus.array(f"{path}/I", found.values, dims, "arbitrary", uncertainties="Idev"),
        nexus.array(f"{path}/Idev", np.sqrt(found.variances), dims, "arbitrary"),
    ]


def _data(path: str, signal: str, axes: str, indices: list[int], **more: Any) -> NewGroup:
    return nexus.group(
        path,
        "NXdata",
        canSAS_class="SASdata",
        signal=signal,
        I_axes=axes,
        Q_indices=indices,
        **more,
    )


def _instrument(name: str | None) -> _Part:
    path = f"{_ENTRY}/sasinstrument"
    return [
        nexus.group(path, "NXinstrument", canSAS_class="SASinstrument"),
        nexus.group(f"{path}/sassource", "NXsource", canSAS_class="SASsource"),
    ], [
        nexus.scalar(f"{path}/name", name or "unknown"),
        nexus.scalar(f"{path}/sassource/radiation", "neutron"),
    ]


def _sample(name: str | None) -> _Part:
    path = f"{_ENTRY}/sassample"
    return [nexus.group(path, "NXsample", canSAS_class="SASsample")], [
        nexus.scalar(f"{path}/name", name or "unknown")
    ]


def _steps(
    result: SansResult, facts: Mapping[str, Any], parameters: Mapping[str, Any], version: str
) -> list[_Part]:
    parts: list[_Part] = []
    for number, (name, description) in enumerate(_STEPS, start=1):
        if name == "subtract" and result.background is None:
            continue
        path = f"{_ENTRY}/sasprocess{number:02d}"
        groups = [nexus.group(path, "NXprocess", canSAS_class="SASprocess")]
        arrays = [
            nexus.scalar(f"{path}/name", name),
            nexus.scalar(f"{path}/description", description),
            nexus.scalar(f"{path}/sequence_index", number),
            nexus.scalar(f"{path}/program", "hsc sans"),
            nexus.scalar(f"{path}/version", version),
        ]
        if number == 1 and result.warnings:
            said = np.array(result.warnings)
            arrays.append(nexus.array(f"{path}/warnings", said, ("warning",)))
        if number == 1:
            given = nexus.parameters_group(f"{path}/input", parameters)
            found = nexus.parameters_group(f"{path}/found", facts)
            groups += [*given[0], *found[0]]
            arrays += [*given[1], *found[1]]
        parts.append((groups, arrays))
    return parts


def _axes(result: SansResult) -> _Part:
    path = f"{_ENTRY}/sums"
    arrays = [
        nexus.array(
            f"{path}/wavelength", result.bins.wavelength.edges, ("wavelength_edge",), "angstrom"
        ),
        nexus.array(f"{path}/Q", result.bins.q.edges, ("Q_edge",), "1/angstrom"),
        nexus.array(f"{path}/direct_beam", result.direct_beam, ("wavelength",), "1"),
    ]
    if result.bins.qxy:
        edges = result.bins.qxy.edges
        arrays.append(nexus.array(f"{path}/Qxy", edges, ("Qxy_edge",), "1/angstrom"))
    return [nexus.group(path, "NXcollection")], arrays


def _sums(kind: str, measured: Measured, bins: SansBins) -> _Part:
    path, dims = f"{_ENTRY}/sums/{kind}", ("wavelength", "Q_bin")
    counts, divisor = measured.counts, measured.denominator
    arrays = [
        nexus.array(f"{path}/C", counts.radial, dims, "counts"),
        nexus.array(f"{path}/D", divisor.radial, dims, "counts"),
        nexus.array(f"{path}/D_variances", divisor.radial_variance, dims, "counts^2"),
        nexus.array(f"{path}/left_out", counts.left_out, ("reason",), "counts"),
        nexus.array(f"{path}/incident", measured.incident.values, dims[:1], "counts"),
        nexus.array(
            f"{path}/incident_variances", measured.incident.variances, dims[:1], "counts^2"
        ),
    ]
    if bins.qxy:
        plane = ("Qy", "Qx")
        arrays += [
            nexus.array(f"{path}/C_xy", counts.flat, plane, "counts"),
            nexus.array(f"{path}/D_xy", divisor.flat, plane, "counts"),
            nexus.array(f"{path}/D_xy_variances", divisor.flat_variance, plane, "counts^2"),
        ]
    return [nexus.group(path, "NXcollection")], arrays


def _transmission(kind: str, measured: Measured, bins: SansBins) -> _Part:
    path = f"{_ENTRY}/sastransmission_spectrum_{kind}"
    group = nexus.group(
        path,
        "NXdata",
        canSAS_class="SAStransmission_spectrum",
        signal="T",
        T_axes="T",  # NXcanSAS allows no other, and knows samples and cans
        name="sample" if kind == "sample" else "can",
    )
    values, dims = measured.transmission, ("wavelength",)
    return [group], [
        nexus.array(f"{path}/lambda", bins.middles_angstrom, dims, "angstrom"),
        nexus.array(f"{path}/T", values.values, dims, "1", uncertainties="Tdev"),
        nexus.array(f"{path}/Tdev", np.sqrt(values.variances), dims, "1"),
    ]
