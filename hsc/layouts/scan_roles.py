"""Scans of circular dichroism in HDF5 files: what arrays are for, by their names in one group."""

from __future__ import annotations

from collections.abc import Sequence

from hsc.hdf5 import SourceDataset
from hsc.layouts.column_names import column_of

_NUMBERS = ("int", "uint", "float")
_ANGLES = ("theta", "θ")  # of text with an ellipticity's unit only: else a scattering angle
_MOST_SCANS = 100
_ROLES = ("wavelength", "ellipticity", "ht", "absorbance")


def scan_roles(datasets: Sequence[SourceDataset]) -> dict[str, str]:
    """Give the roles of a file's scans; where it has several, each ends in ``@`` and its group.

    A group has a scan where it has numbers called wavelength, along one axis, and numbers called
    ellipticity, circular dichroism or CD along it, (wavelengths,) or (scans, wavelengths), and one
    of each: of two nobody knows which is meant.
    """
    groups: dict[str, dict[str, list[SourceDataset]]] = {}
    for dataset in datasets:
        group, _, name = dataset.path.rpartition("/")
        role = column_of(name).role
        numbers = (dataset.element.zarr or "").startswith(_NUMBERS)
        if role in _ROLES and numbers and name.casefold() not in _ANGLES:
            groups.setdefault(group, {}).setdefault(role, []).append(dataset)
    scans = {group: found for group, found in sorted(groups.items()) if _is_scan(found)}
    if len(scans) > _MOST_SCANS:
        return {}
    roles = {}
    for group, found in scans.items():
        shape = found["ellipticity"][0].shape
        end = f"@{group.strip('/') or '/'}" if len(scans) > 1 else ""
        for role, (dataset, *others) in sorted(found.items()):
            if not others and (role == "wavelength" or dataset.shape == shape):
                roles[f"{role}{end}"] = dataset.path
    return roles


def _is_scan(found: dict[str, list[SourceDataset]]) -> bool:
    if any(len(found.get(role, ())) != 1 for role in ("wavelength", "ellipticity")):
        return False
    axis, values = found["wavelength"][0].shape, found["ellipticity"][0].shape
    return len(axis) == 1 and axis[0] > 1 and len(values) in (1, 2) and values[-1:] == axis
