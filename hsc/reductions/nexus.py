"""Groups and arrays of a derived tree under NeXus names and classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reductions.units import unit_of
from hsc.store import NewArray, NewGroup


def group(path: str, nx_class: str, **attributes: Any) -> NewGroup:
    """Make a group of a NeXus class.

    Examples
    --------
    >>> group("/entry", "NXentry", default="data").attributes
    {'NX_class': 'NXentry', 'default': 'data'}
    """
    return NewGroup(path, {"NX_class": nx_class, **attributes})


def array(
    path: str,
    values: NDArray[Any],
    dimension_names: Sequence[str],
    units: str | None = None,
    **attributes: Any,
) -> NewArray:
    """Make an array with its units."""
    said = attributes if units is None else {"units": units, **attributes}
    return NewArray(path, values, tuple(dimension_names), said)


def scalar(path: str, value: float | str | bool, units: str | None = None) -> NewArray:
    """Make an array without dimensions: one number, truth value or text."""
    values = np.asarray(value)
    return array(path, values, (), units)


def parameters_group(
    path: str, parameters: Mapping[str, Any]
) -> tuple[list[NewGroup], list[NewArray]]:
    """Write parameters as an NXparameters group, units read off their names; None is left out.

    Examples
    --------
    >>> _, arrays = parameters_group("/entry/input", {"distance_m": 2.0, "flat": None})
    >>> [(one.path, one.attributes["units"]) for one in arrays]
    [('/entry/input/distance_m', 'm')]
    """
    arrays = [
        scalar(f"{path}/{name}", value, unit_of(name) if isinstance(value, float) else None)
        for name, value in parameters.items()
        if isinstance(value, int | float | str)
    ]
    return [group(path, "NXparameters")], arrays


def process_group(
    path: str, name: str, version: str, note: str, order: str | None = None
) -> tuple[list[NewGroup], list[NewArray]]:
    """Write what was done as an NXprocess group.

    No date stands here, no package and no machine: the same inputs and parameters give the same
    bytes. When it was done, and with which code, is in the activity.

    Parameters
    ----------
    order
        In which order numbers were summed (`Reduction.order`); None: not said.
    """
    said = {"program": f"hsc {name}", "version": version, "note": note, "summation_order": order}
    return [group(path, "NXprocess")], [
        scalar(f"{path}/{key}", value) for key, value in said.items() if value is not None
    ]
