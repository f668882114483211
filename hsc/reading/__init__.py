"""One opened dataset: arrays by path or role, zarr, lazy xarray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hsc.reading.array import OpenedArray
from hsc.reading.carried import CarriedFile
from hsc.reading.elements import elements
from hsc.reading.opened import OpenedDataset, open_dataset

if TYPE_CHECKING:
    from hsc.reading.datatree import HscAccessor, open_tree

__all__ = [
    "CarriedFile",
    "HscAccessor",
    "OpenedArray",
    "OpenedDataset",
    "elements",
    "open_dataset",
    "open_tree",
]


def __getattr__(name: str) -> Any:
    # xarray takes a second to import; reductions read without it.
    if name in ("HscAccessor", "open_tree"):
        from hsc.reading import datatree

        return getattr(datatree, name)
    raise AttributeError(name)
