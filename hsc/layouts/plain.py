"""The plain layout: one HDF5 file, taken as the tree it is."""

from __future__ import annotations

from pathlib import Path

from hsc.hdf5 import FileState, SourceTree, open_hdf5, walk
from hsc.layouts.facts import read_facts
from hsc.layouts.run import Piece, Run, RunArray, RunFile, outside


class PlainLayout:
    """Any HDF5 file."""

    name = "plain"

    def recognises(self, path: Path) -> bool:
        """Take every HDF5 file."""
        return not path.is_dir()

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all of a file but its data."""
        state = FileState(path)
        with open_hdf5(path) as file:
            tree = walk(file)
            facts = read_facts(file, time_zone)
        return Run(
            layout=self.name,
            files=(RunFile(path.name, path, state), *_virtual_files(path, tree)),
            groups=tree.groups,
            arrays=tuple(
                RunArray(dataset.path, (Piece(0, dataset),), attributes=dataset.attributes)
                for dataset in tree.datasets
            ),
            problems=(*tree.problems, *outside(tree)),
            facts=facts,
        )


def _virtual_files(path: Path, tree: SourceTree) -> list[RunFile]:
    # Their bytes are the dataset's too: they go into its identity and must not change.
    # The walk let only those through that lie in the folder; a file may have several names.
    named = path.resolve()
    found = {(path.parent / name).resolve() for name in tree.virtual_files} - {named}
    return [
        RunFile(source.relative_to(named.parent).as_posix(), source, FileState(source))
        for source in sorted(found)
    ]
