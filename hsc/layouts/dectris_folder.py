"""A DECTRIS run's folder: one master file with its data files, and what lies beside them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from os.path import realpath
from pathlib import Path

from hsc.errors import LayoutError
from hsc.hdf5 import Problem, SourceGroup, is_hdf5
from hsc.layouts.listing import Listing
from hsc.layouts.run import Asset, Run, RunFile
from hsc.model import plain_text

# FileWriter gives every master file this end, whatever the name's pattern.
MASTER = "_master.h5"
_NAMED_MASTERS = 10


def only_master(listing: Listing, masters: Sequence[RunFile]) -> RunFile:
    """Give the one master file of a folder.

    Raises
    ------
    LayoutError
        There are several, each of a run of its own.
    """
    if len(masters) == 1:
        return masters[0]
    named = [plain_text(each.name) for each in masters[:_NAMED_MASTERS]]
    more = len(masters) - len(named)
    raise LayoutError(
        f"the folder has {len(masters)} master files: {', '.join(named)}"
        + (f" and {more} more" if more else ""),
        where=str(listing.folder),
        next_step="each is a run of its own: name the master files instead of the folder, or take "
        "the folder as it is with --layout folder",
    )


def with_folder(run: Run, listing: Listing) -> Run:
    """Give a run, read by its master file, all that lies beside it in the folder."""
    files = tuple(
        replace(file, name=Path(realpath(file.path)).relative_to(listing.folder).as_posix())
        for file in run.files
    )
    below = posixpath.dirname(files[0].name)
    blocks = [replace(asset, name=posixpath.join(below, asset.name)) for asset in run.assets]
    taken = {file.name for file in files}
    beside = [file for file in listing.files if file.name not in taken]
    return replace(
        run,
        files=files,
        groups=_with_links(run.groups, listing),
        problems=(*run.problems, *_unread(listing, taken)),
        missing=(*run.missing, *listing.missing),
        assets=(*blocks, *(Asset(file.name, file.path, file.state) for file in beside)),
        folder=listing.folder,
        notes=(*run.notes, *listing.notes, *map(_foreign, filter(_is_hdf5, beside))),
    )


def _unread(listing: Listing, taken: set[str]) -> list[Problem]:
    return [problem for problem in listing.problems if problem.path.lstrip("/") not in taken]


def _with_links(groups: tuple[SourceGroup, ...], listing: Listing) -> tuple[SourceGroup, ...]:
    if not listing.links:
        return groups
    named = {plain_text(name): plain_text(target) for name, target in listing.links.items()}
    root, *rest = groups
    return (replace(root, attributes={**root.attributes, "hsc:symlinks": named}), *rest)


def _is_hdf5(file: RunFile) -> bool:
    return is_hdf5(file.path)


def _foreign(file: RunFile) -> str:
    return f"{plain_text(file.name)} is HDF5 and no part of the run: carried byte for byte"
