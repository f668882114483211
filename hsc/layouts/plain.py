"""The plain layout: one HDF5 file, taken as the tree it is."""

from __future__ import annotations

from os.path import realpath
from pathlib import Path

from hsc.hdf5 import FileState, open_hdf5, walk
from hsc.layouts.facts import read_facts
from hsc.layouts.run import Run, RunArray, RunFile
from hsc.layouts.run_files import NOT_CLOSED, RunFiles, lacking_files, user_block
from hsc.layouts.scan_roles import scan_roles


class PlainLayout:
    """Any HDF5 file."""

    name = "plain"

    def recognises(self, path: Path) -> bool:
        """Take every HDF5 file."""
        return not path.is_dir()

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all of a file but its data."""
        file = RunFile(path.name, path, FileState(path))
        files = RunFiles(Path(realpath(path)).parent)
        files.add(file)
        with open_hdf5(path) as opened:
            tree = walk(opened, follow=True)
            facts = read_facts(opened, time_zone)
        files.met(tree)
        return Run(
            layout=self.name,
            files=tuple(files.files),
            groups=tree.groups,
            arrays=tuple(
                RunArray(d.path, (files.piece(tree, d),), attributes=d.attributes)
                for d in tree.datasets
            ),
            problems=tree.problems,
            missing=(*lacking_files(tree), *([NOT_CLOSED] if tree.live else [])),
            assets=tuple(user_block(file, tree)),
            facts=facts,
            roles=scan_roles(tree.datasets),
        )
