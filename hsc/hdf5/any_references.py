"""References of HDF5 1.12's kind (``H5R_ref_t``): to objects, regions and attributes, as paths.

h5py moves their bytes and can't follow them; HDF5's own functions do, through ctypes.
"""

from __future__ import annotations

import ctypes
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import h5py
import numpy as np
from h5py import h5s, h5t
from h5py._objects import phil
from numpy.typing import NDArray

from hsc.hdf5.names import decode_name
from hsc.hdf5.references import UNKNOWN, selection
from hsc.model import canonical_json, plain_text

REFERENCE_NBYTES = 64
_OBJECT, _REGION, _ATTRIBUTE = 2, 3, 4
_NAME_BYTES = 4096


def reference_type() -> Any:
    """Give the type, as it is in memory; None where HDF5 has none or can't be reached."""
    library = _library()
    if library is None:
        return None
    with phil:
        # A copy: h5py closes the types of a file that it closes, be they HDF5's own.
        return h5t.TypeReferenceID(library.H5Tcopy(_standard(library)))


def is_any_reference(type_id: Any) -> bool:
    """Tell whether a type is that of such references."""
    ours = reference_type()
    return ours is not None and bool(type_id.equal(ours))


def words_of_any(
    source: Any, references: NDArray[np.void], targets: Mapping[int, str]
) -> NDArray[np.object_]:
    """Give where references lead, and let go of what HDF5 keeps for them.

    Returns
    -------
    words
        Paths for objects; JSON texts for regions, as `words_of_references` has them, and for
        attributes, ``{"attribute": name, "path": ...}``; an empty text for a null reference.
    """
    words = np.empty(references.shape, object)
    flat, own = words.ravel(), _own_path(source)
    for number, place in enumerate(_places(references)):
        flat[number] = _word(place, own, targets)
    return flat.reshape(references.shape)


def addresses_of_any(source: Any, references: NDArray[np.void]) -> set[int]:
    """Give the addresses of all objects that references lead to, and let go of the references.

    What lies in another file has a negative number in place of an address.
    """
    own = _own_path(source)
    found = (_address(place, own) for place in _places(references))
    return {address for address in found if address is not None}


def _word(place: int, own: str, targets: Mapping[int, str]) -> str:
    library, address = _library(), _address(place, own)
    kind = library.H5Rget_type(place)
    if kind not in (_OBJECT, _REGION, _ATTRIBUTE):
        return ""
    if address is None or address < 0:
        return UNKNOWN
    path = targets.get(address, f"{UNKNOWN}{address}")
    if kind == _REGION:
        space = h5s.SpaceID(library.H5Ropen_region(place, 0, 0))
        return canonical_json({"path": path, **selection(space)}).decode()
    if kind == _ATTRIBUTE:
        name = _text(library.H5Rget_attr_name, place)
        return canonical_json({"path": path, "attribute": plain_text(decode_name(name))}).decode()
    return path


def _address(place: int, own: str) -> int | None:
    """Give where an object lies; None when a reference leads to nothing."""
    library = _library()
    if library.H5Rget_type(place) not in (_OBJECT, _REGION, _ATTRIBUTE):
        return None
    file = _text(library.H5Rget_file_name, place)
    if os.path.realpath(os.fsdecode(file)) != own:  # HDF5 would open it
        return -1 - zlib.crc32(file)
    opened = library.H5Ropen_object(place, 0, 0)
    if opened < 0:
        return None
    return int(h5py.h5o.get_info(h5py.h5i.wrap_identifier(opened)).addr)


def _places(references: NDArray[np.void]) -> Iterator[int]:
    """Give the address in memory of each reference; when all were seen, HDF5 lets go of them."""
    library = _library()
    with phil:
        first = references.ctypes.data
        places = range(first, first + references.size * REFERENCE_NBYTES, REFERENCE_NBYTES)
        try:
            yield from places
        finally:
            for place in places:
                library.H5Rdestroy(place)


def _own_path(source: Any) -> str:
    file = h5py.h5i.get_file_id(source)
    return os.path.realpath(os.fsdecode(file.name))


def _text(ask: Callable[..., int], place: int) -> bytes:
    text = ctypes.create_string_buffer(_NAME_BYTES)
    length = ask(place, text, _NAME_BYTES)
    if not 0 <= length < _NAME_BYTES:
        raise ValueError("a reference without a readable name")
    return text.value


def _standard(library: Any) -> int:
    return int(ctypes.c_int64.in_dll(library, "H5T_STD_REF_g").value)


@lru_cache(maxsize=1)
def _library() -> Any:
    """Give the HDF5 library that h5py itself uses; None where it can't be reached, or is old."""
    library: Any = ctypes.CDLL(h5py.h5r.__file__)
    if not hasattr(library, "H5Ropen_object") or not hasattr(library, "H5T_STD_REF_g"):
        return None
    place, number, size = ctypes.c_void_p, ctypes.c_int64, ctypes.c_size_t
    name = (place, ctypes.c_char_p, size)
    for function, result, takes in (
        ("H5Tcopy", number, (number,)),
        ("H5Rget_type", ctypes.c_int, (place,)),
        ("H5Rget_file_name", ctypes.c_ssize_t, name),
        ("H5Rget_attr_name", ctypes.c_ssize_t, name),
        ("H5Ropen_object", number, (place, number, number)),
        ("H5Ropen_region", number, (place, number, number)),
        ("H5Rdestroy", ctypes.c_int, (place,)),
    ):
        asked = getattr(library, function)
        asked.restype, asked.argtypes = result, takes
    return library
