"""Values as h5py gives them: text as bytes, compounds with fields, ragged data as objects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hsc.reading.opened import OpenedDataset
from hsc.reading.regions import Gaps

Facts = Mapping[str, Any]
Rows = tuple[int, int] | None
"""First row and the one after the last; None: none, only the type is wanted."""


class H5Empty:
    """What a dataset or attribute without any dataspace holds, as ``h5py.Empty``.

    Parameters
    ----------
    dtype
        Type of the elements that it has none of.
    """

    shape = None
    size = None

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, H5Empty) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"H5Empty(dtype={self.dtype.str!r})"


class H5Values:
    """Reads what was an HDF5 dataset, whole or some rows of it.

    Parameters
    ----------
    dataset
        The dataset that it is in.
    path
        True path: of an array, or of the group that a compound or ragged dataset became.
    gaps
        What gaps read as.
    """

    def __init__(self, dataset: OpenedDataset, path: str, gaps: Gaps = "raise") -> None:
        self._dataset, self._path, self._gaps = dataset, path, gaps
        document = dataset.documents[path]
        attributes = document["attributes"]
        self._facts: Facts = attributes.get("hsc:hdf5", {})
        self.is_array = document["node_type"] == "array"
        """Whether it is one array here, so that any part of it can be read."""
        stored = document.get("shape", ())
        raw = self.is_array and document["data_type"] == "uint8" and "dtype" not in self._facts
        own = stored[:-1] if raw and {"string", "type"} & set(self._facts) else stored
        self.shape: tuple[int, ...] = tuple(self._facts.get("shape", own))
        """Its shape, without the dimensions that elements have of their own."""

    def dtype(self) -> np.dtype[Any]:
        """Give the type of its elements, with their own dimensions. Nothing is read."""
        found = self._read(self._path, self.shape, None)
        inner = found.shape[1:]
        return np.dtype((found.dtype, inner)) if inner else found.dtype

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Read rows along the first dimension; all of it when it has no dimensions."""
        return self._read(self._path, self.shape, (start, stop))

    def region(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Read a region of what is one array here; elements' own dimensions come whole."""
        array = self._dataset.array(self._path)
        tail = array.shape[len(start) :]
        values = array.region((*start, *[0] * len(tail)), (*stop, *tail), gaps=self._gaps)
        return as_h5py(values, self._facts)

    def _read(self, path: str, shape: tuple[int, ...], rows: Rows) -> NDArray[Any]:
        attributes = self._dataset.documents[path]["attributes"]
        if "hsc:compound" in attributes:
            return self._compound(path, shape, rows, attributes["hsc:compound"])
        if "hsc:ragged" in attributes:
            return self._ragged(path, shape, rows, attributes["hsc:ragged"])
        array = self._dataset.array(path)
        if rows is None:
            values = np.empty((0, *array.shape[len(self.shape) :]), array.dtype)
        else:
            values = array.read(*(rows if shape else ()), gaps=self._gaps)
        return as_h5py(values, attributes.get("hsc:hdf5", {}))

    def _compound(
        self, path: str, outer: tuple[int, ...], rows: Rows, facts: Facts
    ) -> NDArray[Any]:
        shape = (*outer, *facts.get("element_shape", ()))
        columns = {
            field["name"]: self._read(f"{path}/{field.get('column', field['name'])}", shape, rows)
            for field in facts["fields"]
        }
        here = self._rows_shape(shape, rows)
        formats = [(name, each.dtype, each.shape[len(here) :]) for name, each in columns.items()]
        made = np.empty(here, formats)
        for name, column in columns.items():
            made[name] = column
        return made

    def _ragged(self, path: str, outer: tuple[int, ...], rows: Rows, facts: Facts) -> NDArray[Any]:
        shape = (*outer, *facts.get("element_shape", ()))
        here = self._rows_shape(shape, rows)
        made = np.empty(math.prod(here), object)
        if made.size and rows is not None:
            first = rows[0] * math.prod(shape[1:]) if outer else 0
            offsets = self._dataset.array(f"{path}/offsets").read(first, first + made.size + 1)
            low, high = int(offsets[0]), int(offsets[-1])
            values = self._read(f"{path}/values", (high,), (low, high))
            for number, (begin, end) in enumerate(pairwise((offsets - low).tolist())):
                part = values[begin:end]
                made[number] = part.tobytes() if "string" in facts else part
        return made.reshape(here)

    def _rows_shape(self, shape: tuple[int, ...], rows: Rows) -> tuple[int, ...]:
        """Give the shape of some rows; of none, elements' own dimensions after them."""
        if rows is None:
            return (0, *shape[len(self.shape) :])
        return (rows[1] - rows[0], *shape[1:]) if shape else shape


def as_h5py(values: NDArray[Any], facts: Facts) -> NDArray[Any]:
    """Give stored values as h5py gives them.

    Parameters
    ----------
    values
        An array as it is stored: text as objects, types that NumPy has not as bytes along one
        more dimension.
    facts
        What ``hsc:hdf5`` says of its type.

    Returns
    -------
    values
        In the file's byte order; text as bytes, of a fixed length or as objects; references as
        paths; what NumPy has no type for as ``V``.
    """
    string = facts.get("string")
    if values.dtype == object and string is not None:
        return _bytes(values, string)
    if values.dtype == object:
        return values
    if string is not None:  # bytes that are no text
        if string["padding"] == "null-terminated":
            # HDF5 gives nothing of what stands behind the null.
            values = np.where(np.cumsum(values == 0, axis=-1), 0, values).astype(np.uint8)
        return _viewed(values, f"S{string['length']}")
    if "fields" in facts:  # a complex number here, which h5py knows by other names alone
        part = np.dtype(facts["dtype"])
        half = f"{part.str[0]}f{part.itemsize // 2}"
        pairs = np.ascontiguousarray(values.astype(part))
        return pairs.view([(name, half) for name in facts["fields"]])
    if "dtype" in facts:
        return values.astype(facts["dtype"], copy=False)
    if "type" in facts:
        return _viewed(values, _opaque(facts["type"]))
    return values


def _bytes(values: NDArray[Any], string: Facts) -> NDArray[Any]:
    coded = [text.encode("utf-8", "surrogateescape") for text in values.ravel().tolist()]
    kind: Any = f"S{string['length']}" if "length" in string else object
    made = np.empty(values.size, kind)
    made[:] = coded
    return made.reshape(values.shape)


def _viewed(values: NDArray[Any], kind: str | np.dtype[Any]) -> NDArray[Any]:
    """Look at bytes along the last dimension as elements."""
    if not values.size:
        return np.empty(values.shape[:-1], kind)
    found: NDArray[Any] = np.ascontiguousarray(values).view(kind)
    return found[..., 0]


def _opaque(described: Facts) -> np.dtype[Any]:
    """Give NumPy's type of the same bytes: the machine's long double, else opaque bytes."""
    while described["class"] == "array":
        described = described["of"]
    long = np.dtype(np.longdouble)
    x87 = (described["class"], described["bytes"]) == ("float", long.itemsize)
    if (
        x87
        and np.finfo(long).nmant == 63
        and described.get("mantissa_bits") == 64
        and described.get("order") == "little"
    ):
        return long
    return np.dtype(f"V{described['bytes']}")
