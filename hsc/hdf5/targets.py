"""Targets: the objects of a file that a leaf's references lead to, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import h5py

from hsc.hdf5.chunks import chunk_index
from hsc.hdf5.elements import read_targets
from hsc.hdf5.parts import Part
from hsc.hdf5.written import written_regions


def resolve(dataset: h5py.Dataset, part: Part, targets: Mapping[int, str]) -> tuple[Part, int]:
    """Give a part of references what it needs to say where they lead.

    Parameters
    ----------
    targets
        Path of each object of the file by its address.

    Returns
    -------
    part
        With the paths of those objects that its references lead to.
    nameless
        How many objects are reached by references only: they have no path, and so are nowhere
        in the tree.
    """
    found: set[int] = set()
    for start, stop in written_regions(dataset, chunk_index(dataset)):
        found |= read_targets(dataset.id, part, start, stop)
    known = {address: targets[address] for address in sorted(found) if address in targets}
    return replace(part, targets=known), len(found) - len(known)
