"""The DECTRIS layout: a master file that links to data files, one stack of frames in all.

DECTRIS FileWriter, format "hdf5 nexus legacy nxmx": ``<name>_master.h5`` holds metadata and, in
``/entry/data``, external links ``data_000001`` ... to ``/entry/data/data`` of the data files.
(github.com/dectris/documentation, ``filewriter/README.md``.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import h5py

from hsc.errors import LayoutError
from hsc.hdf5 import FileState, Problem, SourceTree, inside, open_hdf5, walk
from hsc.layouts.dectris_missing import find_missing
from hsc.layouts.dectris_parts import StackLink, StackPart, read_parts
from hsc.layouts.facts import read_facts
from hsc.layouts.run import Piece, Run, RunArray, RunFile, outside

_FOLDER = "/entry/data"
_STACK = "/entry/data/data"
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
}


class DectrisLayout:
    """A run as DECTRIS's FileWriter lays it out."""

    name = "dectris"

    def recognises(self, path: Path) -> bool:
        """Tell whether a file is a master file without a stacked dataset of its own."""
        with open_hdf5(path) as file:
            folder = inside(file, _FOLDER)
            return isinstance(folder, h5py.Group) and "data" not in folder and bool(_links(folder))

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all of a run but its frames.

        Raises
        ------
        IncompleteRunError
            No data file is there, or the numbers of the frames contradict each other.
        SourceError
            A file is damaged, or not arranged as the layout says.
        """
        state = FileState(path)
        with open_hdf5(path) as file:
            tree = walk(file)
            facts = read_facts(file, time_zone)
            links = _links(file[_FOLDER])
            expected = _expected_frames(file)
        parts, absent = read_parts(path, links)
        _check_alike(parts)
        paths = {dataset.path for dataset in tree.datasets}
        roles = {r: p for r, known in _ROLES.items() for p in known if p in paths}
        files = {part.index: part.file for part in parts}
        return Run(
            layout=self.name,
            files=(RunFile(path.name, path, state), *files.values()),
            groups=tree.groups,
            arrays=(
                *(RunArray(d.path, (Piece(0, d),), attributes=d.attributes) for d in tree.datasets),
                _stack(parts),
            ),
            problems=(*_problems(tree, links), *_surplus(parts)),
            missing=find_missing(links, parts, absent, expected),
            facts=facts,
            roles={"frames": _STACK, **roles},
        )


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
    first = parts[0].dataset
    for part in parts[1:]:
        dataset = part.dataset
        if (dataset.shape[1:], dataset.element) != (first.shape[1:], first.element):
            raise LayoutError(
                f"its frames are {dataset.shape[1:]} of {dataset.element.zarr}, those of "
                f"{parts[0].file.name} are {first.shape[1:]} of {first.element.zarr}",
                where=str(part.file.path),
                next_step="ingest the files one by one with --layout plain",
            )


def _stack(parts: Sequence[StackPart]) -> RunArray:
    middle = ("channel",) if len(parts[0].dataset.shape) == 4 else ()
    start, facts = 0, []
    for part in parts:
        facts.append(part.facts(start))
        start += part.dataset.shape[0]
    return RunArray(
        _STACK,
        tuple(Piece(part.index, part.dataset) for part in parts),
        dimension_names=("frame", *middle, "y", "x"),
        attributes={"hsc:stack": facts},
    )


def _expected_frames(file: h5py.File) -> int:
    """Give nimages times ntrigger as the detector was told; 0 when the file does not say."""
    count = 1
    for name in ("nimages", "ntrigger"):
        node = file.get(f"{_DETECTOR}/detectorSpecific/{name}")
        if not isinstance(node, h5py.Dataset) or node.size != 1 or node.dtype.kind not in "iu":
            return 0
        count *= int(node[()])
    return count


def _problems(tree: SourceTree, links: Sequence[StackLink]) -> list[Problem]:
    known = {f"{_FOLDER}/{link.name}" for link in links}
    return [*tree.problems, *_virtual(tree), *outside(tree, known)]


def _virtual(tree: SourceTree) -> list[Problem]:
    return [Problem("/", f"a virtual dataset over {name}") for name in tree.virtual_files]


def _surplus(parts: Sequence[StackPart]) -> list[Problem]:
    """Give what data files hold beside their frames and has no place in the stack's tree."""
    problems = []
    taken = {(part.index, part.dataset.path) for part in parts}
    for index, part in {part.index: part for part in parts}.items():
        tree = part.tree
        found = [*tree.problems, *_virtual(tree), *outside(tree)]
        found += [
            Problem(d.path, "a dataset beside the frames") for d in tree.datasets
            if (index, d.path) not in taken
        ]  # fmt: skip
        problems += [Problem(f"{part.file.name}:{p.path}", p.reason) for p in found]
    return problems
