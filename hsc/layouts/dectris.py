"""The DECTRIS layout: a master file that links to data files, one stack of frames in all.

DECTRIS FileWriter, format "hdf5 nexus legacy nxmx": ``<name>_master.h5`` holds metadata and, in
``/entry/data``, external links ``data_000001`` ... to ``/entry/data/data`` of the data files.
(github.com/dectris/documentation, ``filewriter/README.md``.)
"""

from __future__ import annotations

import re
from pathlib import Path

import h5py

from hsc.errors import IncompleteRunError, LayoutError
from hsc.hdf5 import FileState, Problem, SourceDataset, SourceTree, open_hdf5, walk
from hsc.layouts.facts import read_facts
from hsc.layouts.run import Piece, Run, RunArray, RunFile

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
            folder = file.get(_FOLDER)
            return isinstance(folder, h5py.Group) and "data" not in folder and bool(_links(folder))

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all of a run but its frames."""
        state = FileState(path)
        with open_hdf5(path) as file:
            tree = walk(file)
            facts = read_facts(file, time_zone)
            links = _links(file[_FOLDER])
            expected = _expected_frames(file)
        files, trees, datasets = _data_files(path, links)
        _check_alike(datasets, files)
        _check_numbers(datasets, files)
        stack = _stack(datasets, trees, files)
        paths = {dataset.path for dataset in tree.datasets}
        roles = {r: p for r, known in _ROLES.items() for p in known if p in paths}
        frames = stack.shape[0]
        return Run(
            layout=self.name,
            files=(RunFile(path.name, path, state), *files),
            groups=tree.groups,
            arrays=(
                *(RunArray(d.path, (Piece(0, d),), attributes=d.attributes) for d in tree.datasets),
                stack,
            ),
            problems=(*_problems(tree, links), *_surplus(trees, files)),
            missing=(
                (f"frames {frames + 1} to {expected} of {expected}",) if expected > frames else ()
            ),
            facts=facts,
            roles={"frames": _STACK, **roles},
        )


def _links(folder: h5py.Group) -> dict[str, tuple[str, str]]:
    """Give the data links by name, in the order of their numbers: file and path in it."""
    found = {}
    for name in folder:
        match = _LINK.fullmatch(name) if isinstance(name, str) else None
        link = folder.get(name, getlink=True) if match else None
        if match and isinstance(link, h5py.ExternalLink):
            found[int(match[1]), name] = (link.filename, link.path)
    return {name: found[number, name] for number, name in sorted(found)}


def _data_files(
    master: Path, links: dict[str, tuple[str, str]]
) -> tuple[list[RunFile], list[SourceTree], list[SourceDataset]]:
    folder = master.resolve().parent
    missing = [file for file, _ in links.values() if not (folder / file).is_file()]
    if missing:
        raise IncompleteRunError(
            f"{len(missing)} of {len(links)} data files are missing: {', '.join(missing[:10])}",
            where=str(master),
            next_step="copy them beside the master file, then ingest again",
        )
    files, trees, datasets = [], [], []
    for name, (file, target) in links.items():
        path = (folder / file).resolve()
        if not path.is_relative_to(folder):
            raise LayoutError(
                f"the link {name} leads out of the run's folder, to {file}",
                where=f"{master}, {_FOLDER}/{name}",
                next_step="put all files of the run in one folder",
            )
        state = FileState(path)
        with open_hdf5(path) as opened:
            tree = walk(opened)
        dataset = next((d for d in tree.datasets if d.path == target), None)
        if dataset is None or len(dataset.shape) < 3:
            raise LayoutError(
                f"there is no stack of frames at {target}",
                where=str(path),
                next_step="look at the file with h5ls; it may be damaged",
            )
        files.append(RunFile(path.relative_to(folder).as_posix(), path, state))
        trees.append(tree)
        datasets.append(dataset)
    return files, trees, datasets


def _check_alike(datasets: list[SourceDataset], files: list[RunFile]) -> None:
    first = datasets[0]
    for dataset, file in zip(datasets[1:], files[1:], strict=True):
        if (dataset.shape[1:], dataset.element) != (first.shape[1:], first.element):
            raise LayoutError(
                f"its frames are {dataset.shape[1:]} of {dataset.element.zarr}, those of "
                f"{files[0].name} are {first.shape[1:]} of {first.element.zarr}",
                where=str(file.path),
                next_step="ingest the files one by one with --layout plain",
            )


def _check_numbers(datasets: list[SourceDataset], files: list[RunFile]) -> None:
    """Check image_nr_low and image_nr_high, where files have them: no frame lost or twice."""
    following: int | None = None
    for dataset, file in zip(datasets, files, strict=True):
        low, high = (dataset.attributes.get(f"image_nr_{end}") for end in ("low", "high"))
        if not isinstance(low, int) or not isinstance(high, int):
            following = None
            continue
        if high - low + 1 != dataset.shape[0] or (following is not None and low != following):
            raise IncompleteRunError(
                f"its {dataset.shape[0]} frames are numbered {low} to {high}"
                + (f" where {following} should follow" if following is not None else ""),
                where=str(file.path),
                next_step="a data file is missing, cut off or of another run: copy the run again",
            )
        following = high + 1


def _stack(
    datasets: list[SourceDataset], trees: list[SourceTree], files: list[RunFile]
) -> RunArray:
    first = datasets[0]
    middle = ("channel",) if len(first.shape) == 4 else ()
    start, parts = 0, []
    for dataset, tree, file in zip(datasets, trees, files, strict=True):
        # What the data files say beside the frames is kept with the stack.
        parts.append(
            {
                "file": file.name,
                "path": dataset.path,
                "frames": [start, start + dataset.shape[0]],
                "attributes": dataset.attributes,
                "groups": {g.path: g.attributes for g in tree.groups if g.attributes},
            }
        )
        start += dataset.shape[0]
    return RunArray(
        _STACK,
        tuple(Piece(number + 1, dataset) for number, dataset in enumerate(datasets)),
        dimension_names=("frame", *middle, "y", "x"),
        attributes={"hsc:stack": parts},
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


def _problems(tree: SourceTree, links: dict[str, tuple[str, str]]) -> list[Problem]:
    problems = [*tree.problems, *_virtual(tree)]
    for group in tree.groups:
        for name, link in group.links.items():
            if "external" in link and not (group.path == _FOLDER and name in links):
                path = f"{group.path.rstrip('/')}/{name}"
                problems.append(Problem(path, f"an external link to {link['file']}"))
    return problems


def _virtual(tree: SourceTree) -> list[Problem]:
    return [Problem("/", f"a virtual dataset over {name}") for name in tree.virtual_files]


def _surplus(trees: list[SourceTree], files: list[RunFile]) -> list[Problem]:
    """Give what data files hold beside their frames: none of it has a place in the stack's tree."""
    problems = []
    for tree, file in zip(trees, files, strict=True):
        found = [*tree.problems, *_virtual(tree)]
        found += [
            Problem(d.path, "a dataset beside the frames") for d in tree.datasets
            if d.path != _STACK
        ]  # fmt: skip
        problems += [Problem(f"{file.name}:{p.path}", p.reason) for p in found]
    return problems
