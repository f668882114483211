"""The plain layout: one HDF5 file, taken as the tree it is."""

from __future__ import annotations

from pathlib import Path

from hsc.hdf5 import FileState, SourceTree, open_hdf5, walk
from hsc.layouts.facts import read_facts
from hsc.layouts.run import Asset, Piece, Run, RunArray, RunFile

_NOT_CLOSED = (
    "what its writer still has: the file is flagged as open for writing "
    "(if the writer died: h5clear -s)"
)


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
            tree = walk(file, follow=True)
            facts = read_facts(file, time_zone)
        user_block = Asset(f"{path.name}.userblock", path, state, 0, tree.userblock_nbytes)
        return Run(
            layout=self.name,
            files=(RunFile(path.name, path, state), *_other_files(tree)),
            groups=tree.groups,
            arrays=tuple(
                RunArray(d.path, (Piece(d.file, d, d.lenders),), attributes=d.attributes)
                for d in tree.datasets
            ),
            problems=tree.problems,
            missing=(_NOT_CLOSED,) if tree.live else (),
            assets=(user_block,) if tree.userblock_nbytes else (),
            facts=facts,
        )


def _other_files(tree: SourceTree) -> list[RunFile]:
    # Their bytes are the dataset's too: they go into its identity and must not change.
    # The walk let only those through that lie in the folder, each by its one real path.
    folder = tree.files[0].parent
    return [
        RunFile(path.relative_to(folder).as_posix(), path, FileState(path))
        for path in tree.files[1:]
    ]
