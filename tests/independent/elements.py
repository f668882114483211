"""Elements: what HDF5 holds against what stands in its place, by the mapping as it is documented.

``docs/reference/zarr-mapping.md`` says what becomes of each HDF5 type. Here it is said a second
time, from the other end, without a line of hsc.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Protocol

import h5py
import numpy as np
from h5py import h5t

from independent.references import reference_differences

Values = Callable[[], Any]
_FILLING = {h5t.STR_NULLTERM: b"\0", h5t.STR_NULLPAD: b"\0", h5t.STR_SPACEPAD: b" "}
_COMPLEX = ([b"r", b"i"], [b"real", b"imag"])


class Place(Protocol):
    """Where elements stand in the tree: an array, or a group of some."""

    def below(self, name: str) -> Place | None:
        """Give what stands below under a name; None for nothing."""
        ...

    def array(self) -> np.ndarray | None:
        """Give its elements, text as objects; None when it is a group."""
        ...


class UnreadableError(Exception):
    """What h5py can't read, and so nobody can compare."""


def needs_h5py(kind: Any) -> bool:
    """Tell whether elements hold pointers, so that their bytes say nothing."""
    group = kind.get_class()
    if group == h5t.COMPOUND:
        return any(needs_h5py(kind.get_member_type(n)) for n in range(kind.get_nmembers()))
    if group == h5t.ARRAY:
        return needs_h5py(kind.get_super())
    return group in (h5t.VLEN, h5t.REFERENCE) or (group == h5t.STRING and kind.is_variable_str())


def differences(
    place: Place, kind: Any, raw: np.ndarray | None, values: Values, file: h5py.File
) -> Iterator[str]:
    """Give what differs.

    Parameters
    ----------
    place
        Ours.
    kind
        The HDF5 type.
    raw
        (n, bytes): the elements as they stand in the file; None when they hold pointers.
    values
        Gives the elements as h5py reads them, along one dimension.
    """
    group = kind.get_class()
    if group == h5t.ARRAY:
        count = int(np.prod(kind.get_array_dims()))
        base = kind.get_super()
        inner = None if raw is None else raw.reshape(-1, base.get_size())
        rank = len(kind.get_array_dims())
        yield from differences(place, base, inner, lambda: _flat(values(), rank, count), file)
    elif group == h5t.COMPOUND and not is_complex(kind):
        yield from _compound(place, kind, raw, values, file)
    elif group == h5t.VLEN:
        yield from _ragged(place, kind.get_super(), values, file)
    elif group == h5t.STRING:
        yield from _texts(place, kind, raw, values)
    elif group == h5t.REFERENCE:
        yield from reference_differences(place, values(), file)
    else:
        yield from _numbers(place, kind, raw, values)


def is_complex(kind: Any) -> bool:
    """Tell whether a compound is a complex number that NumPy has."""
    if kind.get_class() != h5t.COMPOUND or kind.get_nmembers() != 2:
        return False
    parts = [kind.get_member_type(n) for n in range(2)]
    size = parts[0].get_size()
    return (
        [kind.get_member_name(n) for n in range(2)] in _COMPLEX
        and parts[0].get_class() == h5t.FLOAT
        and parts[0].equal(parts[1])
        and size in (4, 8)
        and kind.get_size() == 2 * size
        and plain_float(parts[0])
    )


def plain_float(kind: Any) -> bool:
    """Tell whether a float is one of IEEE 754's that NumPy has."""
    known = (
        h5t.IEEE_F16LE, h5t.IEEE_F16BE, h5t.IEEE_F32LE, h5t.IEEE_F32BE, h5t.IEEE_F64LE,
        h5t.IEEE_F64BE,
    )  # fmt: skip
    return any(kind.equal(each) for each in known)


def _flat(array: Any, rank: int, count: int) -> Any:
    """Give the elements of arrays of some rank along one dimension."""
    found = np.asarray(array)
    return found.reshape((found.shape[0] * count, *found.shape[1 + rank :]))


def _compound(
    place: Place, kind: Any, raw: np.ndarray | None, values: Values, file: h5py.File
) -> Iterator[str]:
    for number in range(kind.get_nmembers()):
        raw_name = kind.get_member_name(number)
        name = raw_name.decode("utf-8", "backslashreplace")
        column = name.replace("%", "%25").replace("/", "%2F") if "/" in name else name
        below = place.below(column)
        if below is None:
            yield f"no column {column}"
            continue
        member, start = kind.get_member_type(number), kind.get_member_offset(number)
        part = None if raw is None else raw[:, start : start + member.get_size()]
        yield from (
            f"{column}: {what}"
            for what in differences(below, member, part, _field(values, name), file)
        )


def _field(values: Values, name: str) -> Values:
    return lambda: values()[name]


def _ragged(place: Place, base: Any, values: Values, file: h5py.File) -> Iterator[str]:
    offsets, inner = place.below("offsets"), place.below("values")
    if offsets is None or inner is None:
        yield "no values and offsets"
        return
    items = [item if item is not None else [] for item in np.asarray(values(), object).ravel()]
    ends = np.concatenate([[0], np.cumsum([len(item) for item in items])])
    if np.asarray(offsets.array()).tolist() != ends.tolist():
        yield "other offsets"
        return
    arrays = [np.asarray(item) for item in items if len(item)]
    if not arrays:
        found = inner.array()
        if found is not None and found.size:
            yield "values where there are none"
        return
    joined = np.concatenate(arrays)
    yield from differences(inner, base, None, lambda: joined, file)


def _texts(place: Place, kind: Any, raw: np.ndarray | None, values: Values) -> Iterator[str]:
    if raw is None:
        expected = [_bytes(each) for each in np.asarray(values(), object).ravel()]
    else:
        expected = [row.tobytes() for row in raw]
    ours = place.array()
    if ours is None:
        yield from _byte_strings(place, expected)
    elif ours.dtype == np.uint8:
        if not kind.is_variable_str():  # NumPy drops nulls at the end
            expected = [each.ljust(kind.get_size(), b"\0") for each in expected]
        if ours.tobytes() != b"".join(expected):
            yield "other bytes of text"
    else:
        texts = [_bytes(each) for each in ours.ravel()]
        if not kind.is_variable_str():
            filling = _FILLING[kind.get_strpad()]
            size = kind.get_size()
            texts = [each.ljust(size, filling) for each in texts]
            expected = [each.ljust(size, filling) for each in expected]
        if texts != expected:
            yield "other text"


def _byte_strings(place: Place, expected: list[bytes]) -> Iterator[str]:
    offsets, values = place.below("offsets"), place.below("values")
    if offsets is None or values is None:
        yield "no text"
        return
    at = np.asarray(offsets.array()).tolist()
    data = np.asarray(values.array(), np.uint8).tobytes()
    ours = [data[a:b] for a, b in pairwise(at)]
    if ours != expected:
        yield "other bytes of text"


def _bytes(value: Any) -> bytes:
    if value is None:
        return b""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)


def _numbers(place: Place, kind: Any, raw: np.ndarray | None, values: Values) -> Iterator[str]:
    ours = place.array()
    if ours is None:
        yield "no array"
        return
    dtype = number_dtype(kind)
    if dtype is None:  # raw bytes: NumPy has no such type
        expected = _raw_bytes(raw, values, kind)
        told = ours.shape[-1:] == (kind.get_size(),) or not ours.size
        if ours.dtype != np.uint8 or not told:
            yield f"{ours.dtype} {ours.shape}, not bytes"
        elif ours.tobytes() != expected:
            yield "other bytes"
        return
    if raw is not None and odd(kind):
        theirs = _unpacked(kind, raw, dtype)
    elif raw is not None and dtype.itemsize == kind.get_size():
        theirs = np.frombuffer(np.ascontiguousarray(raw).tobytes(), dtype)
    else:
        theirs = np.ascontiguousarray(np.asarray(values()).ravel())
        if theirs.dtype.itemsize == dtype.itemsize and not odd(kind):
            # h5py gives big-endian numbers inside variable length as if they were little-endian.
            theirs = theirs.view(dtype)
    little = theirs.astype(theirs.dtype.newbyteorder("<"))
    if (ours.dtype.kind, ours.dtype.itemsize) != (dtype.kind, dtype.itemsize):
        yield f"{ours.dtype}, not {dtype}"
    elif ours.astype(ours.dtype.newbyteorder("<")).tobytes() != little.tobytes():
        yield "other numbers"


def _raw_bytes(raw: np.ndarray | None, values: Values, kind: Any) -> bytes:
    if raw is not None:
        return np.ascontiguousarray(raw).tobytes()
    found = np.asarray(values())
    if found.dtype.itemsize != kind.get_size():
        raise UnreadableError("h5py converts it")
    return np.ascontiguousarray(found).tobytes()


def _unpacked(kind: Any, raw: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Give integers that do not fill their bytes, bit by bit."""
    order = "big" if kind.get_order() == h5t.ORDER_BE else "little"
    bits = kind.get_precision()
    signed = kind.get_sign() != h5t.SGN_NONE
    found = []
    for row in raw:
        number = int.from_bytes(row.tobytes(), order) >> kind.get_offset() & (1 << bits) - 1
        found.append(number - (1 << bits) if signed and number >> bits - 1 else number)
    return np.array(found, dtype)


def odd(kind: Any) -> bool:
    """Tell whether an integer does not fill its bytes."""
    size = kind.get_size()
    return kind.get_class() == h5t.INTEGER and (
        kind.get_precision() != 8 * size or size not in (1, 2, 4, 8)
    )


def number_dtype(kind: Any) -> np.dtype | None:
    """Give NumPy's type for a number; None when it has none."""
    group, size = kind.get_class(), kind.get_size()
    if group == h5t.BITFIELD:
        order = ">" if kind.get_order() == h5t.ORDER_BE else "<"
        return np.dtype(f"{order}u{size}") if size in (1, 2, 4, 8) else None
    if group == h5t.ENUM:
        base = number_dtype(kind.get_super())
        members = [kind.get_member_name(n) for n in range(kind.get_nmembers())]
        return np.dtype(bool) if members == [b"FALSE", b"TRUE"] and size == 1 else base
    if group == h5t.INTEGER:
        wide = next((n for n in (1, 2, 4, 8) if n >= size), None)
        sign = "u" if kind.get_sign() == h5t.SGN_NONE else "i"
        order = ">" if kind.get_order() == h5t.ORDER_BE and not odd(kind) else "<"
        vax = kind.get_order() not in (h5t.ORDER_LE, h5t.ORDER_BE)
        return None if wide is None or vax else np.dtype(f"{order}{sign}{wide}")
    if group == h5t.FLOAT:
        order = ">" if kind.get_order() == h5t.ORDER_BE else "<"
        return np.dtype(f"{order}f{size}") if plain_float(kind) else None
    if is_complex(kind):
        part = number_dtype(kind.get_member_type(0))
        return np.dtype(f"{part.str[0]}c{size}") if part is not None else None
    return None
