"""One opened dataset: arrays by path or role, zarr, lazy xarray."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hsc.reading.array import OpenedArray
from hsc.reading.carried import CarriedFile
from hsc.reading.comparing import Comparison, Difference, compare
from hsc.reading.elements import elements
from hsc.reading.opened import OpenedDataset, open_dataset
from hsc.reading.regions import Gaps, reading_threads
from hsc.reading.transformations import combine

if TYPE_CHECKING:
    from hsc.reading.accessor import HscAccessor
    from hsc.reading.datatree import OpenedTree, open_tree
    from hsc.reading.h5 import H5Datatype, H5ExternalLink, H5Group, H5HardLink, H5SoftLink
    from hsc.reading.h5_dataset import H5Dataset
    from hsc.reading.h5_values import H5Empty

__all__ = [
    "CarriedFile",
    "Comparison",
    "Difference",
    "Gaps",
    "H5Dataset",
    "H5Datatype",
    "H5Empty",
    "H5ExternalLink",
    "H5Group",
    "H5HardLink",
    "H5SoftLink",
    "HscAccessor",
    "OpenedArray",
    "OpenedDataset",
    "OpenedTree",
    "combine",
    "compare",
    "elements",
    "open_dataset",
    "open_tree",
    "reading_threads",
]


_LATER = {
    "H5Dataset": "hsc.reading.h5_dataset",
    "H5Datatype": "hsc.reading.h5",
    "H5Empty": "hsc.reading.h5_values",
    "H5ExternalLink": "hsc.reading.h5",
    "H5Group": "hsc.reading.h5",
    "H5HardLink": "hsc.reading.h5",
    "H5SoftLink": "hsc.reading.h5",
    "HscAccessor": "hsc.reading.accessor",
    "OpenedTree": "hsc.reading.datatree",
    "open_tree": "hsc.reading.datatree",
}


def __getattr__(name: str) -> Any:
    # xarray takes a second to import; reductions read without it.
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(name)
