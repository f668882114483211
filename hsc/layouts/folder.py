"""The folder layout: any folder, each HDF5 file a subtree, the rest carried byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from hsc.errors import HscError, NotHdf5Error, SourceError
from hsc.hdf5 import Problem, Roots, is_hdf5, open_hdf5, walk
from hsc.layouts.facts import read_facts
from hsc.layouts.forest import (
    WalkedFile,
    forest_arrays,
    forest_groups,
    forest_missing,
    forest_notes,
    forest_problems,
)
from hsc.layouts.listing import Listing, list_folder
from hsc.layouts.run import Asset, Facts, Run
from hsc.layouts.run_files import RunFiles, user_block
from hsc.model import plain_text

# Files of these names are HDF5, or their writer has not come to it, or they were cut off.
_HDF5_SUFFIXES = {".h5", ".hdf5", ".cxi"}
# What h5py raises for structures that a damaged file promises and does not have.
_UNREADABLE = (SourceError, OSError, KeyError, RuntimeError, TypeError, ValueError)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SortedFiles:
    """The files of a folder, told apart."""

    walked: tuple[WalkedFile, ...]
    """HDF5 files."""
    assets: tuple[Asset, ...]
    """What is carried byte for byte."""
    problems: tuple[Problem, ...]
    """What should be HDF5 and can't be read as such; its bytes are among the assets."""


class FolderLayout:
    """Any folder with HDF5 files somewhere in it."""

    name = "folder"

    def recognises(self, path: Path) -> bool:
        """Take every folder."""
        return path.is_dir()

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all files of a folder but their data.

        Raises
        ------
        NotHdf5Error
            No file in the folder is HDF5.
        SourceMissingError
            The folder can't be listed.
        """
        listing = list_folder(path)
        found = sort_files(listing, time_zone)
        refuse_without_hdf5(listing, found)
        met = RunFiles(listing.folder)
        arrays = forest_arrays(found.walked, met)
        return Run(
            layout=self.name,
            files=tuple(met.files),
            groups=forest_groups(found.walked, listing.links),
            arrays=arrays,
            problems=(*listing.problems, *found.problems, *forest_problems(found.walked)),
            missing=(*listing.missing, *forest_missing(found.walked, listing.names)),
            assets=found.assets,
            facts=joined_facts([each.facts for each in found.walked]),
            folder=listing.folder,
            key=f"folder {listing.folder}",
            notes=(*listing.notes, *forest_notes(found.walked)),
        )


def sort_files(listing: Listing, time_zone: str) -> SortedFiles:
    """Tell HDF5 files from others, and walk them; their parts may lie anywhere in the folder."""
    walked: list[WalkedFile] = []
    assets: list[Asset] = []
    problems: list[Problem] = []
    roots = Roots((listing.folder,))
    for file in listing.files:
        try:
            if is_hdf5(file.path):
                with open_hdf5(file.path) as opened:
                    tree = walk(opened, roots=roots)
                    walked.append(WalkedFile(file, tree, read_facts(opened, time_zone)))
                assets += user_block(file, tree)
                continue
            if file.path.suffix.lower() in _HDF5_SUFFIXES:
                what = "the file is empty" if not file.state.nbytes else "the file is no HDF5"
                problems.append(Problem(f"/{file.name}", f"{what}: only its bytes are carried"))
        except _UNREADABLE as error:
            if isinstance(error, HscError) and not isinstance(error, SourceError):
                raise
            said = error.message if isinstance(error, HscError) else str(error)
            reason = f"{plain_text(said)}: only its bytes are carried"
            problems.append(Problem(f"/{file.name}", reason))
        assets.append(Asset(file.name, file.path, file.state))
    return SortedFiles(tuple(walked), tuple(assets), tuple(problems))


def refuse_without_hdf5(listing: Listing, found: SortedFiles) -> None:
    """Refuse a folder without any HDF5 file.

    Raises
    ------
    NotHdf5Error
        Saying how many other files there are.
    """
    if not found.walked:
        named = [f"{plain_text(p.path)}: {plain_text(p.reason)}" for p in found.problems[:3]]
        raise NotHdf5Error(
            (
                f"none of the folder's {len(listing.files)} files is HDF5"
                if listing.files
                else "the folder is empty"
            )
            + "".join(f"; {each}" for each in named),
            where=str(listing.folder),
            next_step="name the folder of a run",
        )


def joined_facts(each: Sequence[Facts]) -> Facts:
    """Give what files that belong together say of one measurement: where they agree."""
    moments = [facts.collected for facts in each if facts.collected is not None]
    ends = [facts.ended for facts in each if facts.ended is not None]
    names = {name for facts in each for name in facts.quantities}
    agreed = {
        name: _agreed([facts.quantities.get(name) for facts in each]) for name in sorted(names)
    }
    return Facts(
        title=_agreed([facts.title or None for facts in each]) or "",
        instrument=_agreed([facts.instrument for facts in each]),
        proposal=_agreed([facts.proposal for facts in each]),
        sample=_agreed([facts.sample for facts in each]),
        sample_description=_agreed([facts.sample_description for facts in each]),
        formula=_agreed([facts.formula for facts in each]),
        collected=_earliest(moments),
        ended=max(ends, default=None),
        people=tuple(dict.fromkeys(person for facts in each for person in facts.people)),
        technique=_agreed([facts.technique for facts in each]),
        metadata=_agreed([facts.metadata or None for facts in each]) or {},
        quantities={name: quantity for name, quantity in agreed.items() if quantity is not None},
    )


def _agreed(values: Sequence[_T | None]) -> _T | None:
    said = [value for value in values if value is not None]
    return said[0] if said and all(value == said[0] for value in said) else None


def _earliest(moments: Sequence[datetime]) -> datetime | None:
    # A time without a zone has no order among the others; none is better than a wrong one.
    return min(moments) if moments and all(moment.tzinfo for moment in moments) else None
