"""The European XFEL layout: a run's folder, each file a subtree, modules and sequences checked.

A run is a folder of files ``RAW-R0238-AGIPD03-S00000.h5``: kind, run, what wrote the file, number
in its sequence. Each file is a subtree of its own, as in the folder layout. Joined they would
collide: every file has INDEX, METADATA and RUN of its own; the sequences of two sources don't
break at the same train; and a module may lack trains, so that rows of two files are not of one
train. Roles tell where the images of each module are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hsc.errors import LayoutError
from hsc.hdf5 import open_hdf5
from hsc.layouts.exfel_file import ExfelFile, exfel_name, read_exfel_file
from hsc.layouts.exfel_missing import find_missing, lacking_trains
from hsc.layouts.folder import refuse_without_hdf5, sort_files
from hsc.layouts.forest import (
    WalkedFile,
    forest_arrays,
    forest_groups,
    forest_missing,
    forest_notes,
    forest_problems,
)
from hsc.layouts.listing import Listing, list_folder, paths_below
from hsc.layouts.run import Facts, Run
from hsc.layouts.run_files import RunFiles

_NAMED_RUNS = 5


class ExfelLayout:
    """A run's folder as European XFEL's data acquisition and calibration write it."""

    name = "exfel"

    def recognises(self, path: Path) -> bool:
        """Tell whether a folder has files of a run, at any depth."""
        return any(exfel_name(each.name) for each in paths_below(path))

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all files of a run but their data.

        Raises
        ------
        LayoutError
            The folder has files of several runs.
        SourceError
            The folder can't be listed.
        """
        listing = list_folder(path)
        found = sort_files(listing, time_zone)
        refuse_without_hdf5(listing, found)
        files = [(each, file) for each in found.walked if (file := _read(each)) is not None]
        said = [file for _, file in files]
        kind, run, proposal = _identity(listing, said)
        met = RunFiles(listing.folder)
        arrays = forest_arrays(found.walked, met)
        return Run(
            layout=self.name,
            files=tuple(met.files),
            groups=forest_groups(found.walked, listing.links),
            arrays=arrays,
            problems=(*listing.problems, *found.problems, *forest_problems(found.walked)),
            missing=(
                *listing.missing,
                *find_missing(said),
                *forest_missing(found.walked, listing.names),
            ),
            assets=found.assets,
            facts=_facts(said, kind, run, proposal),
            roles=_roles(files),
            folder=listing.folder,
            key=f"exfel p{proposal:06} r{run:04} {kind}"
            if proposal
            else f"folder {listing.folder}",
            notes=(*listing.notes, *lacking_trains(said), *forest_notes(found.walked)),
        )


def _read(each: WalkedFile) -> ExfelFile | None:
    name = exfel_name(each.file.path.name)
    if name is None:
        return None
    with open_hdf5(each.file.path) as file:
        return read_exfel_file(file, each.tree, name)


def _identity(listing: Listing, files: Sequence[ExfelFile]) -> tuple[str, int, int]:
    """Give kind, run and proposal of a folder's run; proposal 0 when no file tells it."""
    names = {(file.name.kind, file.name.run) for file in files}
    names |= {(file.name.kind, file.run) for file in files if file.run is not None}
    proposals = {file.proposal for file in files if file.proposal}
    if len(names) > 1 or len(proposals) > 1:
        runs = [f"{kind} of run {run}" for kind, run in sorted(names)]
        runs += [f"proposal {number}" for number in sorted(proposals) if len(proposals) > 1]
        raise LayoutError(
            f"the folder has files of several runs: {', '.join(runs[:_NAMED_RUNS])}"
            + (" and more" if len(runs) > _NAMED_RUNS else ""),
            where=str(listing.folder),
            next_step="name the folder of one run, as in r0238, or take it in with --layout folder",
        )
    kind, run = names.pop() if names else ("", 0)
    return kind, run, proposals.pop() if proposals else 0


def _facts(files: Sequence[ExfelFile], kind: str, run: int, proposal: int) -> Facts:
    samples = {file.sample for file in files if file.sample}
    moments = [file.created for file in files if file.created is not None and file.created.tzinfo]
    # The first word of a detector's name is its instrument's.
    sources = [images.source for file in files for images in file.images]
    instruments = {source.split("_", 1)[0] for source in sources}
    of = f" of proposal {proposal}" if proposal else ""
    return Facts(
        title=f"{kind} run {run}{of}",
        instrument=instruments.pop() if len(instruments) == 1 else None,
        proposal=str(proposal) if proposal else None,
        sample=samples.pop() if len(samples) == 1 else None,
        collected=min(moments, default=None),
    )


def _roles(files: Sequence[tuple[WalkedFile, ExfelFile]]) -> dict[str, str]:
    """Give what arrays are for: the images of each module and sequence, and their trains.

    ``frames`` alone when the run has but one; else ``frames_AGIPD03_S00000`` and so on.
    """
    every = [(each, file, images) for each, file in files for images in file.images]
    roles: dict[str, str] = {}
    for each, file, images in every:
        end = "" if len(every) == 1 else f"_{file.name.aggregator}_S{file.name.sequence:05}"
        if f"frames{end}" in roles:  # an aggregator that writes several cameras
            end += f"_{images.source.replace('/', '.').replace(':', '.')}"
        roles[f"frames{end}"] = each.path(images.path)
        for role, path in images.beside.items():
            roles[f"{role}{end}"] = each.path(path)
    return roles
