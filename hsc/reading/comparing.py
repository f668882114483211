"""Two versions held against each other: the first difference, and how far floats lie apart."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.model import Record
from hsc.reading.array import OpenedArray
from hsc.reading.opened import OpenedDataset

_BATCH_BYTES = 64_000_000


class Difference(Record):
    """Where two versions differ."""

    what: str
    """``value``, ``attribute``, ``shape``, ``type``, ``file``, ``file is missing`` ..."""
    path: str | None = None
    """Path of the array or group; None for a file."""
    file: str | None = None
    """Name below ``files/``; None for an array or group."""
    name: str | None = None
    """Name of the attribute; None for anything else."""
    index: tuple[int, ...] | None = None
    """Place of the value in its array."""
    recorded: Any = None
    """What the first version has there; NaN and infinities as text."""
    now: Any = None
    """What the second one has there."""
    ulps: int | None = None
    """How many floating-point numbers of that type lie between them, and one; None: no floats."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of holding two versions against each other."""

    first: Difference | None = None
    """The first difference that is more than one unit in the last place; None: there is none."""
    largest: Difference | None = None
    """The largest difference of floats up to there; None: all are equal, bit for bit or as NaN."""


def compare(one: OpenedDataset, other: OpenedDataset, left_out: Collection[str] = ()) -> Comparison:
    """Hold two versions against each other: groups, attributes, values, and carried files.

    How arrays are cut in chunks and encoded does not count.

    Parameters
    ----------
    one, other
        The versions.
    left_out
        Paths of arrays and groups that are not looked at.

    Raises
    ------
    DamageError
        Bytes of either are missing or not those that were written.
    """
    largest: Difference | None = None
    for found in _differences(one, other, left_out):
        if found.ulps is None or found.ulps > 1:
            return Comparison(found, largest)
        if largest is None or (found.ulps or 0) > (largest.ulps or 0):
            largest = found
    return Comparison(None, largest)


def ulps_between(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.uint64]:
    """Give how many floating-point numbers lie between two, and one; 0 for two NaN.

    Parameters
    ----------
    one, other
        Floats of one type and shape. Zero and minus zero lie one apart.

    Examples
    --------
    >>> a = np.array([1.0, -0.0, np.nan], "f4")
    >>> ulps_between(a, np.array([np.nextafter(np.float32(1), np.float32(2)), 0, np.nan], "f4"))
    array([1, 1, 0], dtype=uint64)
    """
    bits = np.dtype(f"u{one.dtype.itemsize}")
    places = [_ordered(np.ascontiguousarray(each).view(bits)) for each in (one, other)]
    apart = np.maximum(*places) - np.minimum(*places)
    apart[np.isnan(one) & np.isnan(other)] = 0
    wide: NDArray[np.uint64] = apart.astype(np.uint64)
    return wide


def _ordered(bits: NDArray[Any]) -> NDArray[Any]:
    """Give each float its number in their order, from the bits of its IEEE form."""
    sign = bits.dtype.type(1 << (8 * bits.dtype.itemsize - 1))
    return np.where(bits & sign, ~bits, bits | sign)


def _differences(
    one: OpenedDataset, other: OpenedDataset, left_out: Collection[str]
) -> Iterator[Difference]:
    ours, theirs = one.documents, other.documents
    for path in sorted((ours.keys() | theirs.keys()) - set(left_out)):
        if path not in ours or path not in theirs:
            yield Difference(what="missing now" if path in ours else "not recorded", path=path)
            continue
        yield from _unlike(path, ours[path], theirs[path])
        if ours[path]["node_type"] == "array":
            yield from _values(path, one.array(path), other.array(path))
    for name in sorted(one.files.keys() | other.files.keys()):
        if name not in one.files or name not in other.files:
            missing = "file missing now" if name in one.files else "file not recorded"
            yield Difference(what=missing, file=name)
        elif one.files[name].read() != other.files[name].read():
            yield Difference(what="file", file=name, **_bytes(one, other, name))


def _bytes(one: OpenedDataset, other: OpenedDataset, name: str) -> dict[str, Any]:
    """Say where two files begin to differ, and with which bytes."""
    ours, theirs = one.files[name].read(), other.files[name].read()
    shared = zip(ours, theirs, strict=False)
    at = next((n for n, (a, b) in enumerate(shared) if a != b), min(len(ours), len(theirs)))
    return {
        "index": (at,),
        "recorded": ours[at : at + 40].decode("utf-8", "backslashreplace"),
        "now": theirs[at : at + 40].decode("utf-8", "backslashreplace"),
    }


def _unlike(path: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[Difference]:
    for name in ("node_type", "data_type", "shape", "dimension_names"):
        if ours.get(name) != theirs.get(name):
            yield Difference(
                what=name.replace("_", " "),
                path=path,
                recorded=ours.get(name),
                now=theirs.get(name),
            )
    said, says = ours["attributes"], theirs["attributes"]
    for name in sorted(said.keys() | says.keys()):
        if name not in said or name not in says or said[name] != says[name]:
            yield Difference(
                what="attribute",
                path=path,
                name=name,
                recorded=said.get(name),
                now=says.get(name),
            )


def _values(path: str, one: OpenedArray, other: OpenedArray) -> Iterator[Difference]:
    """Give the first value more than one unit apart, after the largest difference before it."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return
    largest: Difference | None = None
    for start, ours, theirs in _batches(one, other):
        apart = _apart(ours, theirs)
        if not apart.any():
            continue
        floats = ours.dtype.kind in "fc"
        far = np.flatnonzero(apart > 1) if floats else np.flatnonzero(apart)
        at = int(far[0]) if len(far) else int(np.argmax(apart))
        found = _difference(path, ours, theirs, at, start)
        found = found.model_copy(update={"ulps": int(apart[at]) if floats else None})
        if len(far):
            yield found
            return
        largest = largest or found
    if largest is not None:
        yield largest


def _apart(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[Any]:
    """Give for each element, in C order, how far apart it is: in ulps, or 1 where it differs."""
    if ours.dtype.kind == "c":
        part = np.dtype(f"f{ours.dtype.itemsize // 2}")
        pairs = [np.ascontiguousarray(each).view(part).reshape(-1, 2) for each in (ours, theirs)]
        both: NDArray[Any] = ulps_between(*pairs).max(axis=1)
        return both
    if ours.dtype.kind == "f":
        return ulps_between(ours, theirs).ravel()
    return np.asarray(ours != theirs).ravel()


def _batches(
    one: OpenedArray, other: OpenedArray
) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    if not one.shape:
        yield 0, one.read(), other.read()
        return
    row = max(1, math.prod(one.shape[1:]) * one.dtype.itemsize)
    # Whole shards, so that none is looked up twice, as far as they fit.
    step = max(1, _BATCH_BYTES // row)
    step = step // one.chunks[0] * one.chunks[0] or step
    for start in range(0, one.shape[0], step):
        yield start, one.read(start, start + step), other.read(start, start + step)


def _difference(
    path: str, ours: NDArray[Any], theirs: NDArray[Any], at: int, start: int
) -> Difference:
    index = tuple(int(n) for n in np.unravel_index(at, ours.shape)) if ours.shape else ()
    return Difference(
        what="value",
        path=path,
        index=(index[0] + start, *index[1:]) if index else (),
        recorded=_plain(ours.ravel()[at]),
        now=_plain(theirs.ravel()[at]),
    )


def _plain(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, complex) or (isinstance(plain, float) and not math.isfinite(plain)):
        return str(plain)
    return plain
