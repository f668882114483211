"""Attributes of an HDF5 object as JSON: plain where JSON can hold them, tagged where not.

A plain value stands under its own name, so that every reader of Zarr understands it. What JSON
does not say (the exact type) stands beside it in ``hsc:attribute_types``. A value that JSON
can't hold (NaN, integers beyond 2^53, bytes that are no text) is ``{"$t": type, "$hex": bytes}``.
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from hsc.hdf5.types import (
    AMBIGUOUS_NAME,
    ambiguous_names,
    decode_name,
    decode_text,
    element_type,
    encode_name,
)

TYPES_KEY = "hsc:attribute_types"
_EXACT_INTEGERS = 2**53
# Types that need no note: what JSON's own values are read back as.
_NATURAL = {"<i8", "<f8"}


def read_attributes(node: Any, path: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Read all attributes of a group or dataset.

    Returns
    -------
    attributes
        As JSON, with ``hsc:attribute_types`` when some type needs a note.
    problems
        Path (``/group@attribute``) and reason of each attribute that can't be carried over.
    """
    values: dict[str, Any] = {}
    types: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    try:
        names = sorted(map(decode_name, node.attrs))
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        return {}, [(f"{path}@", f"the attributes can't be listed: {error}")]
    ambiguous = ambiguous_names(names)
    for name in names:
        where = f"{path}@{name}"
        if name in ambiguous:
            problems.append((where, AMBIGUOUS_NAME))
            continue
        if name.startswith("hsc:"):
            problems.append((where, "its name begins with hsc:, which is hsc's own"))
            continue
        if decode_text(name) is None:
            problems.append((where, "its name is no UTF-8"))
            continue
        try:
            value, record, reason = _read(node, name)
        except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
            reason, value, record = f"it can't be read: {error}", None, None
        if reason:
            problems.append((where, reason))
            continue
        values[name] = value
        if record:
            types[name] = record
    if types:
        values[TYPES_KEY] = types
    return values, problems


def _read(node: Any, name: str) -> tuple[Any, dict[str, Any] | None, str]:
    raw = encode_name(name)
    attribute = node.attrs.get_id(raw)
    kind = element_type(attribute.get_type(), attribute.dtype)
    if kind.zarr is None:
        return None, None, kind.reason
    value = node.attrs[raw]
    if isinstance(value, h5py.Empty):
        return {"$null": True}, kind.record, ""
    if kind.zarr == "string":
        return *_text(value, kind.record), ""
    return *_numbers(np.asarray(value), kind.record), ""


def _text(value: Any, record: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    if isinstance(value, np.ndarray):
        return _text_array(value, record)
    raw = bytes(value) if isinstance(value, bytes) else value
    text = decode_text(raw)
    if text is None:
        data = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogateescape")
        return {"$t": "string", "$hex": data.hex()}, record
    return text, None if record["string"] == {"charset": "utf-8"} else record


def _text_array(array: np.ndarray[Any, Any], record: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    texts = [decode_text(item) for item in array.ravel()]
    record = {**record, "shape": list(array.shape)}
    if any(text is None for text in texts):
        raw = (i if isinstance(i, bytes) else i.encode("utf-8", "surrogateescape")
               for i in array.ravel())  # fmt: skip
        return {"$t": "string", "$hex": [item.hex() for item in raw]}, record
    return np.array(texts, object).reshape(array.shape).tolist(), record


def _numbers(
    array: np.ndarray[Any, Any], record: dict[str, Any]
) -> tuple[Any, dict[str, Any] | None]:
    if array.shape:
        record = {**record, "shape": list(array.shape)}
    if _plain(array):
        natural = not array.shape and record.get("dtype") in _NATURAL and "enum" not in record
        return array.tolist(), None if natural else record
    little = array.astype(array.dtype.newbyteorder("<"))
    return {"$t": little.dtype.str, "$hex": little.tobytes().hex()}, record


def _plain(array: np.ndarray[Any, Any]) -> bool:
    if array.dtype.kind == "c":
        return False
    if array.dtype.kind == "f":
        return bool(np.isfinite(array).all())
    if array.dtype.itemsize == 8 and array.size:
        return abs(int(array.min())) <= _EXACT_INTEGERS and int(array.max()) <= _EXACT_INTEGERS
    return True
