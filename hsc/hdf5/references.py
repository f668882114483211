"""References: HDF5's pointers to objects and to regions of them, as paths in the tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from h5py import h5r, h5s
from numpy.typing import NDArray

from hsc.model import canonical_json

UNKNOWN = "@"
"""Begins the word for a reference that leads to nothing that has a path; the address follows."""

_DANGLING = (OSError, KeyError, RuntimeError, ValueError)
_NOWHERE = (0, 2**64 - 1)


def paths_of_addresses(
    addresses: NDArray[np.uint64], targets: Mapping[int, str]
) -> NDArray[np.object_]:
    """Give the paths that object references lead to; an empty text for a null reference."""
    words = np.empty(addresses.shape, object)
    for place, address in np.ndenumerate(addresses):
        known = int(address)
        words[place] = "" if known in _NOWHERE else targets.get(known, f"{UNKNOWN}{known}")
    return words


def words_of_references(
    source: Any, references: NDArray[np.object_], targets: Mapping[int, str]
) -> NDArray[np.object_]:
    """Give the paths that h5py's references lead to, those of regions with what is selected.

    Returns
    -------
    words
        Paths for object references; for region references JSON texts, ``{"path": ...}`` with
        ``points``, with ``start``, ``stride``, ``count`` and ``block``, with ``blocks``, or with
        ``all`` or ``nothing``; an empty text for a null reference.
    """
    words = np.empty(references.shape, object)
    for place, reference in np.ndenumerate(references):
        words[place] = _word(source, reference, targets)
    return words


def addresses_of(source: Any, references: NDArray[np.object_]) -> set[int]:
    """Give the addresses of all objects that h5py's references lead to."""
    found = (address_of(source, each) for each in references.ravel() if each)
    return {address for address in found if address is not None}


def address_of(source: Any, reference: Any) -> int | None:
    """Give the address of the object that a reference leads to; None when it is not there."""
    try:
        return int(h5py.h5o.get_info(h5r.dereference(reference, source)).addr)
    except _DANGLING:
        return None


def _word(source: Any, reference: Any, targets: Mapping[int, str]) -> str:
    if not reference:
        return ""
    address = address_of(source, reference)
    if address is None:
        return UNKNOWN
    path = targets.get(address, f"{UNKNOWN}{address}")
    if not isinstance(reference, h5r.RegionReference):
        return path
    selected = {"path": path, **selection(h5r.get_region(reference, source))}
    return canonical_json(selected).decode()


def selection(space: Any) -> dict[str, Any]:
    """Give what is selected of a dataset, as JSON."""
    kind = space.get_select_type()
    if kind == h5s.SEL_POINTS:
        return {"points": np.asarray(space.get_select_elem_pointlist()).tolist()}
    if kind == h5s.SEL_HYPERSLABS:
        if space.is_regular_hyperslab():
            names = ("start", "stride", "count", "block")
            found = space.get_regular_hyperslab()
            return {name: [int(n) for n in part] for name, part in zip(names, found, strict=True)}
        # First and last element of each block.
        return {"blocks": np.asarray(space.get_select_hyper_blocklist()).tolist()}
    return {"all" if kind == h5s.SEL_ALL else "nothing": True}
