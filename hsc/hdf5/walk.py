"""The walk: every group, dataset and link of a file, each object once; of data, only small text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py

from hsc.errors import DamagedSourceError
from hsc.hdf5.attributes import read_attributes
from hsc.hdf5.creation_order import ORDER_KEY, creation_order
from hsc.hdf5.external import raw_files
from hsc.hdf5.files import FilesMet
from hsc.hdf5.leaves import Leaves, leaves_of
from hsc.hdf5.links import Reached, describe_link, reached_outside, real_path
from hsc.hdf5.named_types import NamedTypes, address_of
from hsc.hdf5.names import AMBIGUOUS_NAME, ambiguous_names, decode_name, encode_name
from hsc.hdf5.referring import Referring
from hsc.hdf5.roots import Roots
from hsc.hdf5.spilled import reserved_name
from hsc.hdf5.tree import Problem, SourceDataset, SourceGroup, SourceTree
from hsc.hdf5.virtual import Sources

# What h5py raises for structures that a damaged or foreign file promises and does not have.
_UNREADABLE = (OSError, KeyError, RuntimeError, TypeError, ValueError)


def walk(
    file: h5py.File,
    *,
    roots: Roots | None = None,
    follow: bool = False,
    known: Collection[str] = (),
) -> SourceTree:
    """Walk a file by object identity: cycles end, and a second hard link is a link.

    Parameters
    ----------
    file
        The file.
    roots
        Where its parts in other files may lie; None: in its own folder.
    follow
        Whether what external links lead to is in the tree too, under the link's path.
    known
        Paths of external links that are not followed in any case.

    Raises
    ------
    DamagedSourceError
        Not even the root group can be opened.
    """
    try:
        walker = _Walker(file, roots or Roots.beside(real_path(file)), follow, known)
    except _UNREADABLE as error:
        raise DamagedSourceError(
            f"the root group can't be opened: {error}",
            where=file.filename,
            next_step="copy the file again from where it was written",
        ) from error
    walker.run(file)
    return SourceTree(
        groups=tuple(sorted(walker.groups, key=lambda group: group.path)),
        datasets=tuple(sorted(walker.datasets, key=lambda dataset: dataset.path)),
        problems=tuple(sorted(walker.problems, key=lambda problem: problem.path)),
        userblock_nbytes=file.userblock_size,
        virtual_files=tuple(sorted(walker.virtual_files)),
        files=tuple(walker.files),
        live=bool(file.swmr_mode),
    )


class _Walker:
    def __init__(self, file: h5py.File, roots: Roots, follow: bool, known: Collection[str]) -> None:
        self.groups: list[SourceGroup] = []
        self.datasets: list[SourceDataset] = []
        self.problems: list[Problem] = []
        self.virtual_files: set[str] = set()
        self.files = FilesMet(real_path(file))
        self._roots, self._follow_links, self._known = roots, follow, known
        self._sources = Sources(roots, live=file.swmr_mode)
        self._shown: dict[tuple[Path, str], tuple[str, dict[str, Any]]] = {}
        self._types = NamedTypes()
        self._referring = Referring(reserved_name(file))
        self._outside: list[tuple[str, Path, dict[str, str]]] = []
        # Number of the file that is walked, and first path of each object of all of them.
        self._number = 0
        self._seen = {(0, address_of(file["/"])): "/"}
        # Path in the tree and in the file, parent and name of groups whose turn will come.
        self._waiting: list[tuple[str, str, Any, bytes]] = []

    def run(self, file: h5py.File) -> None:
        self._walk("/", "/", file["/"])
        self._finish(file)
        while self._outside:
            path, of, link = self._outside.pop(0)
            self._enter(path, of, link)
        self._types.finish(self.groups, self._seen)

    def _walk(self, path: str, at: str, group: h5py.Group) -> None:
        self._list(path, at, group)
        while self._waiting:
            # Opened when its turn comes: a hundred thousand open groups take much memory.
            path, at, parent, name = self._waiting.pop()
            self._list(path, at, parent[name])

    def _list(self, path: str, at: str, group: h5py.Group) -> None:
        links: dict[str, dict[str, str]] = {}
        # In the order of names, so that the first path of an object is the same each time.
        names = self._names(group, path)
        ambiguous = ambiguous_names(names)
        for name in names:
            if name in ambiguous:
                where = f"{path.rstrip('/')}/{name}"
                self.problems.append(Problem(where, AMBIGUOUS_NAME))
                continue
            link = self._follow(group, path, at, name)
            if link is not None:
                links[name] = link
        self.groups.append(SourceGroup(path, self._attributes(group, path, at), links))

    def _names(self, group: Any, path: str) -> list[str]:
        try:
            return sorted(map(decode_name, group))
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the group can't be listed: {error}"))
            return []

    def _follow(self, group: Any, parent: str, at: str, name: str) -> dict[str, str] | None:
        """Take up a child; give a link's description when it is none."""
        path, below = f"{parent.rstrip('/')}/{name}", f"{at.rstrip('/')}/{name}"
        try:
            link = describe_link(group, name)
            if link is None:
                child = group[encode_name(name)]
                return self._take(child, path, below, (group, encode_name(name)))
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the object can't be opened: {error}"))
            return None
        if "file" in link and self._follow_links and path not in self._known:
            self._outside.append((path, self.files[self._number], link))
        return link

    def _enter(self, path: str, of: Path, link: dict[str, str]) -> None:
        """Take up what an external link leads to, in its own file."""
        file, target = link["file"], link["external"]
        what = f"an external link to {file}:{target}"
        try:
            with reached_outside(of, file, target, self._roots) as place:
                if place.node is None:
                    absent = not place.path and place.reason == "is missing"
                    lacking = (file,) if absent else ()
                    reason = f"{what}, which {place.reason}"
                    self.problems.append(Problem(path, reason, lacking))
                    return
                for passed in place.passed:
                    self._number = self.files.number(passed)
                link |= self._arrive(path, place)
                self._finish(place.node.file)
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"{what}, which can't be read: {error}"))

    def _arrive(self, path: str, place: Reached) -> dict[str, str]:
        virtual, shown = self._shown.get((place.file, place.path), ("", None))
        if shown is not None:
            # All of it is in the virtual dataset: it is not carried twice.
            shown["linked"][path] = {
                "attributes": self._attributes(place.node, path, place.path),
                "shape": list(place.node.shape),
            }
            return {"within": virtual}
        again = self._take(place.node, path, place.path, None)
        return {"at": again["hard"]} if again else {}

    def _take(
        self, child: Any, path: str, at: str, held: tuple[Any, bytes] | None
    ) -> dict[str, str] | None:
        identity = (self._number, address_of(child))
        if identity in self._seen:
            return {"hard": self._seen[identity]}
        self._seen[identity] = path
        if isinstance(child, h5py.Dataset):
            self._describe(child, path, at)
        elif not isinstance(child, h5py.Group):
            self._types.add(path, child, self._attributes(child, path, at))
        elif held is None:
            self._walk(path, at, child)
        else:
            self._waiting.append((path, at, *held))
        return None

    def _describe(self, dataset: h5py.Dataset, path: str, at: str) -> None:
        attributes = self._attributes(dataset, path, at)
        self._types.used(dataset, self._number, attributes)
        try:
            leaves, problem = self._leaves(dataset, path, attributes)
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the dataset can't be described: {error}"))
            return
        if problem is not None:
            self.problems.append(problem)
            return
        self.groups += leaves.groups
        self.problems += leaves.problems
        self.datasets += [
            replace(leaf, file=self._number, object_path=at) for leaf in leaves.datasets
        ]

    def _leaves(
        self, dataset: h5py.Dataset, path: str, attributes: dict[str, Any]
    ) -> tuple[Leaves, Problem | None]:
        if dataset.is_virtual:
            return self._virtual(dataset, path, attributes)
        if dataset.external:
            files, reason = raw_files(dataset, self._roots)
            if reason:
                return Leaves(), Problem(path, f"its raw data: {reason}")
            self.files.add(files)
        return leaves_of(dataset, path, attributes), None

    def _virtual(
        self, dataset: h5py.Dataset, path: str, attributes: dict[str, Any]
    ) -> tuple[Leaves, Problem | None]:
        # First of all, for a virtual dataset's shape may be asked of its sources.
        facts = self._sources.facts(dataset)
        if facts.obstacle:
            return Leaves(), Problem(path, facts.obstacle, facts.lacking)
        record: dict[str, Any] = {"mappings": list(facts.record), "linked": {}}
        attributes["hsc:virtual"] = record
        leaves = leaves_of(dataset, path, attributes)
        self.files.add(facts.files)
        self.virtual_files |= {str(file) for file in facts.files - {self.files[self._number]}}
        if facts.chunks is not None and [leaf.part for leaf in leaves.datasets] == [None]:
            self._shown |= dict.fromkeys(facts.shown, (path, record))
            lenders = tuple(self.files.number(each) for each in facts.chunks.lenders)
            index, filters = facts.chunks.index, facts.chunks.filters
            record["chunks"] = list(index.chunks or ())
            record["filters"] = [[stage.id, list(stage.values)] for stage in filters]
            leaf = replace(leaves.datasets[0], index=index, filters=filters, lenders=lenders)
            leaves.datasets = [leaf]
        return leaves, None

    def _attributes(self, node: Any, path: str, at: str) -> dict[str, Any]:
        found = read_attributes(node, path)
        self.problems += [Problem(where, reason) for where, reason in found.problems]
        self._referring.add(path, at, found)
        try:
            order = creation_order(node)
        except _UNREADABLE as error:
            self.problems.append(Problem(f"{path}@", f"the creation order can't be read: {error}"))
        else:
            found.values |= {ORDER_KEY: order} if order else {}
        return found.values

    def _finish(self, file: h5py.File) -> None:
        """Finish what had to wait for all paths of a file."""
        groups, problems = self._referring.finish(file, self._number, self._seen, self.datasets)
        self.groups += groups
        self.problems += problems
