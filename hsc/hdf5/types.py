"""HDF5 element types: which Zarr type carries them exactly, and what else must be remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

AMBIGUOUS_NAME = "its name can't be told from another's"

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


def element_type(type_id: Any, dtype: np.dtype[Any]) -> ElementType:
    """Tell how an HDF5 type is carried.

    Parameters
    ----------
    type_id
        The HDF5 type (``h5py.h5t.TypeID``).
    dtype
        What h5py reads it as.
    """
    if isinstance(type_id, h5py.h5t.TypeStringID):
        return _string(type_id)
    if h5py.check_enum_dtype(dtype) is not None:
        # np.bool_ is an enum of FALSE and TRUE in HDF5; other enums keep their names beside.
        members = {str(k): int(v) for k, v in h5py.check_enum_dtype(dtype).items()}
        plain = _NAMES.get(f"{dtype.kind}{dtype.itemsize}")
        return ElementType(plain, {"dtype": dtype.str, "enum": members}, _little(dtype))
    if h5py.check_ref_dtype(dtype) is not None:
        return ElementType(None, reason="references")
    if h5py.check_vlen_dtype(dtype) is not None:
        return ElementType(None, reason="variable-length arrays")
    if dtype.kind == "V":
        reason = "a compound type" if dtype.fields else "an opaque or array type"
        return ElementType(None, reason=reason)
    if isinstance(type_id, h5py.h5t.TypeBitfieldID):
        return ElementType(None, reason="a bitfield")
    bits = 8 * dtype.itemsize
    if isinstance(type_id, h5py.h5t.TypeIntegerID) and type_id.get_precision() != bits:
        return ElementType(None, reason=f"integers of {type_id.get_precision()} bits")
    if type_id.get_size() != dtype.itemsize:  # h5py widens what NumPy has no type for
        return ElementType(None, reason=f"elements of {8 * type_id.get_size()} bits, as {dtype}")
    name = _NAMES.get(f"{dtype.kind}{dtype.itemsize}")
    if name is None:
        return ElementType(None, reason=f"elements of type {dtype}")
    return ElementType(name, {"dtype": dtype.str}, _little(dtype))


def _string(type_id: Any) -> ElementType:
    charset = "utf-8" if type_id.get_cset() == h5py.h5t.CSET_UTF8 else "ascii"
    if type_id.is_variable_str():
        return ElementType("string", {"string": {"charset": charset}})
    padding = {
        h5py.h5t.STR_NULLTERM: "null-terminated",
        h5py.h5t.STR_NULLPAD: "null-padded",
        h5py.h5t.STR_SPACEPAD: "space-padded",
    }[type_id.get_strpad()]
    facts = {"charset": charset, "length": type_id.get_size(), "padding": padding}
    return ElementType("string", {"string": facts})


def _little(dtype: np.dtype[Any]) -> bool:
    return dtype.itemsize == 1 or dtype.newbyteorder("<") == dtype


def decode_name(raw: bytes | str) -> str:
    """Give a link's or attribute's name as text; bytes that are no UTF-8 as lone surrogates."""
    return raw if isinstance(raw, str) else raw.decode("utf-8", "surrogateescape")


def ambiguous_names(names: Collection[str]) -> set[str]:
    r"""Give those of a place's names that can't be told from another's once they are worded.

    A manifest is JSON, where a byte that is no UTF-8 is worded as ``\xNN``. A name that has
    these four characters of its own may then stand beside one that has the byte.

    Examples
    --------
    >>> sorted(ambiguous_names(["a", "b", "a" + chr(0xDCFE), r"a\xfe"]))
    ['a\\xfe', 'a\udcfe']
    """
    worded = {name: encode_name(name).decode("utf-8", "backslashreplace") for name in names}
    count = Counter(worded.values())
    return {name for name, words in worded.items() if count[words] > 1}


def encode_name(name: str) -> bytes:
    """Give a name, or a path of names, as it stands in the file."""
    return name.encode("utf-8", "surrogateescape")


def decode_text(value: bytes | str) -> str | None:
    """Decode an HDF5 string; None when it is no UTF-8."""
    if isinstance(value, str):
        # h5py hides undecodable bytes in lone surrogates.
        value = value.encode("utf-8", "surrogateescape")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None
