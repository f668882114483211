"""External raw data: the bytes of a dataset that lie in other files, and reading them safely."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import h5py

from hsc.errors import ConfigurationError
from hsc.hdf5.links import real_path
from hsc.hdf5.names import encode_name
from hsc.hdf5.roots import Roots, prefix_obstacle


def raw_files(dataset: h5py.Dataset, roots: Roots) -> tuple[list[Path], str]:
    """Give the files that hold a dataset's raw data.

    HDF5 gives zeros for what such a file is too short for, so its length is checked too.

    Returns
    -------
    files
        Real paths.
    reason
        Why the data can't be carried over; empty when they can.
    """
    files, here = [], real_path(dataset.file)
    for name, first, count in _segments(dataset):
        path, reason = roots.find(name, here, moved=False)
        if path is None:
            return [], f"{name} {reason}"
        missing = first + count - path.stat().st_size
        if missing > 0:
            return [], f"{name} ends {missing} bytes too early"
        files.append(path)
    return files, ""


def has_rooted_names(dataset: h5py.Dataset) -> bool:
    """Tell whether all files of its raw data are named from the root of the file system on."""
    return all(os.path.isabs(name) for name, _, _ in _segments(dataset))


def open_node(file: h5py.File, path: str) -> h5py.Group | h5py.Dataset:
    """Open a group or dataset; raw data are looked for beside the file, and nowhere else.

    (HDF5 itself looks for them in the working folder.)

    Raises
    ------
    ConfigurationError
        A dataset reads from other files, and the environment sends HDF5 elsewhere for them.
    """
    node = file[encode_name(path)]
    if not isinstance(node, h5py.Dataset) or not (node.is_virtual or node.external):
        return node
    misled = prefix_obstacle()
    if misled:
        raise ConfigurationError(
            f"where a dataset's data are {misled}",
            where=f"{file.filename}, {path}",
            next_step="unset it: hsc looks for a file's parts beside it",
        )
    # HDF5 opens nothing twice with two ideas of where its raw data are.
    del node
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_efile_prefix(os.fsencode(real_path(file).parent))
    return h5py.Dataset(h5py.h5d.open(file.id, encode_name(path), access))


def _segments(dataset: h5py.Dataset) -> Iterator[tuple[str, int, int]]:
    """Give file, first byte and number of bytes of each part that holds some of the data."""
    created = dataset.id.get_create_plist()
    left = dataset.size * dataset.id.get_type().get_size() if dataset.size else 0
    for number in range(created.get_external_count()):
        name, first, room = created.get_external(number)
        taken = min(left, int(room))
        left -= taken
        yield os.fsdecode(name), int(first), taken
    if left:
        raise ValueError(f"{left} bytes of its raw data are in no file")
