"""Leaves of a dataset, which are arrays, and those of an attribute, which are JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reading import OpenedDataset


class ArrayLeaves:
    """The arrays that a dataset was taken apart to.

    Parameters
    ----------
    dataset, path
        The dataset that is read, and the path of the HDF5 dataset.
    only
        The rows of the only array that are wanted; None: all.
    """

    def __init__(
        self, dataset: OpenedDataset, path: str, only: tuple[int, int] | None = None
    ) -> None:
        self._dataset = dataset
        self._path = path
        self._first = only[0] if only else 0

    def has(self, name: str) -> bool:
        """Tell whether there is a leaf of that name."""
        return self._where(name) in self._dataset.documents

    def rows(self, name: str, start: int, stop: int, like: np.dtype[Any]) -> NDArray[Any]:
        """Give some rows of a leaf."""
        first = self._first
        return self._dataset.array(self._where(name)).read(first + start, first + stop)

    def whole(self, name: str, like: np.dtype[Any]) -> NDArray[Any]:
        """Give all of a leaf."""
        return self._dataset.array(self._where(name)).read()

    def _where(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}" if name else self._path


class JsonLeaves:
    """The values that an attribute was taken apart to.

    Parameters
    ----------
    dataset
        The dataset that is read, for attributes too large for JSON.
    value
        The attribute as JSON.
    """

    def __init__(self, dataset: OpenedDataset, value: Any) -> None:
        self._dataset = dataset
        columns = value.get("$columns") if isinstance(value, dict) else None
        self._values: Mapping[str, Any] = {"": value} if columns is None else columns

    def has(self, name: str) -> bool:
        """Tell whether there is a leaf of that name."""
        return name in self._values

    def rows(self, name: str, start: int, stop: int, like: np.dtype[Any]) -> NDArray[Any]:
        """Give some rows of a leaf."""
        return self.whole(name, like)[start:stop]

    def whole(self, name: str, like: np.dtype[Any]) -> NDArray[Any]:
        """Give all of a leaf, flat where JSON does not tell its shape."""
        value = self._values[name]
        if not isinstance(value, dict):
            return _texts(value) if like.kind == "O" else np.array(value, like)
        if "$array" in value:
            return self._dataset.array(value["$array"]).read()
        if value["$t"] == "string":
            held = value["$hex"]
            raw = [held] if isinstance(held, str) else held
            return _texts([bytes.fromhex(each) for each in raw])
        return np.frombuffer(bytes.fromhex(value["$hex"]), value["$t"])


def _texts(value: Any) -> NDArray[np.object_]:
    """Give texts in C order, whatever lists they stand in."""
    flat: list[Any] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += reversed(each)
        else:
            flat.append(each)
    made = np.empty(len(flat), object)
    made[:] = flat
    return made
