"""The walk: every group, dataset and link of a file, each object once; of data, only small text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py

from hsc.errors import DamagedSourceError
from hsc.hdf5.attributes import Attributes, read_attribute, read_attributes
from hsc.hdf5.leaves import Leaves, leaves_of
from hsc.hdf5.names import AMBIGUOUS_NAME, ambiguous_names, decode_name, encode_name
from hsc.hdf5.spilled import spill
from hsc.hdf5.targets import resolve
from hsc.hdf5.tree import Problem, SourceDataset, SourceGroup, SourceTree
from hsc.hdf5.types import Carry
from hsc.hdf5.virtual import virtual_files, virtual_obstacle
from hsc.model import plain_text

# What h5py raises for structures that a damaged or foreign file promises and does not have.
_UNREADABLE = (OSError, KeyError, RuntimeError, TypeError, ValueError)


def walk(file: h5py.File) -> SourceTree:
    """Walk a file by object identity: cycles end, and a second hard link is a link.

    Raises
    ------
    DamagedSourceError
        Not even the root group can be opened.
    """
    try:
        walker = _Walker(file)
    except _UNREADABLE as error:
        raise DamagedSourceError(
            f"the root group can't be opened: {error}",
            where=file.filename,
            next_step="copy the file again from where it was written",
        ) from error
    walker.run()
    walker.finish(file)
    return SourceTree(
        groups=tuple(sorted(walker.groups, key=lambda group: group.path)),
        datasets=tuple(sorted(walker.datasets, key=lambda dataset: dataset.path)),
        problems=tuple(sorted(walker.problems, key=lambda problem: problem.path)),
        userblock_nbytes=file.userblock_size,
        virtual_files=tuple(sorted(walker.virtual_files)),
        files=(Path(os.path.realpath(os.fsdecode(file.filename))),),
    )


class _Walker:
    def __init__(self, file: h5py.File) -> None:
        self.groups: list[SourceGroup] = []
        self.datasets: list[SourceDataset] = []
        self.problems: list[Problem] = []
        self.virtual_files: set[str] = set()
        self._seen = {_identity(file["/"]): "/"}
        self._waiting_attributes: list[tuple[str, Attributes]] = []
        self._waiting: list[tuple[str, Any]] = [("/", file["/"])]

    def run(self) -> None:
        while self._waiting:
            path, group = self._waiting.pop()
            links: dict[str, dict[str, str]] = {}
            # In the order of names, so that the first path of an object is the same each time.
            names = self._names(group, path)
            ambiguous = ambiguous_names(names)
            for name in names:
                if name in ambiguous:
                    where = f"{path.rstrip('/')}/{name}"
                    self.problems.append(Problem(where, AMBIGUOUS_NAME))
                    continue
                link = self._follow(group, path, name)
                if link is not None:
                    links[name] = link
            self.groups.append(SourceGroup(path, self._attributes(group, path), links))

    def _names(self, group: Any, path: str) -> list[str]:
        try:
            return sorted(map(decode_name, group))
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the group can't be listed: {error}"))
            return []

    def _follow(self, group: Any, parent: str, name: str) -> dict[str, str] | None:
        """Take up a child; give a link's description when it is none."""
        path = f"{parent.rstrip('/')}/{name}"
        raw = encode_name(name)
        try:
            kind = group.id.links.get_info(raw).type
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the link can't be read: {error}"))
            return None
        if kind == h5py.h5l.TYPE_SOFT:
            return {"soft": decode_name(group.id.links.get_val(raw))}
        if kind == h5py.h5l.TYPE_EXTERNAL:
            file, target = group.id.links.get_val(raw)
            return {"external": decode_name(target), "file": decode_name(file)}
        if kind != h5py.h5l.TYPE_HARD:
            self.problems.append(Problem(path, f"a user-defined link of class {kind}"))
            return None
        return self._take(group, path, name)

    def _take(self, group: Any, path: str, name: str) -> dict[str, str] | None:
        try:
            child = group[encode_name(name)]
            identity = _identity(child)
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the object can't be opened: {error}"))
            return None
        if identity in self._seen:
            return {"hard": self._seen[identity]}
        self._seen[identity] = path
        if isinstance(child, h5py.Group):
            self._waiting.append((path, child))
        elif isinstance(child, h5py.Dataset):
            self._describe(child, path)
        else:
            self.problems.append(Problem(path, "a named type"))
        return None

    def _describe(self, dataset: h5py.Dataset, path: str) -> None:
        attributes = self._attributes(dataset, path)
        try:
            # First of all, for a virtual dataset's shape may be asked of its sources.
            reason = virtual_obstacle(dataset) if dataset.is_virtual else ""
            leaves = Leaves() if reason else leaves_of(dataset, path, attributes)
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the dataset can't be described: {error}"))
            return
        if reason:
            self.problems.append(Problem(path, reason))
            return
        self.groups += leaves.groups
        self.datasets += leaves.datasets
        self.problems += leaves.problems
        if dataset.is_virtual:
            self.virtual_files |= virtual_files(dataset)

    def _attributes(self, node: Any, path: str) -> dict[str, Any]:
        found = read_attributes(node, path)
        self.problems += [Problem(where, reason) for where, reason in found.problems]
        if found.referring or found.large:
            self._waiting_attributes.append((path, found))
        return found.values

    def finish(self, file: h5py.File) -> None:
        """Say where references lead, now that all paths are known, and move large attributes."""
        targets = {address: plain_text(path) for (_, address), path in self._seen.items()}
        for path, found in self._waiting_attributes:
            node = file[encode_name(path)]
            for key, name in found.referring.items():
                found.values[key] = read_attribute(node, name, targets)
        self.datasets = [self._resolved(file, each, targets) for each in self.datasets]
        spilled = spill(file, self._waiting_attributes)
        self.groups += spilled.groups
        self.datasets += spilled.datasets

    def _resolved(
        self, file: h5py.File, leaf: SourceDataset, targets: Mapping[int, str]
    ) -> SourceDataset:
        if leaf.part is None or leaf.part.element.carry not in (Carry.OBJECT, Carry.REGION):
            return leaf
        resolved, nameless = resolve(file[encode_name(leaf.object_path)], leaf.part, targets)
        if nameless:
            self.problems.append(
                Problem(leaf.path, f"{nameless} references lead to objects that have no path")
            )
        return replace(leaf, part=resolved)


def _identity(node: Any) -> tuple[int, int]:
    info = h5py.h5o.get_info(node.id)
    return info.fileno, info.addr
