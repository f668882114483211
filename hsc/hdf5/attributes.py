"""Attributes of an HDF5 object as JSON: plain where JSON can hold them, tagged where not.

A plain value stands under its own name, so that every reader of Zarr understands it. What JSON
does not say (the exact type) stands beside it in ``hsc:attribute_types``. A value that JSON
can't hold (NaN, integers beyond 2^53, bytes that are no text) is ``{"$t": type, "$hex": bytes}``;
one of a type made of others is ``{"$columns": {name: value}}``, with the names that a dataset of
this type would have below its group.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from h5py import h5s

from hsc.hdf5.columns import Column, Columns, columns_of, leaf_type, raw_columns
from hsc.hdf5.elements import read_targets, read_texts_raw, read_whole
from hsc.hdf5.names import decode_name, decode_text, encode_name
from hsc.hdf5.parts import Part
from hsc.hdf5.records import type_record
from hsc.hdf5.types import REFERENCES, Carry

TYPES_KEY = "hsc:attribute_types"
SPILLED_KEY = "$array"
LARGEST_JSON_NBYTES = 64 * 2**10
_EXACT_INTEGERS = 2**53
# Types that need no note: what JSON's own values are read back as.
_NATURAL = {"<i8", "<f8"}
_TEXTS = (Carry.TEXT, Carry.FIXED_TEXT)
_UNREADABLE = (OSError, KeyError, TypeError, ValueError, RuntimeError)


@dataclass(slots=True)
class Attributes:
    """Attributes of an object."""

    values: dict[str, Any] = field(default_factory=dict)
    """As JSON, with ``hsc:attribute_types`` when some type needs a note."""
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Path (``/group@attribute``) and reason of each that can't be carried over."""
    referring: dict[str, str] = field(default_factory=dict)
    """Those that hold references, which wait for the paths of the whole tree: name in JSON to
    name in the file."""
    large: dict[str, str] = field(default_factory=dict)
    """Those that are too large for JSON: likewise."""


def read_attributes(node: Any, path: str) -> Attributes:
    """Read all attributes of a group or dataset."""
    found = Attributes()
    try:
        names = sorted(map(decode_name, node.attrs))
    except _UNREADABLE as error:
        found.problems.append((f"{path}@", f"the attributes can't be listed: {error}"))
        return found
    types: dict[str, Any] = {}
    for name, key in attribute_keys(names).items():
        try:
            _take(found, types, node, name, key)
        except _UNREADABLE as error:
            found.problems.append((f"{path}@{name}", f"it can't be read: {error}"))
    if types:
        found.values[TYPES_KEY] = types
    return found


def attribute_keys(names: list[str]) -> dict[str, str]:
    r"""Give each attribute its name in JSON: mostly its own.

    One that begins with ``hsc:``, which is hsc's own, or is no UTF-8 is percent-escaped, and its
    true name noted.

    Examples
    --------
    >>> attribute_keys(["a", "hsc:name", "\udcff"])
    {'a': 'a', 'hsc:name': '%68sc:name', '\udcff': '%FF'}
    """
    plain = {
        name for name in names if not name.startswith("hsc:") and decode_text(name) is not None
    }
    keys, taken = {}, set(plain)
    for name in names:
        key = name if name in plain else _escaped(name)
        while name not in plain and key in taken:
            key += "%"
        taken.add(key)
        keys[name] = key
    return keys


def read_attribute(node: Any, name: str, targets: Mapping[int, str]) -> Any:
    """Read one attribute as JSON, with the paths that its references lead to.

    Parameters
    ----------
    targets
        Path of each object by its address.
    """
    return _read(node, name, targets)[0]


def attribute_targets(node: Any, name: str) -> set[int]:
    """Give the addresses of the objects that an attribute's references lead to."""
    attribute = node.attrs.get_id(encode_name(name))
    found: set[int] = set()
    if attribute.get_space().get_simple_extent_type() == h5s.NULL:
        return found
    for leaf in _columns(attribute).leaves:
        if leaf.part.element.carry in REFERENCES:
            start, stop = (0,) * len(attribute.shape), attribute.shape
            found |= read_targets(attribute, leaf.part, start, stop)
    return found


def plain_part(node: Any, name: str) -> tuple[Part, tuple[int, ...]] | None:
    """Give how an attribute is read as an array; None when it is no plain array."""
    attribute = node.attrs.get_id(encode_name(name))
    columns = _columns(attribute)
    leaf = columns.leaves[0] if len(columns.leaves) == 1 else None
    if leaf is None or leaf.names or leaf.part.element.carry in REFERENCES:
        return None
    if leaf.part.element.carry in _TEXTS and isinstance(_text(attribute, leaf.part), dict):
        return None
    part = replace(leaf.part, attribute=name)
    return part, (*attribute.shape, *part.row_shape)


def _escaped(name: str) -> str:
    raw = encode_name(name)
    if raw.startswith(b"hsc:"):
        return "%68" + _escaped(decode_name(raw[1:]))
    return "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in name)


def _take(found: Attributes, types: dict[str, Any], node: Any, name: str, key: str) -> None:
    value, record, columns = _read(node, name, {})
    if key != name:
        record = {**(record or {}), "name_hex": encode_name(name).hex()}
    found.values[key] = value
    if record:
        types[key] = record
    if any(leaf.part.element.carry in REFERENCES for leaf in columns.leaves):
        found.referring[key] = name
    elif len(json.dumps(value)) > LARGEST_JSON_NBYTES and plain_part(node, name):
        found.large[key] = name


def _read(
    node: Any, name: str, targets: Mapping[int, str]
) -> tuple[Any, dict[str, Any] | None, Columns]:
    attribute = node.attrs.get_id(encode_name(name))
    type_id = attribute.get_type()
    if attribute.get_space().get_simple_extent_type() == h5s.NULL:
        columns = columns_of(type_id)
        return {"$null": True}, _record(columns, type_id, ()), columns
    columns = _columns(attribute)
    if columns.problems:
        raise ValueError("; ".join(reason for _, reason in columns.problems))
    shape = tuple(attribute.shape)
    record = _record(columns, type_id, shape)
    leaves = {"/".join(leaf.names): leaf for leaf in columns.leaves}
    if list(leaves) == [""]:
        value = _value(attribute, leaves[""], targets)
        return value, _note(record, leaves[""], value, shape), columns
    values = {name: _value(attribute, leaf, targets) for name, leaf in leaves.items()}
    return {"$columns": values}, record, columns


def _columns(attribute: Any) -> Columns:
    """Take an attribute's type apart, texts that are not exact as bytes."""
    columns = columns_of(attribute.get_type())
    for column in [c for c in columns.leaves if c.part.element.carry in _TEXTS]:
        if not column.names:
            continue  # at the top JSON has a form for such texts of its own
        try:
            read_whole(attribute, column.part)
        except ValueError:
            raw = raw_columns(column, leaf_type(attribute.get_type(), column.part.steps))
            columns.leaves.remove(column)
            columns.groups |= raw.groups
            columns.leaves += raw.leaves
    return columns


def _record(columns: Columns, type_id: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    first = columns.leaves[0] if len(columns.leaves) == 1 else None
    plain = first is not None and not first.names and not first.part.row_shape
    record = dict(first.part.element.record) if first and plain else type_record(type_id)
    return record | ({"shape": list(shape)} if shape or not plain else {})


def _note(
    record: dict[str, Any], leaf: Column, value: Any, shape: tuple[int, ...]
) -> dict[str, Any] | None:
    """Leave out the note on a type that JSON's own values are read back as."""
    if shape or leaf.part.row_shape or not isinstance(value, str | int | float):
        return record
    natural = record.get("dtype") in _NATURAL and len(record) == 1
    return None if natural or record == {"string": {"charset": "utf-8"}} else record


def _value(attribute: Any, leaf: Column, targets: Mapping[int, str]) -> Any:
    carry = leaf.part.element.carry
    if carry in _TEXTS and not leaf.names:
        return _text(attribute, leaf.part)
    if carry in REFERENCES:
        return read_whole(attribute, replace(leaf.part, targets=targets)).tolist()
    return _json(read_whole(attribute, leaf.part))


def _text(attribute: Any, part: Part) -> Any:
    try:
        return read_whole(attribute, part).tolist()
    except ValueError:
        raw = [text.hex() for text in read_texts_raw(attribute, part)]
        return {"$t": "string", "$hex": raw if attribute.shape or part.dims else raw[0]}


def _json(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype == object or _plain(array):
        return array.tolist()
    little = array.astype(array.dtype.newbyteorder("<"))
    return {"$t": little.dtype.str, "$hex": little.tobytes().hex()}


def _plain(array: np.ndarray[Any, Any]) -> bool:
    if array.dtype.kind == "c":
        return False
    if array.dtype.kind == "f":
        return bool(np.isfinite(array).all())
    if array.dtype.itemsize == 8 and array.size:
        return abs(int(array.min())) <= _EXACT_INTEGERS and int(array.max()) <= _EXACT_INTEGERS
    return True
