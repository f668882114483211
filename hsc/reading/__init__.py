"""One opened dataset: arrays by path or role, zarr, lazy xarray."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hsc.reading.array import OpenedArray
from hsc.reading.carried import CarriedFile
from hsc.reading.elements import elements
from hsc.reading.opened import OpenedDataset, open_dataset
from hsc.reading.regions import Gaps, reading_threads
from hsc.reading.transformations import combine

if TYPE_CHECKING:
    from hsc.reading.accessor import HscAccessor
    from hsc.reading.datatree import OpenedTree, open_tree

__all__ = [
    "CarriedFile",
    "Gaps",
    "HscAccessor",
    "OpenedArray",
    "OpenedDataset",
    "OpenedTree",
    "combine",
    "elements",
    "open_dataset",
    "open_tree",
    "reading_threads",
]


_LATER = {
    "HscAccessor": "hsc.reading.accessor",
    "OpenedTree": "hsc.reading.datatree",
    "open_tree": "hsc.reading.datatree",
}


def __getattr__(name: str) -> Any:
    # xarray takes a second to import; reductions read without it.
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(name)
