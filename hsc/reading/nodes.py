"""Nodes: the groups of a dataset as xarray.Datasets of lazy variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from hsc.reading.array import OpenedArray
from hsc.reading.dimensions import name_dimensions
from hsc.reading.fields import Fields, GroupFields
from hsc.reading.lazy import lazy_array, lazy_gaps
from hsc.reading.nxdata import Scaling
from hsc.reading.plain_attributes import plain_attributes
from hsc.reading.regions import Gaps


@dataclass(frozen=True, slots=True)
class Choices:
    """How a tree is to be opened."""

    gaps: Gaps = "raise"
    """What gaps read as: an error, or the fill value, with or without masks beside."""
    scaled: bool = True
    """Whether NeXus's scale factors and offsets are applied."""


class Nodes:
    """The groups of an opened dataset, as xarray wants them.

    Parameters
    ----------
    fields
        The dataset's arrays.
    token
        Tells its content from any other's, in the names of dask's keys.
    choices
        How it is to be opened.
    """

    def __init__(self, fields: Fields, token: str, choices: Choices) -> None:
        self._fields, self._token, self._choices = fields, f"{token}-{choices.gaps}", choices
        self._gapped = fields.gapped() if choices.gaps == "mask" else frozenset()

    def __iter__(self) -> Iterator[tuple[str, xr.Dataset]]:
        """Give each group's path and dataset, groups before what is in them."""
        sizes: dict[str, Mapping[str, int]] = {}
        for path in self._fields.groups:
            above = sizes[path.rpartition("/")[0] or "/"] if path != "/" else {}
            node = self._node(self._fields.of(path), above)
            sizes[path] = {**above, **{str(name): size for name, size in node.sizes.items()}}
            yield path, node

    def _node(self, group: GroupFields, inherited: Mapping[str, int]) -> xr.Dataset:
        attributes = self._fields.paths.attributes(group.path)
        names = name_dimensions(group.path, attributes, group.arrays, group.plotted, inherited)
        variables = {
            name: xr.Variable(names[name], self._values(group, name), self._said(group, name))
            for name in group.arrays
        }
        variables |= self._masks(group, names)
        along = {name for name, dimensions in names.items() if dimensions == (name,)}
        along |= {axis.name for axis in group.plotted.axes} if group.plotted else set()
        # Coordinates without an index: to make one xarray would read them here and now.
        bare = {name: variables.pop(name) for name in group.arrays if name in along}
        coordinates = xr.Coordinates(bare, indexes={})
        return xr.Dataset(variables, coordinates, plain_attributes(attributes))

    def _masks(
        self, group: GroupFields, names: Mapping[str, tuple[str, ...]]
    ) -> dict[str, xr.Variable]:
        """Give for each array with gaps where they are, as ``<name>_gap``."""
        masks = {}
        taken = {*group.arrays, *self._fields.paths.names(group.path)}
        for name, array in group.arrays.items():
            if array.path in self._gapped:
                shown = f"{name}_gap"
                while shown in taken:
                    shown += "_"
                # No path has an empty name in it: another array's key can't be the same.
                mask = lazy_gaps(array, f"{array.path}//gaps-{self._token}")
                said = {"long_name": f"where {name} could not be carried over from its source"}
                masks[shown] = xr.Variable(names[name], mask, said)
        return masks

    def _values(self, group: GroupFields, name: str) -> da.Array:
        stored = self._lazy(group.arrays[name])
        scaling = group.scalings.get(name) if self._choices.scaled else None
        if scaling is None:
            return stored
        values: da.Array = stored.astype(np.float64)
        if scaling.offset:
            values += self._number(group, scaling.offset)
        if scaling.factor:
            values *= self._number(group, scaling.factor)
        return values

    def _number(self, group: GroupFields, name: str) -> da.Array:
        number: da.Array = self._lazy(group.arrays[name]).astype(np.float64).reshape(())
        return number

    def _lazy(self, array: OpenedArray) -> da.Array:
        name = f"{array.path}-{self._token}"
        return lazy_array(array, name, gaps=self._choices.gaps)

    def _said(self, group: GroupFields, name: str) -> dict[str, Any]:
        """Give the attributes of a variable."""
        array = group.arrays[name]
        said = plain_attributes(array.attributes)
        members = array.attributes.get("hsc:hdf5", {}).get("enum")
        if members and "flag_values" not in said:
            # As the CF conventions name the values of integers (section 3.5).
            names = sorted(members, key=lambda word: members[word])
            said["flag_values"] = np.array([members[word] for word in names], array.dtype)
            said["flag_meanings"] = " ".join("_".join(word.split()) for word in names)
        if self._choices.scaled and name in group.scalings:
            said["hsc_scaled"] = _formula(group.scalings[name])
        return said


def _formula(scaling: Scaling) -> str:
    """Tell how stored values became those that are given."""
    inner = f"(stored + {scaling.offset})" if scaling.offset else "stored"
    return f"{inner} * {scaling.factor}" if scaling.factor else inner
