"""Sources of virtual datasets: the files they name, and why one can't be carried over.

HDF5 gives the fill value for a source that it can't find, at any depth and without a word, and
opens whatever file a source names. So only sources are carried that can be checked: datasets
with data of their own, in the file itself or in one of the same folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py

from hsc.errors import SourceError
from hsc.hdf5.files import open_hdf5
from hsc.hdf5.names import decode_name, encode_name

_NAMED_REASONS = 10
# HDF5's own limit of soft links on one path (H5Pset_nlinks).
_MOST_SOFT_LINKS = 16


def virtual_files(dataset: h5py.Dataset) -> set[str]:
    """Give the other files that a virtual dataset reads from, as they are named in it."""
    return set(_sources(dataset)) - {"."}


def virtual_obstacle(dataset: h5py.Dataset) -> str:
    """Tell why a virtual dataset can't be carried over; an empty text when it can.

    No file outside the folder of the dataset's file is opened. Ask before the dataset's shape:
    HDF5 opens the sources itself to find how far an unlimited one reaches.
    """
    reasons = [
        reason
        for name, wanted in sorted(_sources(dataset).items())
        for reason in _file_reasons(dataset.file, name, sorted(wanted))
    ]
    more = len(reasons) - _NAMED_REASONS
    return "; ".join(reasons[:_NAMED_REASONS] + ([f"and {more} more"] if more > 0 else []))


def _sources(dataset: h5py.Dataset) -> dict[str, set[str]]:
    """Give the paths that are read from each file, by its name; ``.`` is the file itself."""
    found: dict[str, set[str]] = {}
    for source in dataset.virtual_sources():
        file, path = map(decode_name, (source.file_name, source.dset_name))
        found.setdefault(file, set()).add(path)
    return found


def _file_reasons(file: h5py.File, name: str, wanted: list[str]) -> Iterator[str]:
    patterns = [f"{name}:{path}" for path in wanted if "%" in name + path]
    if patterns:
        yield f"its source {patterns[0]} is a pattern of names, which is not carried yet"
        return
    if name == ".":
        yield from _path_reasons(file, name, wanted)
        return
    named = Path(file.filename)
    path = named.parent / name
    if not path.resolve().is_relative_to(named.resolve().parent):
        yield f"its source {name} leads out of the run's folder"
    elif not path.is_file():
        yield f"its source {name} is missing"
    else:
        try:
            with open_hdf5(path) as opened:
                yield from _path_reasons(opened, name, wanted)
        except SourceError as error:
            yield f"its source {name} can't be read: {error.message}"


def _path_reasons(file: h5py.File, name: str, wanted: list[str]) -> Iterator[str]:
    for path in wanted:
        reason = _reason(file, path)
        if reason:
            yield f"its source {name}:{path} {reason}"


def _reason(file: h5py.File, path: str) -> str:
    """Follow a path link by link, so that no external link on it is opened."""
    node: h5py.Group | h5py.Dataset | h5py.Datatype = file["/"]
    names = encode_name(path).split(b"/")[::-1]
    followed = 0
    while names:
        name = names.pop()
        if name in (b"", b"."):
            continue
        if not isinstance(node, h5py.Group) or not node.id.links.exists(name):
            return "is missing"
        kind = node.id.links.get_info(name).type
        if kind == h5py.h5l.TYPE_SOFT and followed < _MOST_SOFT_LINKS:
            followed += 1
            target = node.id.links.get_val(name)
            names += target.split(b"/")[::-1]
            node = file["/"] if target.startswith(b"/") else node
        elif kind == h5py.h5l.TYPE_HARD:
            node = node[name]
        else:
            return _link_reason(kind)
    return _node_reason(node)


def _link_reason(kind: int) -> str:
    if kind == h5py.h5l.TYPE_SOFT:
        return f"lies behind more than {_MOST_SOFT_LINKS} soft links"
    what = "an external" if kind == h5py.h5l.TYPE_EXTERNAL else "a user-defined"
    return f"lies behind {what} link, which is not carried yet"


def _node_reason(node: h5py.Group | h5py.Dataset | h5py.Datatype) -> str:
    if not isinstance(node, h5py.Dataset):
        return "is no dataset"
    if node.is_virtual:
        return "is virtual itself, which is not carried yet"
    if node.external:
        return "has its data in an external raw file, which is not carried yet"
    return ""
