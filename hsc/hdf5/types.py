"""HDF5 element types: which Zarr type carries them exactly, and what else must be remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import h5py
import numpy as np
from h5py import h5t

from hsc.hdf5.any_references import REFERENCE_NBYTES, is_any_reference
from hsc.hdf5.records import COMPLEX_CLASS, string_facts, type_record

_NAMES = {
    **{f"{kind}{size}": f"{name}int{8 * size}" for kind, name in (("i", ""), ("u", "u"))
       for size in (1, 2, 4, 8)},
    "f2": "float16",
    "f4": "float32",
    "f8": "float64",
    "c8": "complex64",
    "c16": "complex128",
    "b1": "bool",
}  # fmt: skip
# Sign, exponent and mantissa as (sign bit, exponent bit, exponent bits, mantissa bit, mantissa
# bits), and exponent bias, of the IEEE 754 formats that NumPy has.
_IEEE = {
    2: ((15, 10, 5, 0, 10), 15),
    4: ((31, 23, 8, 0, 23), 127),
    8: ((63, 52, 11, 0, 52), 1023),
}
_COMPLEX_NAMES = ([b"r", b"i"], [b"real", b"imag"])


class Carry(StrEnum):
    """How the elements of a leaf come from HDF5 to NumPy."""

    PLAIN = "plain"
    """As h5py gives them."""
    BYTES = "bytes"
    """Their bytes as they are, looked at as a NumPy type of the same size."""
    WIDENED = "widened"
    """Integers of an odd width, as HDF5 converts them to the next NumPy type."""
    RAW = "raw"
    """Their bytes, along one more dimension: NumPy has no such type."""
    FIXED_TEXT = "fixed text"
    """Text of fixed length."""
    TEXT = "text"
    """Text of variable length."""
    OBJECT = "object"
    """Object references, as paths."""
    REGION = "region"
    """Region references, as paths with what is selected there."""
    ANY = "any reference"
    """References of HDF5 1.12's kind: to objects, regions and attributes, as paths."""


REFERENCES = (Carry.OBJECT, Carry.REGION, Carry.ANY)
"""Those that wait for the paths of the whole tree."""


@dataclass(frozen=True, slots=True)
class ElementType:
    """An element type of a dataset or attribute."""

    zarr: str | None
    """Zarr's name of the type; None when no type carries it exactly."""
    record: dict[str, Any] = field(default_factory=dict)
    """The HDF5 type, as JSON: what is needed to make it again."""
    little_endian: bool = True
    """Whether the stored bytes are already in Zarr's order."""
    reason: str = ""
    """Why no Zarr type carries it."""
    carry: Carry = Carry.PLAIN
    """How its elements are read."""
    view: str = ""
    """NumPy's name of what they are read as, with byte order; empty for text and references."""
    nbytes: int = 0
    """Bytes of an element in the file; 0 for variable length."""
    padding: str = ""
    """How text of fixed length ends: ``null-terminated``, ``null-padded`` or ``space-padded``."""

    @property
    def tail(self) -> tuple[int, ...]:
        """Dimensions that an element has of its own."""
        return (self.nbytes,) if self.carry is Carry.RAW else ()


def element_type(type_id: Any) -> ElementType:
    """Tell how an HDF5 type that is not made of others is carried.

    Parameters
    ----------
    type_id
        The HDF5 type (``h5py.h5t.TypeID``): any but compound (unless it is a complex number),
        array and variable-length.
    """
    kind = type_id.get_class()
    if kind == h5t.STRING:
        return _text(type_id)
    if kind == h5t.REFERENCE:
        return _reference(type_id)
    if kind == h5t.INTEGER:
        return _integer(type_id)
    if kind == h5t.FLOAT and _number(type_id):
        return _viewed(type_id, _number(type_id), Carry.PLAIN)
    if kind == h5t.ENUM and _number(type_id.get_super()):
        return _enum(type_id)
    if kind == h5t.BITFIELD and type_id.get_size() in (1, 2, 4, 8):
        return _viewed(type_id, f"{_order(type_id)}u{type_id.get_size()}", Carry.BYTES)
    if complex_view(type_id):
        return _complex(type_id)
    return raw_type(type_id)


def raw_type(type_id: Any) -> ElementType:
    """Carry a type as bytes, whatever it is."""
    return ElementType(
        "uint8", type_record(type_id), carry=Carry.RAW, view="|u1", nbytes=type_id.get_size()
    )


def complex_view(type_id: Any) -> str:
    """Give NumPy's name of a complex type; empty when the type is none."""
    kind = type_id.get_class()
    if kind == COMPLEX_CLASS:
        part = _number(type_id.get_super())
    elif kind == h5t.COMPOUND:
        part = _paired(type_id)
    else:
        return ""
    size = 2 * int(part[2:] or 0)
    return f"{part[0]}c{size}" if size in (8, 16) and type_id.get_size() == size else ""


def _paired(type_id: Any) -> str:
    """Give what the two members of a compound are, when they are two floats side by side."""
    count = type_id.get_nmembers()
    if [type_id.get_member_name(n) for n in range(count)] not in _COMPLEX_NAMES:
        return "  "
    first, second = (type_id.get_member_type(n) for n in range(2))
    apart = type_id.get_member_offset(0) == 0 and type_id.get_member_offset(1) == first.get_size()
    part = _number(first) if first.get_class() == h5t.FLOAT else ""
    return part if apart and part and part == _number(second) else "  "


def _number(type_id: Any) -> str:
    """Give NumPy's name of an integer or IEEE float; empty when it has none."""
    kind, size, order = type_id.get_class(), type_id.get_size(), _order(type_id)
    if not order or size not in (1, 2, 4, 8):
        return ""
    if type_id.get_precision() != 8 * size or type_id.get_offset() != 0:
        return ""
    if kind == h5t.INTEGER:
        return f"{order}{_sign(type_id)}{size}"
    if kind == h5t.FLOAT and size in _IEEE:
        implied = type_id.get_norm() == h5t.NORM_IMPLIED
        return f"{order}f{size}" if implied and _layout(type_id) == _IEEE[size] else ""
    return ""


def _layout(type_id: Any) -> tuple[tuple[int, ...], int]:
    return tuple(map(int, type_id.get_fields())), int(type_id.get_ebias())


def _order(type_id: Any) -> str:
    if type_id.get_size() == 1:
        return "|"
    return {h5t.ORDER_LE: "<", h5t.ORDER_BE: ">"}.get(type_id.get_order(), "")


def _sign(type_id: Any) -> str:
    return "u" if type_id.get_sign() == h5t.SGN_NONE else "i"


def _viewed(type_id: Any, view: str, carry: Carry, **record: Any) -> ElementType:
    dtype = np.dtype(view)
    # The type stands in full wherever NumPy's name of it is not the whole truth.
    facts = {"dtype": dtype.str, **record} if carry is Carry.PLAIN or record else {}
    return ElementType(
        _NAMES[f"{dtype.kind}{dtype.itemsize}"],
        facts or {"dtype": dtype.str, **type_record(type_id)},
        little_endian=not view.startswith(">"),
        carry=carry,
        view=dtype.str,
        nbytes=dtype.itemsize,
    )


def _integer(type_id: Any) -> ElementType:
    view = _number(type_id)
    if view:
        return _viewed(type_id, view, Carry.PLAIN)
    wide = next((size for size in (1, 2, 4, 8) if size >= type_id.get_size()), 0)
    if not wide or not _order(type_id):
        return raw_type(type_id)
    # HDF5 converts to the memory's own order.
    kept = _viewed(type_id, np.dtype(f"{_sign(type_id)}{wide}").str, Carry.WIDENED)
    return ElementType(
        kept.zarr, kept.record, False, carry=kept.carry, view=kept.view, nbytes=kept.nbytes
    )


def _enum(type_id: Any) -> ElementType:
    view = _number(type_id.get_super())
    names = [type_id.get_member_name(n) for n in range(type_id.get_nmembers())]
    values = [int(type_id.get_member_value(n)) for n in range(len(names))]
    if names == [b"FALSE", b"TRUE"] and values == [0, 1] and view == "|i1":
        return _viewed(type_id, "|b1", Carry.PLAIN)  # as h5py writes booleans
    try:
        members = {name.decode("utf-8"): value for name, value in zip(names, values, strict=True)}
    except UnicodeDecodeError:
        return _viewed(type_id, view, Carry.BYTES)
    return _viewed(type_id, view, Carry.BYTES, enum=members)


def _complex(type_id: Any) -> ElementType:
    view = complex_view(type_id)
    if type_id.get_class() == COMPLEX_CLASS:
        return _viewed(type_id, view, Carry.BYTES, complex="native")
    names = [type_id.get_member_name(n).decode() for n in range(2)]
    if names == list(h5py.get_config().complex_names):
        return _viewed(type_id, view, Carry.PLAIN)
    return _viewed(type_id, view, Carry.BYTES, fields=names)


def _text(type_id: Any) -> ElementType:
    facts = string_facts(type_id)
    record = {"string": facts}
    if "length" not in facts:
        return ElementType("string", record, carry=Carry.TEXT)
    return ElementType(
        "string",
        record,
        carry=Carry.FIXED_TEXT,
        nbytes=facts["length"],
        padding=facts["padding"],
    )


def _reference(type_id: Any) -> ElementType:
    if type_id.equal(h5t.STD_REF_OBJ):
        return ElementType("string", {"reference": "object"}, carry=Carry.OBJECT, nbytes=8)
    if type_id.equal(h5t.STD_REF_DSETREG):
        return ElementType("string", {"reference": "region"}, carry=Carry.REGION)
    if is_any_reference(type_id):
        facts = {"reference": "any"}
        return ElementType("string", facts, carry=Carry.ANY, nbytes=REFERENCE_NBYTES)
    return ElementType(None, reason="references of a kind that can't be read on this system")
