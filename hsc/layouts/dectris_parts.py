"""The data files of a DECTRIS run: each holds a part of its stack of frames."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path
from typing import Any

from hsc.errors import IncompleteRunError, LayoutError
from hsc.hdf5 import FileState, SourceDataset, SourceTree, open_hdf5, walk
from hsc.layouts.run import RunFile
from hsc.model import plain_text

_NAMED_FILES = 10
# HDF5's own limit of soft links on one path (H5Pset_nlinks).
_MOST_SOFT_LINKS = 16


@dataclass(frozen=True, slots=True)
class StackLink:
    """A link of the master file to a part of the stack."""

    number: int
    """Its number, which gives the order."""
    name: str
    """Its name, as in ``data_000001``."""
    file: str
    """The data file, as the link names it."""
    target: str
    """Path of the frames in the data file."""


@dataclass(frozen=True, slots=True)
class StackPart:
    """A part of the stack of frames, in the data file that holds it."""

    index: int
    """Index of the data file into the run's files."""
    file: RunFile
    """The data file."""
    tree: SourceTree
    """All of the data file but its data."""
    dataset: SourceDataset
    """The frames."""

    def facts(self, start: int) -> dict[str, Any]:
        """Give what the data file says beside its frames, as JSON; ``start``: its first frame."""
        return {
            "file": plain_text(self.file.name),
            "path": plain_text(self.dataset.path),
            "frames": [start, start + self.dataset.shape[0]],
            "attributes": self.dataset.attributes,
            "groups": {plain_text(group.path): group.attributes for group in self.tree.groups},
            "links": {
                plain_text(group.path): group.links_document()
                for group in self.tree.groups
                if group.links
            },
        }


def read_parts(master: Path, links: Sequence[StackLink]) -> tuple[list[StackPart], list[str]]:
    """Read the data files, all but their frames.

    Returns
    -------
    parts
        The parts that are there, in the order of the links.
    absent
        Names of the data files that are not there.

    Raises
    ------
    IncompleteRunError
        No data file is there.
    LayoutError
        A link leads out of the run's folder or to no stack of frames, or two to the same one.
    """
    folder = master.resolve().parent
    opened: dict[Path, tuple[int, RunFile, SourceTree]] = {}
    parts: list[StackPart] = []
    absent: dict[str, None] = {}
    for link in links:
        path = _inside(folder, link, master)
        if not _is_there(path):
            absent[plain_text(link.file)] = None
            continue
        if path not in opened:
            opened[path] = (len(opened) + 1, *_read(folder, path))
        index, file, tree = opened[path]
        parts.append(StackPart(index, file, tree, _frames(tree, link, path)))
        if any(part.dataset is parts[-1].dataset for part in parts[:-1]):
            raise LayoutError(
                f"the link {link.name} leads to frames that another link leads to as well",
                where=str(path),
                next_step="the master file may be damaged: copy it again",
            )
    if not parts:
        raise IncompleteRunError(
            f"none of the run's data files is there: {name_files(list(absent))}",
            where=str(master),
            next_step="copy them beside the master file, then ingest again",
        )
    return parts, list(absent)


def name_files(names: Sequence[str]) -> str:
    """Name the first few of some files, and how many more there are."""
    more = len(names) - _NAMED_FILES
    return ", ".join(names[:_NAMED_FILES]) + (f" and {more} more" if more > 0 else "")


def _inside(folder: Path, link: StackLink, master: Path) -> Path:
    # Not Path.resolve, which fails on a symbolic link to itself; opening it says what is wrong.
    path = Path(realpath(folder / link.file))
    if not path.is_relative_to(folder):
        raise LayoutError(
            f"the link {link.name} leads out of the run's folder, to {plain_text(link.file)}",
            where=f"{master}, /entry/data/{link.name}",
            next_step="put all files of the run in one folder",
        )
    return path


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # there in some way: opening it says what is wrong
        return True
    return True


def _read(folder: Path, path: Path) -> tuple[RunFile, SourceTree]:
    state = FileState(path)
    with open_hdf5(path) as opened:
        tree = walk(opened)
    return RunFile(path.relative_to(folder).as_posix(), path, state), tree


def _frames(tree: SourceTree, link: StackLink, path: Path) -> SourceDataset:
    place = _followed(tree, link.target)
    dataset = next((d for d in tree.datasets if d.path == place), None)
    if dataset is None or len(dataset.shape) < 3:
        raise LayoutError(
            f"there is no stack of frames at {plain_text(link.target)}",
            where=str(path),
            next_step="look at the file with h5ls; it may be damaged",
        )
    return dataset


def _followed(tree: SourceTree, place: str) -> str:
    """Follow hard and soft links along a path to the path that the walk knows an object by."""
    links = {
        posixpath.join(group.path, name): link
        for group in tree.groups
        for name, link in group.links.items()
    }
    at, rest, soft = "/", _steps(place), 0
    while rest:
        step = posixpath.join(at, rest.pop(0))
        link = links.get(step, {})
        target = link.get("hard") or link.get("soft")
        soft += "soft" in link
        if not target or soft > _MOST_SOFT_LINKS:
            at = step
        else:
            at, rest = "/", _steps(posixpath.join(at, target)) + rest
    return at


def _steps(place: str) -> list[str]:
    return [step for step in place.split("/") if step not in ("", ".")]
