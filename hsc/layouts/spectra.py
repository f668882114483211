"""The layouts of text with columns: spectra (calibrations), and scans of circular dichroism."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import LayoutError
from hsc.hdf5 import FileState
from hsc.layouts.column_names import AXES, Column, column_of
from hsc.layouts.decoded import Decoded, DecodedArray, decoded_run, file_head
from hsc.layouts.run import Run
from hsc.layouts.text_tables import TextTable, is_table, read_table
from hsc.model import Kind

_DATA = "/entry/data"
_UNSAFE = re.compile(r"[^\w.-]+")
_EXAMPLE = "# wavelength (nm)  ellipticity (mdeg)  ht (V)"


@dataclass(frozen=True, slots=True)
class ColumnsLayout:
    """A text of columns that have names and units."""

    name: str
    """Its name."""
    kind: Kind
    """What becomes of it in the catalog."""
    axes: tuple[str, ...]
    """Roles of which one has to be there, for the axis."""
    signal: str
    """Role that has to be there along it."""

    def recognises(self, path: Path) -> bool:
        """Take text with rows of numbers."""
        return is_table(file_head(path))

    def read(self, path: Path, time_zone: str) -> Run:
        """Read the columns.

        Raises
        ------
        LayoutError
            A row is not as the others, or a column that is needed has no name or unit.
        """
        state = FileState(path)
        table = read_table(path)
        columns = understood(table, str(path))
        arrays = _arrays(path, table, columns)
        roles = {
            column.role: array.path
            for column, array in zip(columns, arrays, strict=True)
            if column.role
        }
        axes = [role for role in self.axes if role in roles]
        if len(axes) != 1 or self.signal not in roles:
            named = ", ".join(table.names) or "not at all"
            raise LayoutError(
                f"a {self.name} has a column for {self.signal} along one of "
                f"{' | '.join(self.axes)}; these are named {named}",
                where=f"{path}, line {max(1, table.line - 1)}",
                next_step=f"name the columns in a line above them, as in {_EXAMPLE}",
            )
        _check_axis(path, table, columns, axes[0])
        return decoded_run(
            path, self.name, state, self._decoded(arrays, roles, axes[0]), read_column
        )

    def _decoded(self, arrays: list[DecodedArray], roles: dict[str, str], axis: str) -> Decoded:
        signal, along = (roles[role].rpartition("/")[2] for role in (self.signal, axis))
        data: dict[str, Any] = {"NX_class": "NXdata", "signal": signal, "axes": [along]}
        groups = {"/entry": {"NX_class": "NXentry", "default": "data"}, _DATA: data}
        return Decoded(arrays, roles, self.kind, groups)


class AnyColumnsLayout:
    """A text of columns that tells by their names what it is."""

    name = "columns"

    def recognises(self, path: Path) -> bool:
        """Take text with rows of numbers."""
        return SPECTRUM.recognises(path)

    def read(self, path: Path, time_zone: str) -> Run:
        """Read a scan where a column is an ellipticity, else a spectrum.

        Raises
        ------
        LayoutError
            As `ColumnsLayout.read`.
        """
        columns = understood(read_table(path), str(path))
        is_scan = any(column.role == SCAN.signal for column in columns)
        return (SCAN if is_scan else SPECTRUM).read(path, time_zone)


SPECTRUM = ColumnsLayout("spectrum", Kind.CALIBRATION, AXES, "intensity")
# What was measured of a sample or its buffer; nothing is calibrated by it.
SCAN = ColumnsLayout("scan", Kind.RAW, ("wavelength",), "ellipticity")
COLUMNS = AnyColumnsLayout()


def read_column(path: str, array: str) -> NDArray[Any]:
    """Read a column of a file again."""
    table = read_table(Path(path))
    arrays = _arrays(Path(path), table, understood(table, path))
    return next(each.values for each in arrays if each.path == array)


def understood(table: TextTable, where: str) -> tuple[Column, ...]:
    """Tell what the columns of a table are.

    Raises
    ------
    LayoutError
        They have no names, two are for the same, or one lacks its unit.
    """
    at = f"{where}, line {max(1, table.line - 1)}"
    if not table.names:
        raise LayoutError(
            f"its {table.values.shape[1]} columns have no names",
            where=at,
            next_step=f"name them in a line above them, as in {_EXAMPLE}",
        )
    columns = tuple(map(column_of, table.names))
    roles = [column.role for column in columns if column.role]
    for column in columns:
        if roles.count(column.role or "") > 1:
            raise LayoutError(
                f"two columns are for the {column.role}",
                where=at,
                next_step="leave one of them out, or name it otherwise",
            )
        if not column.units_fit:
            raise LayoutError(
                f"the column {column.name!r} says no unit that fits: "
                f"{' or '.join(column.units_wanted)}",
                where=at,
                next_step=f"write it beside the name, as in {_EXAMPLE}",
            )
    return columns


def _arrays(path: Path, table: TextTable, columns: tuple[Column, ...]) -> list[DecodedArray]:
    taken: list[str] = []
    found = []
    along = next((column.role for column in columns if column.role in AXES), None) or "row"
    for number, column in enumerate(columns):
        name = column.role or _UNSAFE.sub("_", column.name).strip("_.").lower() or "column"
        name = f"{name}_{number}" if name in taken or name in _reserved(columns, column) else name
        taken.append(name)
        attributes: dict[str, Any] = {} if column.units is None else {"units": column.units}
        facts = {"format": "text", "column": number, "name": column.name}
        values = np.ascontiguousarray(table.values[:, number])
        found.append(DecodedArray(f"{_DATA}/{name}", values, attributes, facts, (along,)))
    return found


def _reserved(columns: tuple[Column, ...], own: Column) -> set[str]:
    return {column.role for column in columns if column.role and column is not own}


def _check_axis(path: Path, table: TextTable, columns: tuple[Column, ...], axis: str) -> None:
    (number,) = [n for n, column in enumerate(columns) if column.role == axis]
    wrong = np.flatnonzero(~np.isfinite(table.values[:, number]))
    if len(wrong):
        raise LayoutError(
            f"{axis} is no number in row {int(wrong[0]) + 1}",
            where=f"{path}, from line {table.line}",
            next_step="leave such rows out",
        )
