"""User-defined links: the bytes of a link that only its maker's programs can follow."""

from __future__ import annotations

import ctypes
from typing import Any

import h5py
from h5py._objects import phil

# HDF5 gives such bytes to a registered class only, by its query function.
_QUERY = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t,
    ctypes.c_char_p,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_void_p,
    ctypes.c_size_t,
)
_FOLLOW = ctypes.CFUNCTYPE(ctypes.c_int64)


class _LinkClass(ctypes.Structure):
    """HDF5's ``H5L_class_t``."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("id", ctypes.c_int),
        ("comment", ctypes.c_char_p),
        ("create", ctypes.c_void_p),
        ("move", ctypes.c_void_p),
        ("copy", ctypes.c_void_p),
        ("follow", _FOLLOW),
        ("delete", ctypes.c_void_p),
        ("query", _QUERY),
    )


def user_link_bytes(group: h5py.Group, name: bytes, number: int) -> bytes:
    """Read the bytes of a user-defined link.

    Parameters
    ----------
    group
        The group that has the link.
    name
        Name of the link.
    number
        Its class.

    Raises
    ------
    ValueError
        They can't be read.
    """
    library = _library(number)
    found: list[bytes] = []

    def query(_: bytes, data: int | None, count: int, __: int | None, ___: int) -> int:
        found.append(ctypes.string_at(data, count) if data else b"")
        return count

    ours = _LinkClass(version=1, id=number, follow=_FOLLOW(lambda: -1), query=_QUERY(query))
    with phil:
        if library.H5Lis_registered(number) or library.H5Lregister(ctypes.byref(ours)) < 0:
            raise ValueError(f"the class {number} of the link is another program's in this session")
        try:
            group.id.links.get_info(name)
        finally:
            library.H5Lunregister(number)
    if not found:
        raise ValueError(f"the bytes of a link of class {number} can't be read")
    return found[0]


def make_user_link(group: h5py.Group, name: bytes, number: int, data: bytes) -> None:
    """Make a user-defined link of its bytes.

    Parameters
    ----------
    group, name
        Where, and what it is called.
    number
        Its class.
    data
        Its bytes.

    Raises
    ------
    ValueError
        It can't be made.
    """
    library = _library(number)
    create = library.H5Lcreate_ud
    create.argtypes = (
        ctypes.c_int64,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_int64,
        ctypes.c_int64,
    )
    ours = _LinkClass(version=1, id=number, follow=_FOLLOW(lambda: -1))
    with phil:
        if library.H5Lis_registered(number) or library.H5Lregister(ctypes.byref(ours)) < 0:
            raise ValueError(f"the class {number} of the link is another program's in this session")
        try:
            if create(group.id.id, name, number, data, len(data), 0, 0) < 0:
                raise ValueError(f"a link of class {number} can't be made")
        finally:
            library.H5Lunregister(number)


def _library(number: int) -> Any:
    # The library that h5py itself uses; its functions are reached through h5py's modules.
    library: Any = ctypes.CDLL(h5py.h5l.__file__)
    if not hasattr(library, "H5Lregister"):
        raise ValueError(f"links of class {number} can't be read or made on this system")
    return library
