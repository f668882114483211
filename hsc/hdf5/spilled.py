"""Spilled attributes: those too large for JSON, as arrays of their own under a reserved name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from hsc.hdf5.attributes import SPILLED_KEY, Attributes, plain_part
from hsc.hdf5.chunks import ChunkIndex
from hsc.hdf5.names import encode_name
from hsc.hdf5.tree import SourceDataset, SourceGroup

RESERVED = ".hsc"
_POINTER_NBYTES = 8


@dataclass(slots=True)
class Spilled:
    """What large attributes become."""

    groups: list[SourceGroup] = field(default_factory=list)
    """The groups of the reserved name."""
    datasets: list[SourceDataset] = field(default_factory=list)
    """One array for each attribute."""


def reserved_name(file: h5py.File) -> str:
    """Give a name for spilled attributes that no object below a file's root has."""
    name = RESERVED
    while encode_name(name) in file:
        name += "_"
    return name


def spill(
    file: h5py.File, owners: Sequence[tuple[str, Attributes]], name: str, first: int
) -> Spilled:
    """Make arrays of large attributes, and put where they are in the attributes' place.

    Parameters
    ----------
    owners
        Path in the file and attributes of each object that has some.
    name
        Name of the group that takes them.
    first
        How many it has from other files.
    """
    spilled = Spilled()
    for path, attributes in owners:
        for key, true in attributes.large.items():
            where = f"/{name}/attributes/{first + len(spilled.datasets)}"
            leaf = _leaf(file[encode_name(path)], path, true, where)
            if leaf is not None:
                attributes.values[key] = {SPILLED_KEY: where}
                spilled.datasets.append(leaf)
    if spilled.datasets and not first:
        spilled.groups = [SourceGroup(f"/{name}", {}), SourceGroup(f"/{name}/attributes", {})]
    return spilled


def _leaf(node: Any, path: str, name: str, where: str) -> SourceDataset | None:
    found = plain_part(node, name)
    if found is None:
        return None
    part, shape = found
    element = part.element
    nothing = np.zeros(1, np.uint64)
    return SourceDataset(
        path=where,
        shape=shape,
        maxshape=shape,
        element=element,
        itemsize=1 if element.tail else element.nbytes or _POINTER_NBYTES,
        fill_value=np.dtype(element.view).type(0).item() if element.view else "",
        filters=(),
        storage="attribute",
        index=ChunkIndex(
            None, np.zeros((1, len(shape)), np.int64), nothing, nothing, np.zeros(1, np.uint32)
        ),
        attributes={},
        object_path=path,
        part=part,
        facts=dict(element.record),
    )
