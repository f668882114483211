"""HDF5 types, made again of what ``hsc:hdf5`` or ``hsc:attribute_types`` say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from h5py import h5t

_ENDS = {
    "null-terminated": h5t.STR_NULLTERM,
    "null-padded": h5t.STR_NULLPAD,
    "space-padded": h5t.STR_SPACEPAD,
}
_CHARSETS = {"ascii": h5t.CSET_ASCII, "utf-8": h5t.CSET_UTF8}


def made_type(record: Mapping[str, Any], otherwise: str) -> Any:
    """Make a type of its record.

    Parameters
    ----------
    record
        ``encoded``, or ``string``, ``reference``, or ``dtype`` with ``enum``, ``fields`` or
        ``complex`` where its name is not all.
    otherwise
        NumPy's or Zarr's name of the type when nothing is recorded.

    Returns
    -------
    type
        ``h5py.h5t.TypeID``.
    """
    if "encoded" in record:
        return decoded_type(record["encoded"])
    if "string" in record:
        return _string(record["string"])
    if record.get("reference") == "any":
        raise ValueError("references of HDF5 1.12's kind can't be made again")
    if "reference" in record:
        return h5t.STD_REF_OBJ if record["reference"] == "object" else h5t.STD_REF_DSETREG
    if otherwise == "string" and "dtype" not in record:
        return _string({"charset": "utf-8"})
    dtype = np.dtype(record.get("dtype", otherwise))
    if "enum" in record:
        return _enum(dtype, record["enum"])
    if "fields" in record:
        return _pair(dtype, record["fields"])
    if record.get("complex") == "native":
        bits = 4 * dtype.itemsize
        order = "BE" if dtype.str.startswith(">") else "LE"
        return getattr(h5t, f"COMPLEX_IEEE_F{bits}{order}")
    return h5t.py_create(dtype, logical=True)


def decoded_type(encoded: str) -> Any:
    """Make a type of the bytes of ``H5Tencode``, hexadecimal."""
    return _settled(h5t.decode(bytes.fromhex(encoded)))


def _settled(type_id: Any) -> Any:
    """Put references of the file's own kind where decoding leaves ones that HDF5 takes for others.

    (Inside of another type, HDF5 does not mark a decoded reference as one in memory.)
    """
    kind = type_id.get_class()
    if kind == h5t.REFERENCE:
        return {8: h5t.STD_REF_OBJ, 12: h5t.STD_REF_DSETREG}.get(type_id.get_size(), type_id)
    if kind == h5t.VLEN:
        return h5t.vlen_create(_settled(type_id.get_super()))
    if kind == h5t.ARRAY:
        return h5t.array_create(_settled(type_id.get_super()), type_id.get_array_dims())
    if kind != h5t.COMPOUND or not type_id.detect_class(h5t.REFERENCE):
        return type_id
    made = h5t.create(h5t.COMPOUND, type_id.get_size())
    for number in range(type_id.get_nmembers()):
        member = _settled(type_id.get_member_type(number))
        made.insert(type_id.get_member_name(number), type_id.get_member_offset(number), member)
    return made


def _string(facts: Mapping[str, Any]) -> Any:
    made = h5t.C_S1.copy()
    made.set_size(facts.get("length", h5t.VARIABLE))
    made.set_cset(_CHARSETS[facts.get("charset", "utf-8")])
    if "length" in facts:
        made.set_strpad(_ENDS[facts["padding"]])
    return made


def _enum(dtype: np.dtype[Any], members: Mapping[str, int]) -> Any:
    made = h5t.enum_create(h5t.py_create(dtype))
    for name, value in members.items():
        made.enum_insert(name.encode(), value)
    return made


def _pair(dtype: np.dtype[Any], names: list[str]) -> Any:
    part = h5t.py_create(np.dtype(f"{dtype.str[0]}f{dtype.itemsize // 2}"))
    made = h5t.create(h5t.COMPOUND, dtype.itemsize)
    for number, name in enumerate(names):
        made.insert(name.encode(), number * dtype.itemsize // 2, part)
    return made


def object_type() -> Any:
    """Give the type of a Python object, which h5py converts to text, rows and references."""
    return h5t.py_create(np.dtype(h5py.string_dtype()), logical=False)
