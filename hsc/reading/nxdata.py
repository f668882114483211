"""NXdata: what NeXus says of a group's signal, axes, uncertainties and scale factors.

The rules are those of the NeXus manual ("NXdata" and "Find the plottable data"), the older ones
included: ``signal=1`` and ``axes="a:b"`` on the signal, ``axis=1`` on axes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hsc.reading.array import OpenedArray

Members = Mapping[str, OpenedArray]
_NUMBERS = "iuf"


@dataclass(frozen=True, slots=True)
class PlottedAxis:
    """A field that says where the signal's elements lie along one or more dimensions."""

    name: str
    """Its name in the group."""
    dimensions: tuple[int, ...]
    """Dimensions of the signal that its own stand for."""
    edges: bool = False
    """Whether it has one element more than the dimension: boundaries of bins."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """Fields that turn stored numbers into physical ones: ``(stored + offset) * factor``."""

    factor: str = ""
    """Name of the field with the factor; empty for none."""
    offset: str = ""
    """Name of the field with the offset; empty for none."""


@dataclass(frozen=True, slots=True)
class PlottedGroup:
    """What an NXdata group says of itself."""

    signal: str
    """Name of the field to plot."""
    axes: tuple[PlottedAxis, ...]
    """Fields that fit its dimensions; those named in ``axes`` first, in order."""
    auxiliary: tuple[str, ...]
    """Names of further signals."""
    errors: Mapping[str, str]
    """Name of a field to the name of its uncertainties, of the same shape."""


def is_nxdata(attributes: Mapping[str, Any]) -> bool:
    """Tell whether a group is an NXdata, by its class or by naming a signal."""
    return first_text(attributes.get("NX_class")) == "NXdata" or "signal" in attributes


def read_nxdata(attributes: Mapping[str, Any], members: Members) -> PlottedGroup | None:
    """Read what a group says of its plot; None when it names no signal that is there.

    Parameters
    ----------
    attributes
        Attributes of the group, as JSON.
    members
        Its arrays by name, those that links lead to among them.
    """
    signal = _signal(attributes, members)
    if signal is None:
        return None
    array = members[signal]
    auxiliary = tuple(
        name
        for name in texts(attributes.get("auxiliary_signals"))
        if name in members and members[name].shape == array.shape
    )
    axes = tuple(_axes(attributes, members, signal))
    named = (signal, *auxiliary, *(axis.name for axis in axes))
    errors = {name: found for name in named if (found := _errors(members, name, signal))}
    return PlottedGroup(signal, axes, auxiliary, errors)


def read_scalings(
    attributes: Mapping[str, Any], members: Members, signal: str
) -> dict[str, Scaling]:
    """Give which fields of an NXdata have scale factors or offsets, and which those are."""
    found = {}
    for name, array in members.items():
        if array.dtype.kind not in _NUMBERS:
            continue
        pairs = [(f"{name}_scaling_factor", f"{name}_offset")]
        if name == signal:  # the older names, which are the signal's alone
            pairs.append(("scaling_factor", "offset"))
        for factor, offset in pairs:
            scaling = Scaling(
                factor if _is_number(members, factor) else "",
                offset if _is_number(members, offset) else "",
            )
            if scaling != Scaling():
                found[name] = scaling
                break
    return found


def first_text(value: Any) -> str:
    """Give an attribute's text, or the first of several; empty for none."""
    return next(iter(texts(value)), "")


def texts(value: Any) -> list[str]:
    """Give an attribute's texts."""
    found = value if isinstance(value, list) else [value]
    return [text for text in found if isinstance(text, str)]


def _integers(value: Any) -> list[int] | None:
    found = value if isinstance(value, list) else [value]
    try:
        return [int(each) for each in found]
    except (TypeError, ValueError):
        return None


def _is_number(members: Members, name: str) -> bool:
    array = members.get(name)
    return array is not None and set(array.shape) <= {1} and array.dtype.kind in _NUMBERS


def _signal(attributes: Mapping[str, Any], members: Members) -> str | None:
    named = first_text(attributes.get("signal"))
    if named in members:
        return named
    flagged = (n for n, array in members.items() if _integers(array.attributes.get("signal")))
    return next((n for n in flagged if _integers(members[n].attributes["signal"]) == [1]), None)


def _axes(attributes: Mapping[str, Any], members: Members, signal: str) -> Iterator[PlottedAxis]:
    array = members[signal]
    listed = _listed(attributes.get("axes")) or _listed(array.attributes.get("axes"))
    places = {name: [n] for n, name in reversed(list(enumerate(listed))) if name != "."}
    if not places:
        places = _numbered(members)
    places = {name: places[name] for name in [*listed, *places] if name in places}
    for key, value in attributes.items():
        given = _integers(value) if key.endswith("_indices") else None
        if given is not None:
            places[key.removesuffix("_indices")] = given
    for name, dimensions in places.items():
        if name in members and name != signal:
            fitting = _fitting(members[name], name, dimensions, array.shape)
            if fitting is not None:
                yield fitting


def _listed(value: Any) -> list[str]:
    found = texts(value)
    if len(found) != 1:
        return found
    # One text may name several axes: "a:b", "a,b" or "[a,b]", as files before 2014 do.
    return [name.strip() for name in re.split(r"[:,]", found[0].strip(" []")) if name.strip()]


def _numbered(members: Members) -> dict[str, list[int]]:
    """Give the axes that say by ``axis=1`` which dimension they are of, primary ones first."""
    found = {}
    for name, array in members.items():
        number = _integers(array.attributes.get("axis", []))
        if number and number[0] > 0:
            primary = _integers(array.attributes.get("primary", [])) == [1]
            found[name] = (not primary, [number[0] - 1])
    return {name: place for name, (_, place) in sorted(found.items(), key=lambda item: item[1][0])}


def _fitting(
    axis: OpenedArray, name: str, dimensions: list[int], shape: tuple[int, ...]
) -> PlottedAxis | None:
    if any(not 0 <= dimension < len(shape) for dimension in dimensions):
        return None
    if len(set(dimensions)) != len(dimensions) or len(axis.shape) != len(dimensions):
        return None
    lengths = tuple(shape[dimension] for dimension in dimensions)
    if axis.shape == lengths:
        return PlottedAxis(name, tuple(dimensions))
    if len(lengths) == 1 and axis.shape[0] == lengths[0] + 1:
        return PlottedAxis(name, tuple(dimensions), edges=True)
    return None


def _errors(members: Members, name: str, signal: str) -> str:
    array = members[name]
    known = (first_text(array.attributes.get("uncertainties")), f"{name}_errors")
    for candidate in (*known, "errors") if name == signal else known:
        if candidate != name and candidate in members and members[candidate].shape == array.shape:
            return candidate
    return ""
