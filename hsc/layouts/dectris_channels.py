"""DECTRIS masters of format "hdf5 nexus v2024.2 nxmx": one virtual stack of many channels.

``/entry/data/data`` has dimensions image, channel, row, column and is a virtual dataset over the
data files (or lies in the master file, when there are none); ``/entry/data/channel`` names the
channels, each with its threshold, pixel mask and flatfield in
``/entry/instrument/detector/<channel>_channel``. (github.com/dectris/documentation,
``filewriter_v2/README.md``.)
"""

from __future__ import annotations

from collections.abc import Collection

import h5py
import numpy as np

from hsc.hdf5 import decode_text, inside
from hsc.layouts.dectris_parts import StackLink

_FOLDER = "/entry/data"
_DETECTOR = "/entry/instrument/detector"
_OF_CHANNEL = ("pixel_mask", "flatfield", "threshold_energy")
_OF_IMAGE = ("image_id", "start_time", "channel")


def has_channels(folder: h5py.Group) -> bool:
    """Tell whether a master file's ``/entry/data`` is of this format."""
    # The shape is not asked for: HDF5 would open the data files, wherever they are.
    names = ("data", "channel", "image_id")
    return all(
        isinstance(folder.get(name, getlink=True), h5py.HardLink)
        and isinstance(folder[name], h5py.Dataset)
        for name in names
    )


def source_links(file: h5py.File) -> list[StackLink]:
    """Give the data files' stacks in the order of their first images; none without data files."""
    data = file[f"{_FOLDER}/data"]
    if not data.is_virtual:
        return []
    found: dict[tuple[str, str], int] = {}
    for source in data.virtual_sources():
        if source.file_name == ".":
            continue
        place = (source.file_name, source.dset_name)
        first = int(source.vspace.get_select_bounds()[0][0])
        found[place] = min(first, found.get(place, first))
    ordered = sorted(found, key=lambda place: (found[place], place))
    return [
        StackLink(number, f"data, source {number}", *place)
        for number, place in enumerate(ordered, start=1)
    ]


def expected_images(file: h5py.File) -> int:
    """Give how many images the master file numbers; 0 when it does not say."""
    numbers = inside(file, f"{_FOLDER}/image_id")
    return int(numbers.size or 0) if isinstance(numbers, h5py.Dataset) else 0


def channel_roles(file: h5py.File, paths: Collection[str]) -> dict[str, str]:
    """Give what arrays are for that this format has and the older has not.

    The first channel's pixel mask and flatfield have the plain roles, each channel's have roles
    with its name, as in ``pixel_mask_threshold_1``.
    """
    roles = {name: f"{_FOLDER}/{name}" for name in _OF_IMAGE if f"{_FOLDER}/{name}" in paths}
    for channel in _channels(file):
        for name in _OF_CHANNEL:
            path = f"{_DETECTOR}/{channel}_channel/{name}"
            if path in paths:
                roles.setdefault(name, path)
                roles[f"{name}_{channel}"] = path
    return roles


def _channels(file: h5py.File) -> list[str]:
    node = inside(file, f"{_FOLDER}/channel")
    if not isinstance(node, h5py.Dataset) or h5py.check_string_dtype(node.dtype) is None:
        return []
    texts = (decode_text(value) for value in np.asarray(node[()], object).ravel())
    return [text for text in texts if text]
