"""The files of a run as they are met: each once, by its real path, numbered."""

from __future__ import annotations

import os
from os.path import realpath
from pathlib import Path

from hsc.hdf5 import FileState, SourceDataset, SourceTree
from hsc.layouts.run import Asset, Piece, RunFile

NOT_CLOSED = (
    "what its writer still has: the file is flagged as open for writing "
    "(if the writer died: h5clear -s)"
)


class RunFiles:
    """Files of a run, numbered in the order in which they are met.

    Parameters
    ----------
    folder
        Real path of the folder that names are relative to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: dict[Path, int] = {}
        self.files: list[RunFile] = []

    def add(self, file: RunFile) -> int:
        """Take up a file; give its number."""
        path = Path(realpath(file.path))
        if path not in self._numbers:
            self._numbers[path] = len(self.files)
            self.files.append(file)
        return self._numbers[path]

    def piece(self, tree: SourceTree, dataset: SourceDataset) -> Piece:
        """Give a dataset of a walked file as a piece; files that it lies in are taken up."""
        lenders = tuple(self._number(tree.files[each]) for each in dataset.lenders)
        return Piece(self._number(tree.files[dataset.file]), dataset, lenders)

    def met(self, tree: SourceTree) -> None:
        """Take up all files that hold what is in a tree: their bytes are the dataset's too."""
        for path in tree.files:
            self._number(path)

    def _number(self, path: Path) -> int:
        known = self._numbers.get(path)
        if known is not None:
            return known
        # The walk let only those through that lie in the run's folder.
        return self.add(RunFile(path.relative_to(self._folder).as_posix(), path, FileState(path)))


def user_block(file: RunFile, tree: SourceTree) -> list[Asset]:
    """Give the bytes before a file's HDF5 part, as an asset; none when there are none."""
    if not tree.userblock_nbytes:
        return []
    name = f"{file.name}.userblock"
    while os.path.lexists(file.path.with_name(name.rpartition("/")[2])):
        name += "_"
    return [Asset(name, file.path, file.state, 0, tree.userblock_nbytes)]


def lacking_files(tree: SourceTree, root: str = "") -> list[str]:
    """Tell which files are not there that a walked file reads from, as what a run misses.

    Parameters
    ----------
    root
        Path of the file's subtree; empty when its tree is the run's.
    """
    wanted: dict[str, list[str]] = {}
    for problem in tree.problems:
        for name in problem.lacking:
            wanted.setdefault(name, []).append(f"{root}{problem.path}")
    return [
        f"{name}, which {paths[0]} reads from"
        + (f", as do {len(paths) - 1} more" if len(paths) > 1 else "")
        for name, paths in wanted.items()
    ]
