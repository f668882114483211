"""A dataset's own numbers by role, in SI units, or a parameter that goes before them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hsc.errors import ParameterError, RoleMissingError
from hsc.model import Quantity
from hsc.reductions.base import SourceArray, SourceDataset
from hsc.reductions.units import unit_of, worded

Kind = Literal["length", "wavelength", "time", "angle", "pixels", "counts"]

# h and c are exact by the definition of the SI (CGPM 2018).
_PLANCK_J_S = 6.62607015e-34
_LIGHT_M_PER_S = 299792458.0

_DIMENSIONS = {
    "length": "[length]^1",
    "wavelength": "[length]^1",
    "time": "[time]^1",
    "angle": "[angle]^1",
}
_ENERGY = "[length]^2 [mass]^1 [time]^-2"
_PLAIN = {"", "1", "pixel", "pixels", "px", "count", "counts"}


@dataclass(frozen=True, slots=True)
class Sought:
    """A number that is looked for."""

    parameter: str
    """Name of the parameter that goes before the dataset; its unit is in the name."""
    role: str
    """Role of the array that has it."""
    unit: str
    """Unit meant by an array that names none, as DECTRIS files do."""
    kind: Kind
    """``length`` in m, ``wavelength`` in m (an energy is converted), ``time`` in s, ``angle``
    in rad, ``pixels`` (a length is converted), or ``counts``."""
    pixel_m: float = math.nan
    """Pixel size along the axis, for ``pixels``, m."""


@dataclass(frozen=True, slots=True)
class Found:
    """A number, and where it was found."""

    value: float
    """In the unit of the parameter's name."""
    source: str
    """``parameter``, or PID with version and path of the array."""


Places = SourceDataset | tuple[SourceDataset | None, ...]
"""Where a number is looked for: a dataset, or several in order, as a geometry before the sample."""


def find_number(places: Places, given: float | None, sought: Sought) -> float:
    """Give a number from the parameters, else from the first dataset that has it.

    Raises
    ------
    RoleMissingError
        It is in none of them.
    ParameterError
        It is no finite number, or its unit is not understood.
    """
    found = look_up(places, given, sought)
    if found is None:
        where = [str(each.record.pid) for each in _datasets(places)]
        raise RoleMissingError(
            f"{worded(sought.parameter)} is neither given, with -p or in a recipe, nor in "
            f"{' or '.join(where)}: no array has the role {sought.role!r}",
            where=where[0] if where else "",
            next_step=f"give it: -p {sought.parameter}=...",
        )
    return found.value


def find_optional_number(places: Places, given: float | None, sought: Sought) -> float | None:
    """Give a number from the parameters, else from the first dataset that has it, else None.

    Raises
    ------
    ParameterError
        It is no finite number, or its unit is not understood.
    """
    found = look_up(places, given, sought)
    return None if found is None else found.value


def look_up(places: Places, given: float | None, sought: Sought) -> Found | None:
    """Give a number and where it was found, likewise.

    Raises
    ------
    ParameterError
        It is no finite number, or its unit is not understood.
    """
    if given is not None:
        return Found(given, "parameter")
    for dataset in _datasets(places):
        if sought.role in dataset.roles:
            return _read(dataset, sought)
    return None


def _datasets(places: Places) -> list[SourceDataset]:
    return [each for each in (places if isinstance(places, tuple) else (places,)) if each]


def _read(dataset: SourceDataset, sought: Sought) -> Found:
    array = dataset.role(sought.role)
    where = f"{dataset.record.pid}, {array.path} (role {sought.role})"
    unit = str(array.attributes.get("units") or sought.unit)
    unit_wanted = unit_of(sought.parameter)
    next_step = f"give it{f' in {unit_wanted}' if unit_wanted else ''}: -p {sought.parameter}=..."
    value = _only_value(array, sought, where, next_step)
    if isinstance(value, str) or not math.isfinite(value):
        raise ParameterError(
            f"{sought.role} is {value!r}, not a number",
            where=where,
            next_step=next_step,
        )
    converted = _convert(float(value), unit, sought)
    if converted is None:
        raise ParameterError(
            f"{sought.role} is {value!r} {unit!r}, a unit that does not fit {sought.kind}",
            where=where,
            next_step=next_step,
        )
    record = dataset.record
    return Found(converted, f"{record.pid.at(record.version)} {array.path}")


def _only_value(array: SourceArray, sought: Sought, where: str, next_step: str) -> float | str:
    """Give the only value; of an array with one for each frame the one that all are."""
    if math.prod(array.shape) == 1 or 0 in array.shape:
        return array.scalar()
    values = array.read().reshape(-1)
    if values.dtype.kind not in "uif" or not (values == values[0]).all():
        raise ParameterError(
            f"{sought.role} has {values.size} values, which are not all the same; one is needed",
            where=where,
            next_step=next_step,
        )
    return float(values[0])


def _convert(value: float, unit: str, sought: Sought) -> float | None:
    """Convert to the unit of the kind; None when the unit has another dimension."""
    if unit.strip() in _PLAIN:
        return value if sought.kind in {"pixels", "counts"} else None
    si = Quantity(value=value, unit=unit).si()
    if si is None:
        return None
    number, dimension = si
    if dimension == _DIMENSIONS.get(sought.kind):
        return number
    if sought.kind == "wavelength" and dimension == _ENERGY and number > 0:
        return _PLANCK_J_S * _LIGHT_M_PER_S / number
    if sought.kind == "pixels" and dimension == "[length]^1":
        return number / sought.pixel_m
    return None
