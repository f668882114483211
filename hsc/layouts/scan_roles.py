"""Scans of circular dichroism in HDF5 files: what arrays are for, by their names in one group."""

from __future__ import annotations

from collections.abc import Sequence

from hsc.hdf5 import SourceDataset
from hsc.layouts.column_names import column_of

_NUMBERS = ("int", "uint", "float")
_ROLES = ("wavelength", "ellipticity", "ht", "absorbance")


def scan_roles(datasets: Sequence[SourceDataset]) -> dict[str, str]:
    """Give the roles of a scan's arrays; none where no group, or more than one, has a scan.

    A group has a scan where it has numbers called wavelength, along one axis, and numbers called
    ellipticity, circular dichroism or CD along it, (wavelengths,) or (scans, wavelengths).
    """
    groups: dict[str, dict[str, SourceDataset]] = {}
    for dataset in datasets:
        group, _, name = dataset.path.rpartition("/")
        role = column_of(name).role
        if role in _ROLES and (dataset.element.zarr or "").startswith(_NUMBERS):
            groups.setdefault(group, {}).setdefault(role, dataset)
    scans = [found for found in groups.values() if _is_scan(found)]
    if len(scans) != 1:
        return {}
    shape = scans[0]["ellipticity"].shape
    return {
        role: dataset.path
        for role, dataset in sorted(scans[0].items())
        if role == "wavelength" or dataset.shape == shape
    }


def _is_scan(found: dict[str, SourceDataset]) -> bool:
    if not {"wavelength", "ellipticity"} <= set(found):
        return False
    axis, values = found["wavelength"].shape, found["ellipticity"].shape
    return len(axis) == 1 and axis[0] > 1 and len(values) in (1, 2) and values[-1:] == axis
