"""References: h5py's, made of the words that stand for them in the tree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from h5py import h5r, h5s


def made_reference(file: h5py.File, words: str, region: bool, places: Mapping[str, bytes]) -> Any:
    """Make a reference to an object of a file, or to a region of a dataset.

    Parameters
    ----------
    words
        A path; of a region JSON with ``path`` and what is selected; empty for a null reference.
    places
        Path in the file, in bytes, of each object by its path in words.

    Returns
    -------
    reference
        None when it leads to nothing in the file.
    """
    if not words:
        return h5py.RegionReference() if region else h5py.Reference()
    if not region:
        place = places.get(words)
        return None if place is None else h5r.create(file.id, place, h5r.OBJECT)
    facts = json.loads(words) if words.startswith("{") else {}
    place = places.get(facts.get("path", ""))
    if place is None:
        return None
    space = h5py.h5d.open(file.id, place).get_space()
    _select(space, facts)
    return h5r.create(file.id, place, h5r.DATASET_REGION, space)


def _select(space: Any, facts: Mapping[str, Any]) -> None:
    if "points" in facts:
        space.select_elements(np.asarray(facts["points"], np.uint64))
    elif "start" in facts:
        start, stride, count, block = (
            tuple(facts[name]) for name in ("start", "stride", "count", "block")
        )
        space.select_hyperslab(start, count, stride, block)
    elif "blocks" in facts:
        how = h5s.SELECT_SET
        for first, last in facts["blocks"]:
            count = tuple(b - a + 1 for a, b in zip(first, last, strict=True))
            space.select_hyperslab(tuple(first), count, op=how)
            how = h5s.SELECT_OR
    elif "nothing" in facts:
        space.select_none()
    else:
        space.select_all()
