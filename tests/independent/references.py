"""References: whether a path in the tree leads to what HDF5's pointer leads to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np


def reference_differences(place: Any, references: Any, file: h5py.File) -> Iterator[str]:
    """Give what differs between the paths of a place and references as h5py reads them."""
    ours = place.array()
    theirs = np.asarray(references, object).ravel()
    if ours is None or ours.size != theirs.size:
        yield "other references"
        return
    for word, reference in zip(ours.ravel(), theirs, strict=True):
        yield from _reference(str(word), reference, file)


def _reference(word: str, reference: Any, file: h5py.File) -> Iterator[str]:
    if not reference:
        if word:
            yield f"a null reference is {word}"
        return
    region = isinstance(reference, h5py.RegionReference)
    told = json.loads(word) if region and word.startswith("{") else {"path": word}
    try:
        target = file[reference]
    except (OSError, KeyError, ValueError, RuntimeError):
        if not told["path"].startswith("@"):
            yield f"a dangling reference leads to {word}"
        return
    if told["path"].startswith("@") or file[told["path"]] != target:
        yield f"a reference leads to {word}, not to {target.name}"
    elif region:
        space = h5py.h5r.get_region(reference, file.id)
        if _selected(told, space) != space.get_select_npoints():
            yield "another region"


def _selected(told: dict[str, Any], space: Any) -> int:
    if "points" in told:
        same = told["points"] == np.asarray(space.get_select_elem_pointlist()).tolist()
        return len(told["points"]) if same else -1
    if "blocks" in told:
        return sum(
            int(np.prod(np.array(last) - np.array(first) + 1)) for first, last in told["blocks"]
        )
    if "start" in told:
        low, high = space.get_select_bounds()
        top = [
            a + s * (c - 1) + b - 1
            for a, s, c, b in zip(
                told["start"], told["stride"], told["count"], told["block"], strict=True
            )
        ]
        same = list(low) == told["start"] and list(high) == top
        return int(np.prod(told["count"]) * np.prod(told["block"])) if same else -1
    return space.get_select_npoints() if "all" in told else 0
