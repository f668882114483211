"""Dimension names of a node: shared where NeXus or HDF5 says so, else unique to the path.

xarray refuses one name with two sizes in a node, or in a node and one above it. Where the names
that files suggest would do that, the path goes before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count, pairwise
from typing import Any

from hsc.reading.array import OpenedArray
from hsc.reading.nxdata import Members, PlottedGroup

Names = dict[str, list[str]]


def name_dimensions(
    path: str,
    attributes: Mapping[str, Any],
    members: Members,
    plotted: PlottedGroup | None,
    inherited: Mapping[str, int],
) -> dict[str, tuple[str, ...]]:
    """Name the dimensions of a group's arrays.

    Parameters
    ----------
    path
        True path of the group.
    attributes
        Its attributes, as JSON.
    members
        Its arrays by name, those that links lead to among them.
    plotted
        What it says of its plot, when it is an NXdata.
    inherited
        Dimensions of the groups above it, with their sizes.

    Returns
    -------
    names
        One for each dimension, by the array's name. A name has one size here and above, and is
        the name of no array but a coordinate of that dimension alone.
    """
    names = {name: list(_stored(array)) for name, array in members.items()}
    _share_rows(names, path, attributes, members)
    _share_scales(names, path, members)
    if plotted is not None:
        _share_axes(names, members, plotted)
    settling = _Settling(names, path, members, inherited)
    return {name: settling.settle(name) for name in names}


def _stored(array: OpenedArray) -> Sequence[str]:
    return array.dimension_names or [f"{_stem(array.path)}.{n}" for n in range(len(array.shape))]


def _stem(path: str) -> str:
    # As an ingest makes the names that are unique to a path.
    return path.strip("/").replace("%", "%25").replace(".", "%2E").replace("/", ".")


def _share_rows(names: Names, path: str, attributes: Mapping[str, Any], members: Members) -> None:
    """Give the fields of a compound the same rows."""
    if "hsc:compound" not in attributes or "hsc:hdf5" not in attributes:
        return
    rows = len(attributes["hsc:hdf5"].get("shape", ()))
    rows += len(attributes["hsc:compound"].get("element_shape", ()))
    shared = [f"{_stem(path)}.{n}" for n in range(rows)]
    for name, array in members.items():
        # Offsets of a ragged field stand in a group of their own.
        if array.path == f"{path}/{name}":
            names[name][:rows] = shared[: len(names[name])]


def _share_scales(names: Names, path: str, members: Members) -> None:
    """Name dimensions by HDF5's dimension scales that stand in the group."""
    for name, array in members.items():
        for axis, scale in enumerate(_scales(array)):
            parent, _, own = scale.rpartition("/")
            known = members.get(own) if (parent or "/") == path else None
            if known is not None and known.shape == (array.shape[axis],):
                names[name][axis] = own
                names[own] = [own]


def _scales(array: OpenedArray) -> list[str]:
    """Give the path of the first dimension scale of each dimension; empty for none."""
    attached = array.attributes.get("DIMENSION_LIST")
    columns = attached.get("$columns") if isinstance(attached, Mapping) else None
    if not isinstance(columns, Mapping) or "offsets" not in columns or "values" not in columns:
        return []
    offsets, values = columns["offsets"], columns["values"]
    if len(offsets) != len(array.shape) + 1:
        return []
    return [str(values[start]) if start < end else "" for start, end in pairwise(offsets)]


def _share_axes(names: Names, members: Members, plotted: PlottedGroup) -> None:
    """Give axes, uncertainties and further signals the dimensions of the signal."""
    shared = names[plotted.signal]
    stem = _stem(members[plotted.signal].path)
    unique = [name.startswith(f"{stem}.") for name in _stored(members[plotted.signal])]
    named = set[int]()
    for axis in plotted.axes:
        if len(axis.dimensions) != 1:  # also of none, as beside a signal that is one number
            continue
        place = axis.dimensions[0]
        # A name that a layout gave, as in ``frame``, says more than the name of an axis.
        if unique[place] and place not in named:
            shared[place] = f"{axis.name}_bins" if axis.edges else axis.name
            named |= set() if axis.edges else {place}
    for axis in plotted.axes:
        own = [shared[place] for place in axis.dimensions]
        names[axis.name] = [f"{axis.name}_edges"] if axis.edges else own
    for name in plotted.auxiliary:
        names[name] = list(shared)
    for name, errors in plotted.errors.items():
        names[errors] = list(names[name])


class _Settling:
    """Names that xarray takes, for those that were wanted: equal ones for equal name and size."""

    def __init__(
        self, names: Names, path: str, members: Members, inherited: Mapping[str, int]
    ) -> None:
        self._names, self._stem = names, _stem(path)
        self._members, self._inherited = members, inherited
        self._sizes: dict[str, int] = {}
        self._found: dict[tuple[str, int, int], str] = {}

    def settle(self, name: str) -> tuple[str, ...]:
        """Give the names of an array's dimensions."""
        settled: list[str] = []
        seen: list[tuple[str, int]] = []
        for wanted in zip(self._names[name], self._members[name].shape, strict=True):
            again = seen.count(wanted)
            seen.append(wanted)
            key = (*wanted, again)
            if key not in self._found:
                free = (c for c in self._candidates(*wanted) if c not in settled)
                self._found[key] = next(c for c in free if self._fits(c, *wanted))
                self._sizes[self._found[key]] = wanted[1]
            settled.append(self._found[key])
        return tuple(settled)

    def _candidates(self, wanted: str, length: int) -> Iterator[str]:
        yield wanted
        yield f"{self._stem}.{wanted}"
        yield from (f"{self._stem}.{wanted}.{length}" + "_" * n for n in count())

    def _fits(self, candidate: str, wanted: str, length: int) -> bool:
        size = self._sizes.get(candidate, self._inherited.get(candidate, length))
        bearer = self._members.get(candidate)
        own = candidate == wanted and self._names.get(candidate) == [wanted]
        return size == length and (bearer is None or (own and bearer.shape == (length,)))
