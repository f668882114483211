"""Elements: what HDF5 is to be given in memory, made of the leaves that a type was taken apart to.

What is of fixed size is bytes in the file's own type, which HDF5 then does not convert. Text,
rows of variable length and references are Python objects, which h5py converts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from h5py import h5t
from numpy.typing import NDArray

from hsc.exporting.types import object_type
from hsc.hdf5 import (
    Carry,
    ElementType,
    addressed_rows,
    column_names,
    complex_view,
    element_type,
)

Resolve = Callable[[str, bool], Any]
"""Gives h5py's reference for its words, and whether it is one to a region."""


class Leaves(Protocol):
    """The arrays that a dataset or attribute was taken apart to."""

    def has(self, name: str) -> bool:
        """Tell whether there is a leaf of that name; the whole's is empty."""
        ...

    def rows(self, name: str, start: int, stop: int, like: np.dtype[Any]) -> NDArray[Any]:
        """Give some rows of a leaf along its first dimension.

        ``like`` is the element type that is wanted where the leaf itself names none.
        """
        ...

    def whole(self, name: str, like: np.dtype[Any]) -> NDArray[Any]:
        """Give all of a leaf."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """Which elements are wanted."""

    start: int
    """First row along the first dimension; -1 for a scalar, which has none."""
    shape: tuple[int, ...]
    """Their shape: rows, and then all other dimensions."""

    def take(self, leaves: Leaves, name: str, like: np.dtype[Any]) -> NDArray[Any]:
        """Give these rows of a leaf."""
        if self.start < 0:
            return leaves.whole(name, like)
        return leaves.rows(name, self.start, self.start + self.shape[0], like)

    def flat(self) -> tuple[int, int]:
        """Give the same as a range of elements in C order."""
        if self.start < 0:
            return 0, math.prod(self.shape)
        each = math.prod(self.shape[1:])
        return self.start * each, (self.start + self.shape[0]) * each

    def more(self, dims: tuple[int, ...]) -> Rows:
        """Give the same with further dimensions."""
        return Rows(self.start, (*self.shape, *dims))


@dataclass(frozen=True, slots=True)
class Image:
    """Elements as HDF5 takes them."""

    memory: Any
    """Their type in memory."""
    values: NDArray[Any]
    """The elements."""
    held: tuple[NDArray[Any], ...] = ()
    """What they hold addresses of; HDF5 must then take them from memory as they are."""


_TEXTS = (Carry.TEXT, Carry.FIXED_TEXT)
_FILLING = {"null-terminated": b"\0", "null-padded": b"\0", "space-padded": b" "}


def image(
    type_id: Any,
    name: str,
    rows: Rows,
    leaves: Leaves,
    resolve: Resolve,
    *,
    objects: bool = False,
) -> Image:
    """Make elements of a type.

    Parameters
    ----------
    type_id
        The type in the file.
    name
        Name of the leaf, or of the group of leaves, that they are in.
    objects
        Whether rows of variable length are to be Python objects, as what is beside them is: HDF5
        can't be given those and addresses at once.
    """
    kind = type_id.get_class()
    if kind == h5t.ARRAY:
        dims = tuple(map(int, type_id.get_array_dims()))
        each = type_id.get_super()
        inner = image(each, name, rows.more(dims), leaves, resolve, objects=objects)
        held = np.empty(rows.shape, [("a", inner.values.dtype, dims)])
        held["a"] = inner.values
        return Image(h5t.array_create(inner.memory, dims), held, inner.held)
    if kind == h5t.COMPOUND and not complex_view(type_id):
        mixed = objects or _has_objects(type_id)
        return _compound(type_id, name, rows, leaves, resolve, mixed)
    if kind == h5t.VLEN:
        if not objects and _of_fixed_size(type_id.get_super()):
            return _addressed(type_id, name, rows, leaves, resolve)
        return Image(object_type(), _ragged(type_id, name, rows, leaves, resolve))
    element = element_type(type_id)
    if element.carry is Carry.TEXT and leaves.has(_below(name, "offsets")):
        return Image(object_type(), _raw_texts(name, rows, leaves))
    return _leaf(type_id, element, rows.take(leaves, name, _like(element)), rows, resolve)


def _below(name: str, step: str) -> str:
    return f"{name}/{step}" if name else step


def _like(element: ElementType) -> np.dtype[Any]:
    return np.dtype(object if element.carry in (*_TEXTS, Carry.OBJECT, Carry.REGION)
                    else element.view)  # fmt: skip


def _compound(
    type_id: Any, name: str, rows: Rows, leaves: Leaves, resolve: Resolve, objects: bool
) -> Image:
    parts, offset, offsets = [], 0, []
    for number, column in enumerate(column_names(type_id)):
        member = type_id.get_member_type(number)
        part = image(member, _below(name, column), rows, leaves, resolve, objects=objects)
        parts.append((type_id.get_member_name(number), part))
        offsets.append(offset)
        offset += part.values.dtype.itemsize
    memory = h5t.create(h5t.COMPOUND, max(1, offset))
    for (field, part), at in zip(parts, offsets, strict=True):
        memory.insert(field, at, part.memory)
    formats = [part.values.dtype for _, part in parts]
    names = [f"f{number}" for number in range(len(parts))]
    spelled: Any = {"names": names, "formats": formats, "offsets": offsets, "itemsize": offset}
    held = np.zeros(rows.shape, np.dtype(spelled))
    for field, (_, part) in zip(names, parts, strict=True):
        held[field] = part.values
    return Image(memory, held, tuple(each for _, part in parts for each in part.held))


def _has_objects(type_id: Any) -> bool:
    """Tell whether elements of a type are, or hold, Python objects."""
    kind = type_id.get_class()
    if kind == h5t.COMPOUND:
        members = map(type_id.get_member_type, range(type_id.get_nmembers()))
        return any(map(_has_objects, members))
    if kind == h5t.ARRAY:
        return _has_objects(type_id.get_super())
    if kind == h5t.VLEN:
        return not _of_fixed_size(type_id.get_super())
    texts = kind == h5t.STRING and type_id.is_variable_str()
    return bool(texts or kind == h5t.REFERENCE)


def _of_fixed_size(type_id: Any) -> bool:
    texts = type_id.get_class() == h5t.STRING and type_id.is_variable_str()
    # Of a text of variable length inside, HDF5 says that it is a text.
    inside = type_id.get_class() in (h5t.COMPOUND, h5t.ARRAY) and type_id.detect_class(h5t.STRING)
    return not (texts or inside or any(map(type_id.detect_class, (h5t.VLEN, h5t.REFERENCE))))


def _addressed(type_id: Any, name: str, rows: Rows, leaves: Leaves, resolve: Resolve) -> Image:
    """Make rows of variable length of elements of fixed size, as HDF5 has them in memory."""
    ends = _ends(name, rows, leaves)
    low, high = int(ends[0]), int(ends[-1])
    base = type_id.get_super()
    inner = image(base, _below(name, "values"), Rows(low, (high - low,)), leaves, resolve)
    values = np.ascontiguousarray(inner.values)
    made = addressed_rows(ends, values).reshape(rows.shape)
    return Image(h5t.vlen_create(inner.memory), made, (values,))


def _ragged(
    type_id: Any, name: str, rows: Rows, leaves: Leaves, resolve: Resolve
) -> NDArray[np.object_]:
    ends = _ends(name, rows, leaves)
    low, high = int(ends[0]), int(ends[-1])
    inner = Rows(low, (high - low,))
    values = _natural(type_id.get_super(), _below(name, "values"), inner, leaves, resolve)
    return _cut(ends, rows, lambda start, stop: values[start:stop])


def _ends(name: str, rows: Rows, leaves: Leaves) -> NDArray[np.int64]:
    first, last = rows.flat()
    return leaves.rows(_below(name, "offsets"), first, last + 1, np.dtype(np.int64))


def _cut(
    ends: NDArray[np.int64], rows: Rows, part: Callable[[int, int], Any]
) -> NDArray[np.object_]:
    made = np.empty(math.prod(rows.shape), object)
    for number in range(made.size):
        made[number] = part(int(ends[number] - ends[0]), int(ends[number + 1] - ends[0]))
    return made.reshape(rows.shape)


def _raw_texts(name: str, rows: Rows, leaves: Leaves) -> NDArray[np.object_]:
    ends = _ends(name, rows, leaves)
    low, high = int(ends[0]), int(ends[-1])
    raw = leaves.rows(_below(name, "values"), low, high, np.dtype(np.uint8)).tobytes()
    return _cut(ends, rows, lambda start, stop: raw[start:stop])


def _leaf(
    type_id: Any, element: ElementType, values: NDArray[Any], rows: Rows, resolve: Resolve
) -> Image:
    carry = element.carry
    if carry in (Carry.OBJECT, Carry.REGION):
        return Image(object_type(), _references(values, rows, carry is Carry.REGION, resolve))
    if carry is Carry.TEXT:
        return Image(object_type(), _objects(map(_encoded, values.ravel()), rows))
    if carry is Carry.FIXED_TEXT and values.dtype == object:
        raw = b"".join(_filled(each, element) for each in values.ravel())
        return Image(type_id, np.frombuffer(raw, f"V{element.nbytes}").reshape(rows.shape))
    if carry in (Carry.FIXED_TEXT, Carry.RAW):
        plain = np.ascontiguousarray(values, np.uint8)
        return Image(type_id, np.frombuffer(plain.tobytes(), f"V{element.nbytes}")
                     .reshape(rows.shape))  # fmt: skip
    memory = h5t.py_create(np.dtype(element.view)) if carry is Carry.WIDENED else type_id
    held = np.ascontiguousarray(values.astype(element.view)).tobytes()
    size = np.dtype(element.view).itemsize
    return Image(memory, np.frombuffer(held, f"V{size}").reshape(rows.shape))


def _encoded(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode("utf-8")


def _filled(text: Any, element: ElementType) -> bytes:
    return _encoded(text).ljust(element.nbytes, _FILLING[element.padding])


def _objects(items: Any, rows: Rows) -> NDArray[np.object_]:
    made = np.empty(math.prod(rows.shape), object)
    for number, item in enumerate(items):
        made[number] = item
    return made.reshape(rows.shape)


def _references(
    words: NDArray[Any], rows: Rows, region: bool, resolve: Resolve
) -> NDArray[np.object_]:
    return _objects((resolve(str(each), region) for each in words.ravel()), rows)


def _natural(type_id: Any, name: str, rows: Rows, leaves: Leaves, resolve: Resolve) -> NDArray[Any]:
    """Make elements inside rows of variable length, which h5py converts from its own types."""
    kind = type_id.get_class()
    if kind == h5t.ARRAY:
        raise ValueError("arrays in rows of variable length that hold texts or references")
    dtype = np.dtype(type_id.dtype)
    if kind == h5t.COMPOUND and not complex_view(type_id):
        held = np.zeros(rows.shape, dtype)
        for number, column in enumerate(column_names(type_id)):
            member = type_id.get_member_type(number)
            part = _natural(member, _below(name, column), rows, leaves, resolve)
            held[dtype.names[number]] = part
        return held
    if kind == h5t.VLEN:
        return _ragged(type_id, name, rows, leaves, resolve).astype(dtype)
    element = element_type(type_id)
    if element.carry is Carry.FIXED_TEXT:
        raise ValueError("texts of fixed length in rows of variable length beside other texts")
    if element.carry is Carry.TEXT and leaves.has(_below(name, "offsets")):
        return _raw_texts(name, rows, leaves).astype(dtype)
    values = rows.take(leaves, name, _like(element))
    made = _leaf(type_id, element, values, rows, resolve).values
    if made.dtype == object:
        return made.astype(dtype)
    plain = values.astype(element.view) if element.carry is Carry.WIDENED else made
    viewed: NDArray[Any] = plain.view(dtype).reshape(rows.shape)
    return viewed
