"""The layout of wavelength tables: the HDF5 file that ESS's ess.reduce.unwrap keeps one in.

It is scipp's HDF5 form of a DataGroup, or as older versions wrote it of a DataArray, whose
coordinates have the further numbers (`ess.reduce.unwrap.lut.load_lookup_table_from_file`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import h5py

from hsc.hdf5 import open_hdf5
from hsc.layouts.nexus_fields import UNREADABLE, one_text
from hsc.layouts.plain import PlainLayout
from hsc.layouts.run import Run
from hsc.model import Kind

_NEEDED = ("wavelength", "distance", "event_time_offset", "pulse_period", "pulse_stride")
_AXES = ("distance", "event_time_offset")
_NUMBERS = ("pulse_period", "pulse_stride")


class WavelengthTableLayout:
    """Wavelengths by length of flight and time of arrival, as choppers sort neutrons."""

    name = "wavelength_table"

    def recognises(self, path: Path) -> bool:
        """Tell whether a file has such a table, by the names that scipp wrote."""
        if path.is_dir():
            return False
        with open_hdf5(path) as file:
            try:
                if one_text(file.attrs.get("scipp-type", "")) not in ("DataGroup", "DataArray"):
                    return False
                roles = _roles_of(*_look(file))
            except UNREADABLE:  # the walk names what can't be read; here it is as good as absent
                return False
        return all(role in roles for role in _NEEDED)

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all of a file but its data, and name what its arrays are for."""
        run = PlainLayout().read(path, time_zone)
        names = {group.path: one_text(group.attributes.get("name", "")) for group in run.groups}
        roles = _roles_of(names, [array.path for array in run.arrays])
        return replace(run, layout=self.name, roles=roles, kind=Kind.CALIBRATION)


def _look(file: h5py.File) -> tuple[dict[str, str], list[str]]:
    names: dict[str, str] = {}
    arrays: list[str] = []

    def visit(name: str, found: object) -> None:
        if isinstance(found, h5py.Group):
            names[f"/{name}"] = one_text(found.attrs.get("name", ""))
        else:
            arrays.append(f"/{name}")

    file.visititems(visit)
    return names, arrays


def _roles_of(names: Mapping[str, str], arrays: Iterable[str]) -> dict[str, str]:
    """Give role to path: scipp numbers its groups and keeps their names as attributes."""
    roles: dict[str, str] = {}
    table = next((path for path, name in names.items() if name == "array"), "")
    for path in arrays:
        group, _, leaf = path.rpartition("/")
        around, name = group.rpartition("/")[0], names.get(group, "")
        if group == f"{table}/data":
            roles |= {"wavelength": path} if leaf == "values" else {}
            roles |= {"wavelength_variances": path} if leaf == "variances" else {}
        elif around == f"{table}/coords" and name in (*_AXES, *_NUMBERS):
            roles |= {name: path} if leaf in ("values", "entry") else {}
        elif around == "/entries" and name in _NUMBERS:
            roles[name] = path
    return roles
