"""What waits until all paths of a file are known: references, and attributes too large for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import h5py

from hsc.hdf5.attributes import Attributes, attribute_targets, read_attribute
from hsc.hdf5.names import encode_name
from hsc.hdf5.spilled import spill
from hsc.hdf5.targets import resolve
from hsc.hdf5.tree import Problem, SourceDataset, SourceGroup
from hsc.hdf5.types import REFERENCES
from hsc.model import plain_text


class Referring:
    """Attributes and datasets of the file that is walked, which refer to others of its objects.

    Parameters
    ----------
    reserved
        Name of the group that takes attributes too large for JSON.
    """

    def __init__(self, reserved: str) -> None:
        self._reserved = reserved
        self._spilled = 0
        self._attributes: list[tuple[str, str, Attributes]] = []
        self._finished = 0

    def add(self, path: str, at: str, found: Attributes) -> None:
        """Take up the attributes of an object, by its path in the tree and that in its file."""
        if found.referring or found.large:
            self._attributes.append((path, at, found))

    def finish(
        self,
        file: h5py.File,
        number: int,
        seen: Mapping[tuple[int, int], str],
        datasets: list[SourceDataset],
    ) -> tuple[list[SourceGroup], list[Problem]]:
        """Say where references lead, and move large attributes.

        Parameters
        ----------
        file, number
            The file, and its number among those that the walk met.
        seen
            First path of each object, by number of its file and address.
        datasets
            All datasets so far; the new ones are finished in place, and some added.

        Returns
        -------
        groups
            Groups that are added for large attributes.
        problems
            References that lead to objects without a path.
        """
        targets = {a: plain_text(path) for (of, a), path in seen.items() if of == number}
        problems: list[Problem] = []
        for path, at, found in self._attributes:
            node = file[encode_name(at)]
            for key, name in found.referring.items():
                found.values[key] = read_attribute(node, name, targets)
                nameless = len(attribute_targets(node, name) - targets.keys())
                if nameless:
                    problems.append(_nameless(f"{path}@{name}", nameless))
        for place in range(self._finished, len(datasets)):
            datasets[place] = _resolved(file, datasets[place], targets, problems)
        large = [(at, found) for _, at, found in self._attributes]
        spilled = spill(file, large, self._reserved, self._spilled)
        self._spilled += len(spilled.datasets)
        datasets += [replace(leaf, file=number) for leaf in spilled.datasets]
        self._finished, self._attributes = len(datasets), []
        return spilled.groups, problems


def _resolved(
    file: h5py.File, leaf: SourceDataset, targets: Mapping[int, str], problems: list[Problem]
) -> SourceDataset:
    if leaf.part is None or leaf.part.element.carry not in REFERENCES:
        return leaf
    resolved, nameless = resolve(file[encode_name(leaf.object_path)], leaf.part, targets)
    if nameless:
        problems.append(_nameless(leaf.path, nameless))
    return replace(leaf, part=resolved)


def _nameless(where: str, count: int) -> Problem:
    return Problem(where, f"references lead to {count} objects that have no path")
