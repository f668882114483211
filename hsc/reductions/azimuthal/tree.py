"""How integrated frames are laid out: NXazint1d for curves, NXazint2d for cakes.

The definitions are MAX IV's, contributed to nexusformat/definitions. Two things differ on purpose.
No ``date`` stands in the reduction: the same inputs give the same bytes, and the activity knows
when. The exact sums stand beside, in ``reduction/sums``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.model import Dataset
from hsc.reductions import nexus
from hsc.reductions.azimuthal.binning import Binning
from hsc.reductions.azimuthal.instrument import instrument_groups
from hsc.reductions.azimuthal.stack import Stack, stack_facts
from hsc.reductions.azimuthal.sums import FrameSums
from hsc.store import NewArray, NewGroup, NewTree

_ARBITRARY = "arbitrary units"
PYFAI_PAPER = "G. Ashiotis and others, J. Appl. Cryst. 48 (2015) 510-519, 10.1107/S1600576715004306"
"""Where the integration is published."""
_AXES = {
    "q_nm^-1": ("q", "1/nm"),
    "q_A^-1": ("q", "1/angstrom"),
    "2th_deg": ("2theta", "degrees"),
    "2th_rad": ("2theta", "rad"),
    "r_mm": ("radius", "mm"),
    "d_nm": ("d", "nm"),
    "d_A": ("d", "angstrom"),
    "d*2_nm^-2": ("1/d^2", "1/nm^2"),
    "d*2_A^-2": ("1/d^2", "1/angstrom^2"),
    "qx_nm^-1": ("Qx", "1/nm"),
    "qx_A^-1": ("Qx", "1/angstrom"),
    "qy_nm^-1": ("Qy", "1/nm"),
    "qy_A^-1": ("Qy", "1/angstrom"),
}


def azimuthal_tree(
    record: Dataset,
    stack: Stack,
    sums: FrameSums,
    parameters: Mapping[str, Any],
    process: tuple[str, str],
) -> NewTree:
    """Arrange sums and what follows from them.

    Parameters
    ----------
    record
        Of the dataset that the frames are from.
    stack, sums
        The frames, and what they sum to.
    parameters
        As they were given, defaults written out.
    process
        Version and summary of the reduction.
    """
    cake = stack.binning.azimuthal_bins > 0
    at = _place(stack.binning)
    groups = [nexus.group("/entry", "NXentry", default="azint2d" if cake else "data")]
    if cake:
        groups.append(nexus.group(at, "NXsubentry", default="data"))
    groups.append(nexus.group(f"{at}/data", "NXdata", **_data_attributes(cake)))
    groups.append(nexus.group(f"{at}/reduction/sums", "NXcollection"))
    arrays = [
        nexus.scalar(f"{at}/definition", "NXazint2d" if cake else "NXazint1d"),
        *_applied(stack),
        *frame_arrays(stack, sums),
        *_axes(f"{at}/data", stack.binning),
        norm_array(stack.binning, sums.count.max(axis=0)),
        nexus.scalar(f"{at}/reduction/reference", PYFAI_PAPER),
    ]
    version, summary = process
    for more_groups, more_arrays in (
        nexus.process_group(f"{at}/reduction", "azimuthal", version, summary),
        nexus.parameters_group(f"{at}/reduction/input", {**parameters, **stack_facts(stack)}),
        instrument_groups(
            f"{at}/instrument", record.instrument, stack.binning.geometry, record.facility
        ),
        _monitor(f"{at}/monitor", stack, bool(parameters.get("monitor"))),
    ):
        groups += more_groups
        arrays += more_arrays
    roles = {
        "q": f"{at}/data/radial_axis",
        "intensity": f"{at}/data/I",
        "intensity_error": f"{at}/data/I_errors",
    }
    if _AXES[stack.binning.radial_unit][0] != "q":
        del roles["q"]
    if not _has_errors(stack):
        del roles["intensity_error"]
    return NewTree(tuple(groups), tuple(arrays), roles)


def frame_arrays(stack: Stack, sums: FrameSums) -> list[NewArray]:
    """Give the arrays that have a row for each frame: intensities, and sums.

    Without an error model there are neither variances nor errors: 0 would be believed as one.
    """
    at = _place(stack.binning)
    return [*_intensity(f"{at}/data", stack, sums), *_sums(f"{at}/reduction/sums", stack, sums)]


def norm_array(binning: Binning, count: NDArray[Any]) -> NewArray:
    """Give the array of pixels in each bin, of the largest number in any frame, (bins,)."""
    return nexus.array(
        f"{_place(binning)}/data/norm",
        _shaped(binning, count[None])[0],
        _dimensions(binning)[1:],
        _ARBITRARY,
        long_name="number of pixels contributing to the corresponding bin",
    )


def _place(binning: Binning) -> str:
    # NXazint2d is defined below an NXsubentry, NXazint1d for a single reduction directly.
    return "/entry/azint2d" if binning.azimuthal_bins else "/entry"


def _data_attributes(cake: bool) -> dict[str, Any]:
    axes = [".", "azimuthal_axis", "radial_axis"] if cake else [".", "radial_axis"]
    return {"signal": "I", "axes": axes, "interpretation": "image" if cake else "spectrum"}


def _applied(stack: Stack) -> list[NewArray]:
    binning = stack.binning
    return [
        nexus.scalar("/entry/solid_angle_applied", binning.solid_angle),
        nexus.scalar("/entry/polarization_applied", binning.polarization_factor is not None),
        nexus.scalar("/entry/normalization_applied", bool((stack.scales != 1).any())),
    ]


def _monitor(path: str, stack: Stack, used: bool) -> tuple[list[NewGroup], list[NewArray]]:
    if not used:
        return [], []
    said = nexus.array(f"{path}/data", stack.scales, ("frame",), long_name="monitor × factor")
    return [nexus.group(path, "NXmonitor")], [said]


def _shaped(binning: Binning, values: NDArray[Any]) -> NDArray[Any]:
    """Give (frames, bins) of a curve, (frames, azimuth, radius) of a cake."""
    if not binning.azimuthal_bins:
        return values
    cake = values.reshape(len(values), binning.bins, binning.azimuthal_bins)
    return np.ascontiguousarray(cake.transpose(0, 2, 1))


def _dimensions(binning: Binning) -> tuple[str, ...]:
    azimuth = ("azimuthal_axis",) if binning.azimuthal_bins else ()
    return ("frame", *azimuth, "radial_axis")


def _intensity(path: str, stack: Stack, sums: FrameSums) -> list[NewArray]:
    intensity, error = (_shaped(stack.binning, one) for one in sums.intensity())
    both = _dimensions(stack.binning)
    known = _has_errors(stack)
    said = {"uncertainties": "I_errors"} if known else {}
    found = nexus.array(f"{path}/I", intensity, both, _ARBITRARY, long_name="intensity", **said)
    if not known:
        return [found]
    name = "estimated intensity error"
    return [found, nexus.array(f"{path}/I_errors", error, both, _ARBITRARY, long_name=name)]


def _has_errors(stack: Stack) -> bool:
    return stack.summing.model != "none"


def _axes(path: str, binning: Binning) -> list[NewArray]:
    name, units = _AXES[binning.radial_unit]
    arrays = [
        nexus.array(
            f"{path}/radial_axis", binning.centers(), ("radial_axis",), units, long_name=name
        ),
        nexus.array(
            f"{path}/radial_axis_edges",
            binning.edges(),
            ("radial_axis_edges",),
            units,
            long_name=f"{name} bin edges",
        ),
    ]
    return arrays + (_azimuth(path, binning) if binning.azimuthal_bins else [])


def _azimuth(path: str, binning: Binning) -> list[NewArray]:
    edges = binning.azimuthal_edges_deg()
    return [
        nexus.array(
            f"{path}/azimuthal_axis",
            (edges[:-1] + edges[1:]) / 2,
            ("azimuthal_axis",),
            "degrees",
            long_name="azimuthal bin center",
        ),
        nexus.array(
            f"{path}/azimuthal_axis_edges",
            edges,
            ("azimuthal_axis_edges",),
            "degrees",
            long_name="azimuthal bin edges",
        ),
    ]


def _sums(path: str, stack: Stack, sums: FrameSums) -> list[NewArray]:
    binning = stack.binning
    both = _dimensions(binning)
    named = {
        "signal": (sums.signal, "counts"),
        **({"variance": (sums.variance, "counts")} if _has_errors(stack) else {}),
        "normalization": (sums.normalization, None),
        "normalization_squared": (sums.normalization_squared, None),
        "count": (sums.count, "pixels"),
    }
    return [
        *(
            nexus.array(f"{path}/{name}", _shaped(binning, values), both, units)
            for name, (values, units) in named.items()
        ),
        nexus.array(f"{path}/left_out", sums.left_out, ("frame",), "pixels"),
    ]
