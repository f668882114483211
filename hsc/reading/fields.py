"""Fields: the arrays of each group, those that links lead to among them, and what they are for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hsc.errors import PathMissingError
from hsc.reading.array import OpenedArray
from hsc.reading.nxdata import (
    PlottedAxis,
    PlottedGroup,
    Scaling,
    is_nxdata,
    read_nxdata,
    read_scalings,
)
from hsc.reading.paths import TreePaths
from hsc.store import DATA, CheckedVersion

# Where NeXus keeps what moved during a run, and endings of names that tell of a move otherwise.
_ANGLES = ("sample/goniometer", "sample/transformations")
_DERIVED = ("_end", "_increment", "_increment_set", "_range_average", "_range_total", "_start")


@dataclass(frozen=True, slots=True)
class GroupFields:
    """The arrays of a group."""

    path: str
    """True path of the group."""
    arrays: Mapping[str, OpenedArray]
    """Its arrays by name, those that links lead to among them."""
    plotted: PlottedGroup | None
    """What NeXus says of its plot; None when it is no NXdata."""
    scalings: Mapping[str, Scaling]
    """Which of them have scale factors or offsets, and which those are."""


class HasArrays(Protocol):
    """A dataset, as far as its fields are looked at."""

    @property
    def documents(self) -> Mapping[str, dict[str, Any]]:
        """Zarr metadata of every group and array, by true path."""
        ...

    @property
    def roles(self) -> Mapping[str, str]:
        """What arrays are for: role to path."""
        ...

    @property
    def version(self) -> CheckedVersion:
        """The version's objects."""
        ...

    def array(self, path: str) -> OpenedArray:
        """Give an array by its path."""
        ...


class Fields:
    """The arrays of an opened dataset, group by group.

    Parameters
    ----------
    dataset
        The dataset.
    """

    def __init__(self, dataset: HasArrays) -> None:
        self._dataset = dataset
        self.paths = TreePaths(dataset.documents)
        """Where paths of the tree lead."""
        self._opened: dict[str, OpenedArray] = {}
        self._groups: dict[str, list[str]] = {}
        spilled = self.paths.spilled
        for path, document in dataset.documents.items():
            if spilled and f"{path}/".startswith(f"{spilled}/"):
                continue
            if document["node_type"] == "group":
                self._groups.setdefault(path, [])
            else:
                self._groups.setdefault(path.rpartition("/")[0] or "/", []).append(path)

    @property
    def groups(self) -> Iterable[str]:
        """True paths of all groups, each before what is in it."""
        return sorted(self._groups, key=lambda path: 0 if path == "/" else path.count("/"))

    def has_group(self, path: str) -> bool:
        """Tell whether a group stands at a true path."""
        return path in self._groups

    def array(self, path: str) -> OpenedArray:
        """Give the array at a true path."""
        if path not in self._opened:
            self._opened[path] = self._dataset.array(path)
        return self._opened[path]

    def gapped(self) -> frozenset[str]:
        """Give the true paths of arrays that have gaps, by the manifest."""
        keys = {
            entry.key.removeprefix(f"{DATA}/")
            for entry in self._dataset.version.manifest.entries
            if len(entry.chunks) and entry.chunks.gaps.size
        }
        arrays = {f"{key}/".rpartition("/c/")[0] for key in keys}
        documents = self._dataset.documents
        return frozenset(path for path, each in documents.items() if each["key"] in arrays)

    def of(self, path: str) -> GroupFields:
        """Give the arrays of a group by its true path."""
        attributes = self.paths.attributes(path)
        arrays = {at.rpartition("/")[2]: self.array(at) for at in self._groups[path]}
        arrays |= self._linked(path, arrays)
        plotted = read_nxdata(attributes, arrays) if is_nxdata(attributes) else None
        scalings = read_scalings(attributes, arrays, plotted.signal) if plotted else {}
        frames = self._frames(path)
        if frames is not None:
            angles = self._angles(path, frames, arrays)
            arrays |= angles
            along = tuple(PlottedAxis(name, (0,)) for name in angles)
            name = frames.path.rpartition("/")[2]
            known = plotted or PlottedGroup(name, (), (), {})
            if known.signal == name:
                plotted = replace(known, axes=(*known.axes, *along))
        return GroupFields(path, arrays, plotted, scalings)

    def _linked(self, path: str, own: Mapping[str, OpenedArray]) -> dict[str, OpenedArray]:
        """Give the arrays that links of a group lead to; those to groups are followed on demand."""
        found = {}
        for name in self.paths.links(path):
            try:
                reached = self.paths.resolve(name, path)
            except PathMissingError:  # a dangling link is carried as such: `tree.hsc.h5` shows it
                continue
            if reached.rows is None and self.paths.is_array(reached.path) and name not in own:
                found[name] = self.array(reached.path)
        return found

    def _frames(self, path: str) -> OpenedArray | None:
        """Give the stack of frames of a detector run when it is in a group."""
        frames = self._dataset.roles.get("frames", "")
        if (frames.rpartition("/")[0] or "/") != path or not self.paths.is_array(frames):
            return None
        stack = self.array(frames)
        return stack if stack.dimension_names[:1] == ("frame",) else None

    def _angles(
        self, path: str, stack: OpenedArray, own: Mapping[str, OpenedArray]
    ) -> dict[str, OpenedArray]:
        """Give what moved during a run, one value a frame."""
        entry = path.rpartition("/")[0]
        return {
            name: array
            for group in (f"{entry}/{at}" for at in _ANGLES)
            for name in self.paths.names(group)
            if name not in own
            and not name.endswith(_DERIVED)
            and self.paths.is_array(f"{group}/{name}")
            and (array := self.array(f"{group}/{name}")).shape == stack.shape[:1]
        }
