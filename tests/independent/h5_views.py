"""The h5py-like view against h5py itself: every link, object, value and attribute of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  (registers the filters that files use)
import numpy as np

_UNREADABLE = (OSError, KeyError, RuntimeError, TypeError, ValueError)
_LARGE_NBYTES = 10**6
_LONGEST = 500


def view_differences(file: h5py.File, view: Any, excused: set[str]) -> Iterator[str]:
    """Give what the view shows otherwise than h5py.

    Parameters
    ----------
    view
        ``tree.hsc.h5``.
    excused
        Paths of recorded gaps.
    """
    seen = set()
    waiting: list[tuple[str, Any, Any]] = [("/", file["/"], view)]
    while waiting:
        path, theirs, ours = waiting.pop()
        info = h5py.h5o.get_info(theirs.id)
        if (info.fileno, info.addr) in seen or _excused(path, excused):
            continue
        seen.add((info.fileno, info.addr))
        yield from (f"{path}@{what}" for what in _attributes(theirs, ours))
        try:
            names = [name for name in theirs if name.isprintable()]
        except _UNREADABLE:
            continue
        for name in names:
            where = f"{path.rstrip('/')}/{name}"
            if _excused(where, excused):
                continue
            try:
                link = theirs.get(name, getlink=True)
            except TypeError:  # a user-defined link, of which h5py knows no class
                continue
            told = ours.get(name, getlink=True)
            yield from (f"{where}: {what}" for what in _link(link, told))
            try:
                child = theirs[name] if isinstance(link, h5py.HardLink | h5py.SoftLink) else None
            except _UNREADABLE:
                continue
            if child is None or isinstance(child, h5py.Datatype):
                continue
            found = ours.get(name)
            if found is None:
                yield f"{where}: there is nothing"
            elif isinstance(child, h5py.Group):
                waiting.append((where, child, found))
            else:
                yield from (f"{where}: {what}" for what in dataset_differences(child, found))


def _excused(path: str, excused: set[str]) -> bool:
    return any(
        gap == path or gap.startswith((f"{path}/", f"{path}@")) or path.startswith(f"{gap}/")
        for gap in excused
    )


def _link(theirs: Any, ours: Any) -> Iterator[str]:
    if type(ours).__name__ != f"H5{type(theirs).__name__}":
        yield f"the link is {ours}, not {theirs}"
    elif not isinstance(theirs, h5py.HardLink) and ours.path != theirs.path:
        yield f"the link leads to {ours.path}, not {theirs.path}"


def _attributes(theirs: Any, ours: Any) -> Iterator[str]:
    for name in theirs.attrs:
        try:
            expected = theirs.attrs[name]
        except _UNREADABLE:
            continue
        if name not in ours.attrs:
            yield f"{name}: the attribute is not there"
            continue
        found = ours.attrs[name]
        if not same(expected, found):
            yield f"{name}: {found!r} of {type(found)}, not {expected!r} of {type(expected)}"


def dataset_differences(theirs: h5py.Dataset, ours: Any) -> Iterator[str]:
    """Give what a dataset of the view has otherwise than h5py's."""
    yield from (f"@{what}" for what in _attributes(theirs, ours))
    for fact in ("shape", "chunks", "maxshape"):
        if getattr(theirs, fact) != getattr(ours, fact):
            yield f"{fact} is {getattr(ours, fact)}, not {getattr(theirs, fact)}"
            return
    try:
        dtype = theirs.dtype
        large = (theirs.size or 0) * dtype.itemsize >= _LARGE_NBYTES
        key = (slice(1),) if large else ()
        expected = theirs[key]
    except _UNREADABLE:
        return
    found = ours[key]
    if not _same_type(dtype, ours.dtype):
        yield f"type is {ours.dtype}, not {dtype}"
    if not same(expected, found):
        yield f"{found!r} of {type(found)}, not {expected!r} of {type(expected)}"[:_LONGEST]
    elif theirs.ndim and theirs.shape[0] > 2 and not large:
        key = (slice(1, None, 2), ...)
        if not same(theirs[key], ours[key]):
            yield "other values by steps"


def _same_type(theirs: np.dtype, ours: np.dtype) -> bool:
    if theirs.names is not None and ours.names is not None:
        return theirs.names == ours.names and all(
            _same_type(theirs[name], ours[name]) for name in theirs.names
        )
    if theirs.subdtype and ours.subdtype:
        (inner, dims), (own, shape) = _flat(theirs), _flat(ours)
        return dims == shape and _same_type(inner, own)
    return theirs == ours


def _flat(dtype: np.dtype) -> tuple[np.dtype, tuple[int, ...]]:
    """Give an element type of arrays of arrays as one of arrays."""
    dims: tuple[int, ...] = ()
    while dtype.subdtype:
        dtype, inner = dtype.subdtype
        dims += inner
    return dtype, dims


def same(theirs: Any, ours: Any) -> bool:
    """Tell whether two values are the same, bit for bit where they are numbers."""
    if isinstance(theirs, h5py.Empty):
        return type(ours).__name__ == "H5Empty" and theirs.dtype == ours.dtype
    if isinstance(theirs, h5py.Reference | h5py.RegionReference):
        return isinstance(ours, str)
    if isinstance(theirs, np.ndarray) != isinstance(ours, np.ndarray):
        return False
    if isinstance(theirs, np.ndarray):
        return theirs.shape == ours.shape and _same_arrays(theirs, ours)
    if isinstance(theirs, np.void) and theirs.dtype.names:
        return isinstance(ours, np.void) and _same_arrays(np.asarray(theirs), np.asarray(ours))
    if isinstance(theirs, np.generic):
        return type(theirs) is type(ours) and theirs.tobytes() == ours.tobytes()
    return type(theirs) is type(ours) and theirs == ours


def _same_elements(theirs: Any, ours: Any) -> bool:
    numbers = all(
        isinstance(each, np.ndarray) and each.dtype.kind in "iufc" for each in (theirs, ours)
    )
    if numbers and theirs.dtype.newbyteorder() == ours.dtype:
        # h5py gives big-endian numbers inside variable length as if they were little-endian.
        return theirs.tobytes() == ours.tobytes()
    return same(theirs, ours)


def _same_arrays(theirs: np.ndarray, ours: np.ndarray) -> bool:
    if theirs.dtype.names:
        return ours.dtype.names == theirs.dtype.names and all(
            _same_arrays(theirs[name], ours[name]) for name in theirs.dtype.names
        )
    if theirs.dtype == object:
        pairs = zip(theirs.ravel(), ours.ravel(), strict=True)
        return ours.dtype == object and all(_same_elements(*pair) for pair in pairs)
    return _same_type(theirs.dtype, ours.dtype) and theirs.tobytes() == ours.tobytes()
