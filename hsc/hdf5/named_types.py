"""Named types: element types that stand in a file as objects, and what refers to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import h5py

from hsc.hdf5.tree import SourceGroup
from hsc.model import plain_text

TYPES_KEY = "hsc:types"
NAMED_TYPE_KEY = "hsc:named_type"


class NamedTypes:
    """The named types that a walk met, and the datasets that are of one."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Any]] = {}
        self._used: list[tuple[dict[str, Any], tuple[int, int]]] = []

    def add(self, path: str, node: h5py.Datatype, attributes: dict[str, Any]) -> None:
        """Take up a named type under its path, as HDF5 encodes it (``H5Tencode``)."""
        record: dict[str, Any] = {"h5t": node.id.encode().hex()}
        self._records[path] = record | ({"attributes": attributes} if attributes else {})

    def used(self, dataset: h5py.Dataset, file: int, attributes: dict[str, Any]) -> None:
        """Note that a dataset is of a named type, when it is."""
        kind = dataset.id.get_type()
        if kind.committed():
            attributes[NAMED_TYPE_KEY] = ""
            self._used.append((attributes, (file, int(h5py.h5o.get_info(kind).addr))))

    def finish(self, groups: Sequence[SourceGroup], paths: Mapping[tuple[int, int], str]) -> None:
        """Put the types into the root's attributes, and their paths into those of datasets.

        A type that no path leads to any more is an empty path.
        """
        for attributes, identity in self._used:
            attributes[NAMED_TYPE_KEY] = plain_text(paths.get(identity, ""))
        root = next((group for group in groups if group.path == "/"), None)
        if self._records and root is not None:
            root.attributes[TYPES_KEY] = {
                plain_text(path): record for path, record in sorted(self._records.items())
            }


def address_of(node: Any) -> int:
    """Give where an object's header is in its file: the object's identity there."""
    return int(h5py.h5o.get_info(node.id).addr)
