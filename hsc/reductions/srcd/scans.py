"""Scans of circular dichroism as datasets have them: in nm and mdeg, by rising wavelength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.model import Quantity
from hsc.reductions.base import SourceArray, SourceDataset, array_for

_SAME_WITHIN_NM = 1e-6  # what is left of a decimal number after it was a binary one


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan."""

    name: str
    """Where it comes from, for messages."""
    wavelength_nm: NDArray[np.float64]
    """(points,), rising."""
    ellipticity_mdeg: NDArray[np.float64]
    """(points,)."""
    ht_v: NDArray[np.float64] | None = None
    """(points,): high tension of the photomultiplier; None: not recorded."""
    absorbance: NDArray[np.float64] | None = None
    """(points,); None: not recorded."""


def scans_of(datasets: Sequence[SourceDataset], group: str | None = None) -> tuple[Scan, ...]:
    """Give all scans of some datasets, in the order given: one each, or as many as rows.

    Parameters
    ----------
    group
        Which scan is meant of files that have several: the name of its group.

    Raises
    ------
    RoleMissingError
        A dataset has no wavelength or no ellipticity.
    ReductionError
        They do not fit together, or are no numbers.
    """
    return tuple(scan for dataset in datasets for scan in _scans(dataset, group))


def aligned(scans: Sequence[Scan], *, interpolate: bool) -> tuple[Scan, ...]:
    """Give scans on the wavelengths of the first.

    Parameters
    ----------
    interpolate
        Whether others are interpolated linearly, on those wavelengths of the first that all cover;
        nothing is extrapolated.

    Raises
    ------
    ReductionError
        They differ, and are not to be interpolated; or they share no two wavelengths.
    """
    grid = scans[0].wavelength_nm
    differing = [scan for scan in scans if not _same_grid(scan.wavelength_nm, grid)]
    if not differing:
        return tuple(replace(scan, wavelength_nm=grid) for scan in scans)
    if not interpolate:
        raise ReductionError(
            f"its wavelengths are not those of {scans[0].name}: {_worded(differing[0])}, "
            f"{_worded(scans[0])}",
            where=differing[0].name,
            next_step="give scans of the same wavelengths, or -p grids=interpolate",
        )
    low = max(float(scan.wavelength_nm[0]) for scan in scans)
    high = min(float(scan.wavelength_nm[-1]) for scan in scans)
    inside = (grid >= low - _SAME_WITHIN_NM) & (grid <= high + _SAME_WITHIN_NM)
    if inside.sum() < 2:
        raise ReductionError(
            f"the scans have fewer than two wavelengths in common, from {low} to {high} nm",
            where=scans[0].name,
            next_step="give scans of one range",
        )
    return tuple(_on(scan, grid[inside]) for scan in scans)


def _end(dataset: SourceDataset, group: str | None) -> str:
    """Give how the roles of a dataset's scan end: in ``@`` and its group where it has several."""
    groups = sorted(
        role.partition("@")[2] for role in dataset.roles if role.startswith("ellipticity@")
    )
    if not groups:
        return ""
    if (group or "").strip("/") not in groups:
        said = "none is named" if group is None else f"none is {group!r}"
        raise ReductionError(
            f"it has scans in {len(groups)} groups, of which {said}: {', '.join(groups)}",
            where=str(dataset.record.pid),
            next_step=f"name one: -p sample_group={groups[0]} (or baseline_group)",
        )
    return f"@{(group or '').strip('/')}"


def _scans(dataset: SourceDataset, group: str | None) -> list[Scan]:
    end = _end(dataset, group)
    name = str(dataset.record.pid) + (f", {end[1:]}" if end else "")
    axis = _values(array_for(dataset, f"wavelength{end}", "is the axis of a scan"), "nm")
    measured = array_for(dataset, f"ellipticity{end}", "is what a scan measured")
    ellipticity = _values(measured, "mdeg")
    if axis.ndim != 1 or ellipticity.ndim not in (1, 2) or ellipticity.shape[-1:] != axis.shape:
        raise ReductionError(
            f"an ellipticity of shape {ellipticity.shape} along {axis.shape} wavelengths",
            where=name,
            next_step="a scan is (wavelengths,), several are (scans, wavelengths)",
        )
    if len(axis) < 2 or not np.isfinite(axis).all() or not np.isfinite(ellipticity).all():
        raise ReductionError(
            "a scan has fewer than two points, or some that are no numbers", where=name
        )
    order = np.argsort(axis, kind="stable")
    if (np.diff(axis[order]) <= _SAME_WITHIN_NM).any():
        raise ReductionError(
            "a wavelength stands there twice",
            where=name,
            next_step="take in each scan as a dataset of its own",
        )
    rows = np.atleast_2d(ellipticity)
    ht, absorbance = (
        _beside(dataset, role, f"{role}{end}", rows.shape) for role in ("ht", "absorbance")
    )
    return [
        Scan(
            name if len(rows) == 1 else f"{name}, scan {number + 1}",
            axis[order],
            row[order],
            None if ht is None else ht[number][order],
            None if absorbance is None else absorbance[number][order],
        )
        for number, row in enumerate(rows)
    ]


def _beside(
    dataset: SourceDataset, kind: str, role: str, shape: tuple[int, ...]
) -> NDArray[np.float64] | None:
    """Give what was recorded beside each scan, one row for each."""
    if role not in dataset.roles:
        return None
    values = np.atleast_2d(_values(dataset.role(role), "V" if kind == "ht" else None))
    if values.shape != shape:
        raise ReductionError(
            f"{role} of shape {values.shape} beside scans of shape {shape}",
            where=str(dataset.record.pid),
        )
    return values


def _values(array: SourceArray, unit: str | None) -> NDArray[np.float64]:
    """Give an array's numbers in a unit.

    Raises
    ------
    ReductionError
        It has none, or one that is not of its kind.
    """
    values = np.asarray(array.read()).astype(np.float64)
    if unit is None:
        return values
    said = str(array.attributes.get("units", ""))
    if said == unit:
        return values
    given, wanted = Quantity(value=1.0, unit=said).si(), Quantity(value=1.0, unit=unit).si()
    if given is None or wanted is None or given[1] != wanted[1]:
        raise ReductionError(
            f"its unit is {said!r}, which is none of those like {unit}",
            where=array.path,
            next_step="take the file in again with the unit named: in text beside the column's "
            "name, in HDF5 as the attribute units",
        )
    return values * (given[0] / wanted[0])


def _same_grid(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return one.shape == other.shape and bool((np.abs(one - other) <= _SAME_WITHIN_NM).all())


def _on(scan: Scan, grid: NDArray[np.float64]) -> Scan:
    known = scan.wavelength_nm

    def at(values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return None if values is None else np.interp(grid, known, values)

    return Scan(
        scan.name,
        grid,
        np.interp(grid, known, scan.ellipticity_mdeg),
        at(scan.ht_v),
        at(scan.absorbance),
    )


def _worded(scan: Scan) -> str:
    grid = scan.wavelength_nm
    return f"{len(grid)} from {grid[0]:g} to {grid[-1]:g} nm"
