"""The layout of calibration constants: one HDF5 file, a group of arrays for each module."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py

from hsc.hdf5 import open_hdf5
from hsc.layouts.nexus_fields import UNREADABLE
from hsc.layouts.plain import PlainLayout
from hsc.layouts.run import Run
from hsc.model import Kind

_DIGITAL = ("offset", "relative_gain", "thresholds")
_BITS = ("offset", "adu_per_kev")
_ROLES = (*_DIGITAL, "adu_per_kev", "bad_pixels", "noise")
_MOST_MODULES = 1_000


class ConstantsLayout:
    """Offsets, gains and, of AGIPD, thresholds of a detector's modules, cell by cell."""

    name = "constants"

    def recognises(self, path: Path) -> bool:
        """Tell whether a file has those arrays, at its root or in groups there."""
        if path.is_dir():
            return False
        with open_hdf5(path) as file:
            return _has_constants(file) or any(
                _has_constants(child) for child in _groups(file, _MOST_MODULES)
            )

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all of a file but its data, and name what its arrays are for."""
        run = PlainLayout().read(path, time_zone)
        return replace(run, layout=self.name, roles=constant_roles(run), kind=Kind.CALIBRATION)


def constant_roles(run: Run) -> dict[str, str]:
    """Give what arrays are for: a module's end in ``@`` and the name of its group."""
    roles = {}
    for array in run.arrays:
        group, _, name = array.path.strip("/").rpartition("/")
        if name in _ROLES and "/" not in group:
            roles[f"{name}@{group}" if group else name] = array.path
    return roles


def _groups(file: h5py.File, most: int) -> list[h5py.Group]:
    found = []
    for name in sorted(map(str, file))[:most]:
        try:
            if file.get(name, getclass=True) is h5py.Group:
                found.append(file[name])
        except UNREADABLE:  # the walk names what can't be read; here it is as good as absent
            continue
    return found


def _has_constants(group: h5py.Group) -> bool:
    try:
        return any(
            all(group.get(name, getclass=True) is h5py.Dataset for name in needed)
            for needed in (_DIGITAL, _BITS)
        )
    except UNREADABLE:  # likewise
        return False
