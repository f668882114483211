"""A forest: many HDF5 files as one tree, each file a subtree under its run-relative name."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hsc.hdf5 import Problem, SourceGroup, SourceTree
from hsc.layouts.run import Facts, RunArray, RunFile, outside
from hsc.layouts.run_files import NOT_CLOSED, RunFiles, lacking_files
from hsc.model import plain_text


@dataclass(frozen=True, slots=True)
class WalkedFile:
    """A file of a run, and all of it but its data."""

    file: RunFile
    """The file."""
    tree: SourceTree
    """What is in it."""
    facts: Facts
    """What it says of the measurement."""

    @property
    def root(self) -> str:
        """Path of its subtree."""
        return f"/{self.file.name}"

    def path(self, path: str) -> str:
        """Give the path in the run's tree of an object of the file."""
        return self.root if path == "/" else f"{self.root}{path}"


def forest_groups(files: Sequence[WalkedFile], links: dict[str, str]) -> tuple[SourceGroup, ...]:
    """Give the groups of the whole tree: its root, the folders, and all groups of the files.

    Parameters
    ----------
    files
        The files.
    links
        Symbolic links of the folder, which the root tells of: name to the name they lead to.
    """
    named = {plain_text(name): plain_text(target) for name, target in links.items()}
    groups = [SourceGroup("/", {"hsc:symlinks": named} if named else {})]
    folders = {folder for each in files for folder in _folders(each.file.name)}
    groups += [SourceGroup(f"/{folder}", {}) for folder in folders]
    groups += [_group(each, group) for each in files for group in each.tree.groups]
    return tuple(sorted(groups, key=lambda group: group.path))


def forest_arrays(files: Sequence[WalkedFile], met: RunFiles) -> tuple[RunArray, ...]:
    """Give the arrays of all files, each under its file's name.

    Parameters
    ----------
    files
        The files.
    met
        The run's files; those that the arrays lie in are taken up.
    """
    for each in files:
        met.add(each.file)
    for each in files:
        met.met(each.tree)
    return tuple(
        RunArray(each.path(d.path), (met.piece(each.tree, d),), attributes=d.attributes)
        for each in files
        for d in each.tree.datasets
    )


def forest_problems(files: Sequence[WalkedFile]) -> tuple[Problem, ...]:
    """Give what can't be carried over of the files.

    An external link to a file in the run's folder is none: it stays a link.
    """
    problems = []
    for each in files:
        inner = {link.path for link in _links(each) if not link.file.startswith("../")}
        found = [*each.tree.problems, *outside(each.tree, inner)]
        problems += [replace(problem, path=_placed(each, problem.path)) for problem in found]
    return tuple(problems)


def forest_notes(files: Sequence[WalkedFile]) -> tuple[str, ...]:
    """Tell which files repeat, in virtual datasets, what other files of the run have."""
    there = {str(each.file.path) for each in files}
    repeated = [(each, len(there & set(each.tree.virtual_files))) for each in files]
    return tuple(
        f"{plain_text(each.file.name)} has virtual datasets over other files of the run ({count}): "
        "their values are stored twice"
        for each, count in repeated
        if count
    )


def forest_missing(files: Sequence[WalkedFile], names: Collection[str]) -> tuple[str, ...]:
    """Tell which files should be in the run's folder and are not: those that others name.

    Parameters
    ----------
    files
        The HDF5 files.
    names
        Names of all that is in the folder.
    """
    lacking: dict[str, list[str]] = {}
    for each in files:
        for link in _links(each):
            if not link.file.startswith("../") and link.file not in names:
                lacking.setdefault(link.file, []).append(each.path(link.path))
    linked = [
        f"{file}, which {paths[0]} links to"
        + (f", as do {len(paths) - 1} more" if len(paths) > 1 else "")
        for file, paths in sorted(lacking.items())
    ]
    read = [what for each in files for what in lacking_files(each.tree, each.root)]
    live = [f"{each.file.name}: {NOT_CLOSED}" for each in files if each.tree.live]
    return tuple(map(plain_text, (*linked, *read, *live)))


def _placed(each: WalkedFile, path: str) -> str:
    return f"{each.root}{path[1:]}" if path.startswith("/@") else each.path(path)


def _group(each: WalkedFile, group: SourceGroup) -> SourceGroup:
    attributes = dict(group.attributes)
    if group.path == "/":
        # Absolute paths in the subtree's links begin here.
        attributes["hsc:file"] = plain_text(each.file.name)
    return replace(group, path=each.path(group.path), attributes=attributes)


@dataclass(frozen=True, slots=True)
class _Link:
    path: str
    file: str


def _links(each: WalkedFile) -> list[_Link]:
    """Give a file's external links; the file that one leads to by its name in the run's folder."""
    folder = posixpath.dirname(each.file.name)
    return [
        _Link(posixpath.join(group.path, name), _name(folder, link["file"], each.file.path.parent))
        for group in each.tree.groups
        for name, link in group.links.items()
        if "external" in link
    ]


def _name(folder: str, target: str, place: Path) -> str:
    """Give the name in the run's folder of a file that a link in ``folder`` names."""
    if posixpath.isabs(target):
        inside = posixpath.relpath(os.path.realpath(target), place.as_posix())
        beside = posixpath.basename(target)
        # A run that was moved: HDF5 then looks beside the file that links.
        moved = not Path(target).exists() and (place / beside).is_file()
        target = beside if moved else inside
    return posixpath.normpath(posixpath.join(folder, target))


def _folders(name: str) -> list[str]:
    steps = name.split("/")[:-1]
    return ["/".join(steps[: depth + 1]) for depth in range(len(steps))]
