"""The tree of a spectrum of circular dichroism: NXdata along a wavelength, and what led there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reductions import nexus
from hsc.reductions.srcd.averages import Average
from hsc.reductions.srcd.molar import UNITS, Unit
from hsc.store import NewArray, NewTree

_DATA, _STEPS, _PROCESS = "/entry/data", "/entry/averages", "/entry/process"
_AXIS = ("wavelength",)


@dataclass(frozen=True, slots=True)
class Curve:
    """A spectrum and what it was made of, along one axis."""

    wavelength_nm: NDArray[np.float64]
    """(points,), rising."""
    sample: Average
    """Average of the sample's scans, mdeg."""
    baseline: Average | None
    """Average of the baseline's scans, mdeg; None: none was given."""
    corrected: Average
    """Sample less baseline, zeroed where asked, mdeg."""
    converted: Average
    """The same in the unit asked for."""
    beyond: NDArray[np.bool_]
    """(points,): whether a scan was beyond a cut-off."""
    ht_v: NDArray[np.float64] | None
    """(points,): mean tension of the sample's scans; None: not recorded by all."""
    unit: Unit
    """The unit asked for."""

    @property
    def signal(self) -> str:
        """Name of the array in the unit asked for."""
        return "ellipticity" if self.unit == "mdeg" else self.unit


def srcd_tree(
    curve: Curve,
    instrument: str | None,
    parameters: Mapping[str, Any],
    formula: str,
    version: str,
    order: str,
) -> NewTree:
    """Write a spectrum as NXdata, its averages beside it, and what was done."""
    note = "average, subtract the baseline's average, zero where asked, convert: " + formula
    process_groups, process_arrays = nexus.process_group(_PROCESS, "srcd", version, note, order)
    input_groups, input_arrays = nexus.parameters_group(f"{_PROCESS}/input", parameters)
    data = {"signal": curve.signal, "axes": list(_AXIS), "wavelength_indices": [0]}
    groups = [
        nexus.group("/entry", "NXentry", default="data"),
        nexus.group("/entry/instrument", "NXinstrument"),
        nexus.group(_DATA, "NXdata", **data),
        nexus.group(_STEPS, "NXcollection"),
        *process_groups,
        *input_groups,
    ]
    arrays = [
        nexus.scalar("/entry/instrument/name", instrument or "unknown"),
        nexus.array(f"{_DATA}/wavelength", curve.wavelength_nm, _AXIS, "nm"),
        *_with_errors(f"{_DATA}/{curve.signal}", curve.converted, UNITS[curve.unit]),
        nexus.array(f"{_DATA}/beyond_cutoff", curve.beyond, _AXIS),
        *_with_errors(f"{_STEPS}/sample", curve.sample, "mdeg"),
        *process_arrays,
        *input_arrays,
    ]
    roles = {"wavelength": f"{_DATA}/wavelength", "beyond_cutoff": f"{_DATA}/beyond_cutoff"}
    if curve.baseline is not None:
        arrays += _with_errors(f"{_STEPS}/baseline", curve.baseline, "mdeg")
    if curve.unit != "mdeg":
        arrays += _with_errors(f"{_STEPS}/ellipticity", curve.corrected, "mdeg")
    if curve.ht_v is not None:
        arrays.append(nexus.array(f"{_DATA}/ht", curve.ht_v, _AXIS, "V"))
        roles["ht"] = f"{_DATA}/ht"
    place = _DATA if curve.unit == "mdeg" else _STEPS
    for name, path in {"ellipticity": place, curve.signal: _DATA}.items():
        roles[name] = f"{path}/{name}"
        roles[f"{name}_error"] = f"{path}/{name}_errors"
    return NewTree(tuple(groups), tuple(arrays), roles)


def _with_errors(path: str, average: Average, units: str) -> list[NewArray]:
    return [
        nexus.array(path, average.values, _AXIS, units),
        nexus.array(f"{path}_errors", average.errors, _AXIS, units),
    ]
