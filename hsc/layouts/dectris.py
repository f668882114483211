"""The DECTRIS layout: a master file that links to data files, one stack of frames in all.

DECTRIS FileWriter, format "hdf5 nexus legacy nxmx": ``<name>_master.h5`` holds metadata and, in
``/entry/data``, external links ``data_000001`` ... to ``/entry/data/data`` of the data files.
(github.com/dectris/documentation, ``filewriter/README.md``.) For the newer format see
`hsc.layouts.dectris_channels`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import realpath
from pathlib import Path
from typing import Any

import h5py

from hsc.errors import LayoutError, SourceError
from hsc.hdf5 import FileState, Problem, SourceTree, inside, is_hdf5, open_hdf5, walk
from hsc.layouts.dectris_channels import channel_roles, expected_images, has_channels, source_links
from hsc.layouts.dectris_folder import MASTER, only_master, with_folder
from hsc.layouts.dectris_missing import find_missing
from hsc.layouts.dectris_parts import StackLink, StackPart, read_parts
from hsc.layouts.facts import read_facts
from hsc.layouts.listing import Listing, list_folder, paths_below
from hsc.layouts.run import Asset, Facts, Piece, Run, RunArray, RunFile, outside
from hsc.layouts.run_files import NOT_CLOSED, RunFiles, lacking_files, user_block
from hsc.model import plain_text

_FOLDER = "/entry/data"
_STACK = "/entry/data/data"
_DIMENSIONS = ("frame", "channel", "y", "x")
_LINK = re.compile(r"data_(\d+)")
_DETECTOR = "/entry/instrument/detector"
_ROLES = {
    "pixel_mask": (f"{_DETECTOR}/detectorSpecific/pixel_mask", f"{_DETECTOR}/pixel_mask"),
    "flatfield": (f"{_DETECTOR}/detectorSpecific/flatfield", f"{_DETECTOR}/flatfield"),
    "wavelength": ("/entry/instrument/beam/incident_wavelength",),
    "distance": (f"{_DETECTOR}/detector_distance", f"{_DETECTOR}/distance"),
    "beam_center_x": (f"{_DETECTOR}/beam_center_x",),
    "beam_center_y": (f"{_DETECTOR}/beam_center_y",),
    "x_pixel_size": (f"{_DETECTOR}/x_pixel_size",),
    "y_pixel_size": (f"{_DETECTOR}/y_pixel_size",),
    "count_time": (f"{_DETECTOR}/count_time",),
    "saturation": (
        f"{_DETECTOR}/detectorSpecific/countrate_correction_count_cutoff",
        f"{_DETECTOR}/saturation_value",
    ),
    "sample_name": ("/entry/sample/name",),
    "transmission": ("/entry/sample/transmission",),
    "concentration": ("/entry/sample/concentration",),
    "monitor": ("/entry/control/data", "/entry/monitor/data"),
}


class DectrisLayout:
    """A run as DECTRIS's FileWriter lays it out."""

    name = "dectris"

    def recognises(self, path: Path) -> bool:
        """Tell whether a file is a master file of either format, or a folder has such files."""
        if path.is_dir():
            named = (each for each in paths_below(path) if each.name.endswith(MASTER))
            return any(_may_be_master(each) for each in named)
        return _is_master(path)

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all of a run but its frames.

        Raises
        ------
        IncompleteRunError
            No data file is there, or the numbers of the frames contradict each other.
        LayoutError
            A folder has several master files.
        SourceError
            A file is damaged, or not arranged as the layout says.
        """
        if path.is_dir():
            listing = list_folder(path)
            master = only_master(listing, _masters(listing))
            return with_folder(_read_master(master.path, time_zone), listing)
        return _read_master(path, time_zone)


@dataclass(frozen=True, slots=True)
class _Master:
    """What a master file says, its tree apart."""

    facts: Facts
    expected: int
    roles: dict[str, str]


def _masters(listing: Listing) -> list[RunFile]:
    named = (file for file in listing.files if file.name.endswith(MASTER))
    return [file for file in named if _may_be_master(file.path)]


def _may_be_master(path: Path) -> bool:
    # One that can't be read is told as such by the layout that takes the folder.
    try:
        return not path.is_symlink() and is_hdf5(path) and _is_master(path)
    except SourceError:
        return False


def _is_master(path: Path) -> bool:
    with open_hdf5(path) as file:
        folder = inside(file, _FOLDER)
        if not isinstance(folder, h5py.Group):
            return False
        return has_channels(folder) or ("data" not in folder and bool(_links(folder)))


def _read_master(path: Path, time_zone: str) -> Run:
    file = RunFile(path.name, path, FileState(path))
    with open_hdf5(path) as opened:
        channels = has_channels(opened[_FOLDER])
        links = source_links(opened) if channels else _links(opened[_FOLDER])
        known = {f"{_FOLDER}/{link.name}" for link in links}
        tree = walk(opened, follow=True, known=known)
        master = _said(opened, tree, time_zone, channels=channels)
    parts, absent = read_parts(path, links) if links else ([], [])
    _check_alike(parts)
    files = RunFiles(Path(realpath(path)).parent)
    files.add(file)
    numbers = {part.index: files.add(part.file) for part in parts}
    files.met(tree)
    arrays = [
        RunArray(d.path, (files.piece(tree, d),), attributes=d.attributes) for d in tree.datasets
    ]
    if channels:
        arrays = [_with_channels(a, parts) if a.path == _STACK else a for a in arrays]
    else:
        arrays.append(_stack(parts, numbers))
    found = find_missing(links, parts, absent, master.expected) if parts else ()
    other = [] if channels else lacking_files(tree)
    return Run(
        layout=DectrisLayout.name,
        files=tuple(files.files),
        groups=tree.groups,
        arrays=tuple(arrays),
        problems=(*tree.problems, *_surplus(parts)),
        missing=(*found, *other, *_not_closed(file, tree, parts)),
        assets=(*user_block(file, tree), *_user_blocks(parts)),
        facts=master.facts,
        roles={"frames": _STACK, **master.roles},
    )


def _said(
    file: h5py.File,
    tree: SourceTree,
    time_zone: str,
    *,
    channels: bool,
) -> _Master:
    paths = {dataset.path for dataset in tree.datasets}
    roles = {r: p for r, known in _ROLES.items() for p in known if p in paths}
    return _Master(
        facts=read_facts(file, time_zone),
        expected=expected_images(file) if channels else _expected_frames(file),
        roles={**roles, **(channel_roles(file, paths) if channels else {})},
    )


def _user_blocks(parts: Sequence[StackPart]) -> list[Asset]:
    each = {part.index: part for part in parts}.values()
    return [block for part in each for block in user_block(part.file, part.tree)]


def _not_closed(file: RunFile, tree: SourceTree, parts: Sequence[StackPart]) -> list[str]:
    live = [file.name] if tree.live else []
    live += dict.fromkeys(part.file.name for part in parts if part.tree.live)
    return [f"{plain_text(name)}: {NOT_CLOSED}" for name in live]


def _with_channels(array: RunArray, parts: Sequence[StackPart]) -> RunArray:
    told = {"hsc:stack": _stack_facts(parts)} if parts else {}
    return replace(array, dimension_names=_DIMENSIONS, attributes={**array.attributes, **told})


def _links(folder: h5py.Group) -> list[StackLink]:
    """Give the data links in the order of their numbers."""
    found = []
    for name in folder:
        match = _LINK.fullmatch(name) if isinstance(name, str) else None
        link = folder.get(name, getlink=True) if match else None
        if match and isinstance(link, h5py.ExternalLink):
            found.append(StackLink(int(match[1]), name, link.filename, link.path))
    return sorted(found, key=lambda link: (link.number, link.name))


def _check_alike(parts: Sequence[StackPart]) -> None:
    for part in parts[1:]:
        first = parts[0].dataset
        dataset = part.dataset
        if (dataset.shape[1:], dataset.element) != (first.shape[1:], first.element):
            raise LayoutError(
                f"its frames are {dataset.shape[1:]} of {dataset.element.zarr}, those of "
                f"{parts[0].file.name} are {first.shape[1:]} of {first.element.zarr}",
                where=str(part.file.path),
                next_step="ingest the files one by one with --layout plain",
            )


def _stack(parts: Sequence[StackPart], numbers: Mapping[int, int]) -> RunArray:
    four = len(parts[0].dataset.shape) == 4
    return RunArray(
        _STACK,
        tuple(Piece(numbers[part.index], part.dataset) for part in parts),
        dimension_names=_DIMENSIONS if four else ("frame", "y", "x"),
        attributes={"hsc:stack": _stack_facts(parts)},
    )


def _stack_facts(parts: Sequence[StackPart]) -> list[dict[str, Any]]:
    start, facts = 0, []
    for part in parts:
        facts.append(part.facts(start))
        start += part.dataset.shape[0]
    return facts


def _expected_frames(file: h5py.File) -> int:
    """Give nimages times ntrigger as the detector was told; 0 when the file does not say."""
    count = 1
    for name in ("nimages", "ntrigger"):
        node = inside(file, f"{_DETECTOR}/detectorSpecific/{name}")
        if not isinstance(node, h5py.Dataset) or node.size != 1 or node.dtype.kind not in "iu":
            return 0
        count *= int(node[()])
    return count


def _surplus(parts: Sequence[StackPart]) -> list[Problem]:
    """Give what data files hold beside their frames and has no place in the stack's tree."""
    problems = []
    taken = {(part.index, part.dataset.path) for part in parts}
    for index, part in {part.index: part for part in parts}.items():
        tree = part.tree
        found = [*tree.problems, *outside(tree)]
        found += [Problem("/", f"data that lie in {path.name}") for path in tree.files[1:]]
        found += [
            Problem(d.path, "a dataset beside the frames") for d in tree.datasets
            if (index, d.path) not in taken
        ]  # fmt: skip
        problems += [Problem(f"{part.file.name}:{p.path}", p.reason) for p in found]
    return problems
