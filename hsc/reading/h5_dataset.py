"""A dataset as h5py shows it: read by slices, lists and masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hsc.errors import HscError, SelectionError
from hsc.reading.h5_attributes import H5Attributes
from hsc.reading.h5_selection import select
from hsc.reading.h5_values import H5Empty, H5Values
from hsc.reading.opened import OpenedDataset
from hsc.reading.regions import Gaps
from hsc.store import read_fill

# Filters that h5py has names for (H5Zpublic.h; LZF is h5py's own, 32000).
_COMPRESSIONS = {1: "gzip", 4: "szip", 32000: "lzf"}
_SHUFFLE, _FLETCHER32 = 2, 3


class Holder(Protocol):
    """What a dataset is in: an `H5Group`."""

    name: str
    """Its path."""

    @property
    def file(self) -> Any:
        """The root."""
        ...


class H5Dataset:
    """A dataset, read only.

    ``dataset[0, 10:20]`` reads what it takes and no more; text comes as bytes, `asstr` decodes it.

    Parameters
    ----------
    dataset
        The dataset that it is in.
    path
        True path.
    rows
        First row and the one after the last, when it is a part of a DECTRIS stack.
    parent
        The group that it is in.
    gaps
        What gaps read as.
    """

    def __init__(
        self,
        dataset: OpenedDataset,
        path: str,
        rows: tuple[int, int] | None,
        parent: Holder,
        gaps: Gaps = "raise",
    ) -> None:
        self._dataset, self._rows = dataset, rows
        self._values = H5Values(dataset, path, gaps)
        self._document = dataset.documents[path]
        self._facts: Mapping[str, Any] = self._document["attributes"].get("hsc:hdf5", {})
        self.name = path
        self.parent = parent

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Elements along each dimension; None without a dataspace."""
        if self._document["attributes"].get("hsc:null"):
            return None
        shape = self._values.shape
        return (self._rows[1] - self._rows[0], *shape[1:]) if self._rows else shape

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements, in the file's byte order, with dimensions of their own."""
        return self._values.dtype()

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape or ())

    @property
    def size(self) -> int | None:
        """Number of elements; None without a dataspace."""
        return None if self.shape is None else math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements, decoded."""
        return (self.size or 0) * self.dtype.itemsize

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of a chunk in the HDF5 file; None when it had none."""
        chunks = self._facts.get("chunks")
        return tuple(chunks) if chunks else None

    @property
    def maxshape(self) -> tuple[int | None, ...] | None:
        """Shape that it could have grown to; None in it: without end."""
        told = self._facts.get("maxshape")
        return tuple(told) if told else self.shape

    @property
    def filters(self) -> list[tuple[int, tuple[int, ...]]]:
        """Number and options of each filter in the HDF5 file."""
        return [(int(number), tuple(options)) for number, options in self._facts.get("filters", ())]

    @property
    def compression(self) -> str | None:
        """``gzip``, ``lzf`` or ``szip``; None for others, which `filters` tells."""
        return next((_COMPRESSIONS[n] for n, _ in self.filters if n in _COMPRESSIONS), None)

    @property
    def shuffle(self) -> bool:
        """Whether HDF5's shuffle filter was used."""
        return any(number == _SHUFFLE for number, _ in self.filters)

    @property
    def fletcher32(self) -> bool:
        """Whether HDF5's checksum filter was used."""
        return any(number == _FLETCHER32 for number, _ in self.filters)

    @property
    def fillvalue(self) -> Any:
        """What elements read as that were never written; zero of a compound or ragged dataset."""
        if self._document["node_type"] != "array" or self.dtype.kind in "OSV":
            return np.zeros((), self.dtype)[()]
        kind = self._document["data_type"]
        return np.array(read_fill(self._document["fill_value"], kind)).astype(self.dtype.base)[()]

    @property
    def is_virtual(self) -> bool:
        """Whether it was a virtual dataset."""
        return "hsc:virtual" in self._document["attributes"]

    @property
    def attrs(self) -> H5Attributes:
        """Attributes, as h5py gives them; of a part of a stack those of its own file."""
        attributes: Mapping[str, Any] = self._document["attributes"]
        for part in attributes.get("hsc:stack", ()) if self._rows else ():
            if tuple(part["frames"]) == self._rows:
                attributes = part.get("attributes", {})
        return H5Attributes(attributes, lambda path: self._dataset.array(path).read())

    @property
    def file(self) -> Any:
        """The root."""
        return self.parent.file

    def asstr(self, encoding: str = "utf-8", errors: str = "strict") -> H5View:
        """Give a view of it whose text comes as str."""
        if self.dtype.kind not in "OS":
            raise HscError(f"the dataset has {self.dtype}, not text", where=self.name)

        def decoded(value: Any) -> Any:
            if isinstance(value, bytes):
                return value.decode(encoding, errors)
            if not isinstance(value, np.ndarray):
                return value
            made = np.empty(value.shape, object)
            for place in np.ndindex(value.shape):
                made[place] = decoded(bytes(value[place]))
            return made

        return H5View(self, decoded)

    def astype(self, dtype: DTypeLike) -> H5View:
        """Give a view of it whose numbers come as another type."""
        return H5View(self, lambda values: np.asarray(values).astype(dtype)[()])

    def __getitem__(self, key: Any) -> Any:
        """Read elements by numbers, slices, an ellipsis, one list or mask, and names of fields.

        Returns
        -------
        values
            As h5py gives them; one element as a scalar.

        Raises
        ------
        DamageError
            Bytes are missing or not those that were written.
        SelectionError
            The selection does not fit the dataset.
        """
        if self.shape is None:
            return H5Empty(self.dtype)
        given = key if isinstance(key, tuple) else (key,)
        names = [each for part in given for each in _field_names(part)]
        rest = tuple(part for part in given if not _field_names(part))
        unknown = [name for name in names if name not in (self.dtype.names or ())]
        if unknown:
            raise SelectionError(f"there is no field {', '.join(unknown)}", where=self.name)
        values = self._selected(rest)
        if names:
            values = values[names[0]] if len(names) == 1 else values[names]
        if values.ndim == 0 and not any(part is Ellipsis for part in rest):
            return values[()]
        return values

    def __len__(self) -> int:
        if not self.shape:
            raise HscError("the dataset has no dimension, so no length", where=self.name)
        return self.shape[0]

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return (self[number] for number in range(len(self)))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        values = np.asarray(self[...])
        return values if dtype is None else values.astype(dtype)

    def __repr__(self) -> str:
        last = self.name.rpartition("/")[2]
        return f'<HDF5 dataset "{last}": shape {self.shape}, type "{self.dtype.str}">'

    def _selected(self, key: tuple[Any, ...]) -> NDArray[Any]:
        selection = select(key, self.shape or (), self.name)
        first = self._rows[0] if self._rows else 0
        start, stop = list(selection.start), list(selection.stop)
        if start:
            start[0], stop[0] = start[0] + first, stop[0] + first
        if self._values.is_array:
            values = self._values.region(start, stop)
        else:
            values = self._values.read(*((start[0], stop[0]) if start else (0, 0)))
            cut = zip(start[1:], stop[1:], strict=True)
            values = values[(slice(None), *[slice(a, b) for a, b in cut])] if start else values
        return selection.of(values)


class H5View:
    """A dataset whose values are changed as they are read.

    Parameters
    ----------
    dataset
        The dataset.
    change
        Makes of what is read what is given.
    """

    def __init__(self, dataset: H5Dataset, change: Callable[[Any], Any]) -> None:
        self._dataset, self._change = dataset, change

    def __getitem__(self, key: Any) -> Any:
        return self._change(self._dataset[key])

    def __len__(self) -> int:
        return len(self._dataset)


def _field_names(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    listed = isinstance(part, list) and bool(part) and all(isinstance(n, str) for n in part)
    return list(part) if listed else []
