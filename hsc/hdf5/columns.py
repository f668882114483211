"""Columns: the leaves that an HDF5 type is taken apart into, and the groups that they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from h5py import h5t

from hsc.hdf5.names import decode_name
from hsc.hdf5.parts import ARRAY, BYTES, FIELD, VLEN, Part, Step
from hsc.hdf5.ragged import OFFSET_TYPE
from hsc.hdf5.records import word
from hsc.hdf5.types import Carry, ElementType, complex_view, element_type, raw_type

COMPOUND_KEY = "hsc:compound"
RAGGED_KEY = "hsc:ragged"
_VALUES, _OFFSETS = "values", "offsets"


@dataclass(frozen=True, slots=True)
class Column:
    """A leaf of a type."""

    names: tuple[str, ...]
    """Where it stands below the dataset; empty for the dataset itself."""
    part: Part
    """The way to it."""


@dataclass(slots=True)
class Columns:
    """All leaves of a type."""

    groups: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)
    """What ``hsc:`` attributes say of each group of leaves."""
    leaves: list[Column] = field(default_factory=list)
    """The leaves."""
    problems: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    """What can't be carried, and why."""


def columns_of(type_id: Any) -> Columns:
    """Take a type apart.

    A compound becomes a group with a leaf, or a group, for each field. Elements of variable
    length become a group of ``values``, one after the other, and ``offsets``, where each begins.
    """
    found = Columns()
    _take(found, type_id, (), Part(OFFSET_TYPE), within=False)
    return found


def raw_columns(column: Column, type_id: Any) -> Columns:
    """Give what carries a leaf of text as bytes."""
    found = Columns()
    if column.part.element.carry is Carry.FIXED_TEXT:
        raw = replace(raw_type(type_id), record=column.part.element.record)
        found.leaves.append(Column(column.names, replace(column.part, element=raw)))
        return found
    string = {"string": column.part.element.record["string"]}
    steps: tuple[Step, ...] = (*column.part.steps, (BYTES,))
    _ragged(found, column.names, replace(column.part, steps=steps), string)
    values = ElementType("uint8", {"dtype": "|u1"}, view="|u1", nbytes=1)
    found.leaves.append(
        Column((*column.names, _VALUES), Part(values, steps=steps, attribute=column.part.attribute))
    )
    return found


def column_names(type_id: Any) -> list[str]:
    """Give the names that the fields of a compound have in a path, in order."""
    taken = set[str]()
    names = (word(type_id.get_member_name(n)) for n in range(type_id.get_nmembers()))
    return [_column_name(name, taken) for name in names]


def leaf_type(type_id: Any, steps: Sequence[Step]) -> Any:
    """Give the type at the end of some steps."""
    for step in steps:
        if step[0] == FIELD:
            name = str(step[1]).encode("utf-8", "surrogateescape")
            type_id = type_id.get_member_type(type_id.get_member_index(name))
        elif step[0] != BYTES:
            type_id = type_id.get_super()
    return type_id


def _take(
    found: Columns, type_id: Any, names: tuple[str, ...], part: Part, *, within: bool
) -> None:
    kind = type_id.get_class()
    if kind == h5t.ARRAY:
        dims = tuple(map(int, type_id.get_array_dims()))
        inner = replace(part, steps=(*part.steps, (ARRAY, *dims)), dims=(*part.dims, *dims))
        _take(found, type_id.get_super(), names, inner, within=within)
    elif kind == h5t.VLEN:
        _take_ragged(found, type_id, names, part, within=within)
    elif kind == h5t.COMPOUND and not complex_view(type_id):
        _take_compound(found, type_id, names, part, within=within)
    else:
        element = element_type(type_id)
        if within and element.carry is Carry.WIDENED:  # there as h5py converts, not HDF5
            element = replace(element, view=np.dtype(type_id.dtype).str)
        reason = element.reason or (_inner_obstacle(type_id, element) if within else "")
        if reason:
            found.problems.append((names, reason))
        else:
            found.leaves.append(Column(names, replace(part, element=element)))


def _take_compound(
    found: Columns, type_id: Any, names: tuple[str, ...], part: Part, *, within: bool
) -> None:
    fields, taken = [], set[str]()
    for number in range(type_id.get_nmembers()):
        raw = type_id.get_member_name(number)
        member = type_id.get_member_type(number)
        name = decode_name(raw)
        column = _column_name(word(raw), taken)
        facts = {"name": word(raw), "offset": int(type_id.get_member_offset(number))}
        fields.append(facts | ({} if column == word(raw) else {"column": column}))
        inner = replace(part, steps=(*part.steps, (FIELD, name)))
        _take(found, member, (*names, column), inner, within=within)
    own: dict[str, Any] = {"fields": fields, "bytes": type_id.get_size()}
    if part.dims:
        own["element_shape"] = list(part.dims)
    found.groups[names] = {COMPOUND_KEY: own}


def _column_name(name: str, taken: set[str]) -> str:
    """Give a field a name that a path can hold."""
    column = name.replace("%", "%25").replace("/", "%2F") if "/" in name else name or "%"
    while column in taken:
        column += "%"
    taken.add(column)
    return column


def _take_ragged(
    found: Columns, type_id: Any, names: tuple[str, ...], part: Part, *, within: bool
) -> None:
    reason = "" if within else _vlen_obstacle(type_id)
    if reason:
        found.problems.append((names, reason))
        return
    steps: tuple[Step, ...] = (*part.steps, (VLEN,))
    own = Columns()
    _ragged(own, names, replace(part, steps=steps), {})
    inner = replace(part, steps=steps, dims=())
    _take(own, type_id.get_super(), (*names, _VALUES), inner, within=True)
    if own.problems:  # h5py converts an element as a whole or not at all
        found.problems.append((names, "; ".join(why for _, why in own.problems)))
        return
    found.groups |= own.groups
    found.leaves += own.leaves


def _ragged(found: Columns, names: tuple[str, ...], part: Part, facts: dict[str, Any]) -> None:
    offsets = replace(part, element=OFFSET_TYPE, dims=(), offsets=True)
    found.leaves.append(Column((*names, _OFFSETS), offsets))
    shape = {"element_shape": list(part.dims)} if part.dims else {}
    found.groups[names] = {RAGGED_KEY: {**facts, **shape}}


def _vlen_obstacle(type_id: Any) -> str:
    """Tell why h5py can't read elements of variable length; an empty text when it can."""
    try:
        np.dtype(type_id.dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        return f"variable-length elements that h5py can't read: {error}"
    return ""


def _inner_obstacle(type_id: Any, element: ElementType) -> str:
    """Tell why a type can't be read inside elements of variable length.

    There h5py converts, to a type of NumPy's; where that changes anything the type is refused.
    """
    if element.carry is not Carry.RAW:
        return ""
    same = type_id.get_class() == h5t.OPAQUE and not type_id.get_tag()
    return "" if same else f"variable-length elements of {_named(type_id)}, which h5py converts"


def _named(type_id: Any) -> str:
    return f"a type of {type_id.get_size()} bytes that NumPy has not"
