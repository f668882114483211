"""Fill values: what was never written reads as, and how the file says so."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from hsc.hdf5.parts import ARRAY, FIELD, Part
from hsc.hdf5.types import REFERENCES, Carry

# What h5py raises for a fill value of a type that it can't describe.
_UNREADABLE = (TypeError, ValueError, OSError, RuntimeError, KeyError, AttributeError)


def fill_facts(dataset: h5py.Dataset) -> dict[str, Any]:
    """Give how a file defines a fill value: nothing when it is HDF5's default, zero.

    Returns
    -------
    facts
        ``fill``: ``undefined`` or ``user``; of the latter, where h5py can read it, the
        bytes as ``fill_hex``, in the file's byte order.
    """
    defined = dataset.id.get_create_plist().fill_value_defined()
    if defined == h5py.h5d.FILL_VALUE_UNDEFINED:
        return {"fill": "undefined"}
    if defined != h5py.h5d.FILL_VALUE_USER_DEFINED:
        return {}
    try:
        value = np.asarray(dataset.fillvalue)
        if value.dtype.kind in "iufc":  # of a single number h5py gives it in this machine's order
            value = value.astype(dataset.dtype.base)
    except _UNREADABLE:
        return {"fill": "user"}
    plain = value.dtype.kind in "biufcV" and not value.dtype.hasobject
    return {"fill": "user", **({"fill_hex": value.tobytes().hex()} if plain else {})}


def fill_value(dataset: h5py.Dataset, part: Part) -> Any:
    """Give the fill value of a leaf, as a Python value.

    Returns
    -------
    value
        None when no single value stands for it: then what was never written must be read as HDF5
        gives it.
    """
    created = dataset.id.get_create_plist()
    if created.fill_value_defined() != h5py.h5d.FILL_VALUE_USER_DEFINED or part.ragged:
        return _zero(part)
    if part.element.carry in REFERENCES:
        return None
    try:
        value = dataset.fillvalue
        for step in part.steps:
            value = _below(value, step)
        return _plain(value, part)
    except _UNREADABLE:
        return None


def _zero(part: Part) -> Any:
    view = part.element.view
    return np.dtype(view).type(0).item() if view else ""


def _below(value: Any, step: tuple[Any, ...]) -> Any:
    if step[0] == FIELD:
        return value[step[1]]
    same = np.asarray(value).reshape(-1) if step[0] == ARRAY else value
    if any(np.asarray(each).tobytes() != np.asarray(same[0]).tobytes() for each in same):
        raise ValueError("more than one fill value")
    return same[0]


def _plain(value: Any, part: Part) -> Any:
    carry, view = part.element.carry, part.element.view
    if carry in (Carry.TEXT, Carry.FIXED_TEXT):
        return (value if isinstance(value, bytes) else str(value).encode()).decode("utf-8")
    array = np.asarray(value)
    if carry is Carry.RAW:
        raw = set(array.tobytes())
        return raw.pop() if len(raw) == 1 and array.nbytes == part.element.nbytes else None
    if carry is Carry.WIDENED:
        return int(array)
    if array.dtype.kind in "fc" and not _said_by_json(array):
        return None
    return (
        np.frombuffer(array.tobytes(), view)[0].item() if array.dtype.kind == "V" else array.item()
    )


def _said_by_json(array: np.ndarray[Any, Any]) -> bool:
    """Tell whether Zarr's word for a value says all of its bits: NaN is one word for many."""
    parts = array.reshape(1)
    if array.dtype.kind == "c":
        parts = parts.view(f"{array.dtype.str[0]}f{array.dtype.itemsize // 2}")
    plain = np.where(np.isnan(parts), np.nan, parts).astype(parts.dtype)
    return plain.tobytes() == parts.tobytes()
