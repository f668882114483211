"""A dataset as an xarray.DataTree of lazy dask arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hsc.layouts import facilities
from hsc.model import Dataset
from hsc.reading.opened import OpenedArray, OpenedDataset

if TYPE_CHECKING:
    import zarr

_BLOCK_BYTES = 128 * 10**6
_KEY = "hsc"


def open_tree(dataset: OpenedDataset) -> xr.DataTree:
    """Open a dataset as a tree.

    Each group is a node, each array a variable of its group under its own name. An array's
    blocks are at most 128 MB decoded, or one inner chunk, and never cross a shard. Nothing is
    decoded before it is computed.

    Returns
    -------
    tree
        With the accessor ``.hsc``.
    """
    groups: dict[str, dict[str, xr.Variable]] = {}
    attributes: dict[str, dict[str, Any]] = {}
    for path, document in dataset.documents.items():
        if document["node_type"] == "group":
            groups.setdefault(path, {})
            attributes[path] = _shown(document["attributes"])
        else:
            parent, _, name = path.rpartition("/")
            groups.setdefault(parent or "/", {})[name] = _variable(dataset.array(path))
    nodes = {
        path: xr.Dataset(variables, attrs=attributes.get(path, {}))
        for path, variables in groups.items()
    }
    tree = xr.DataTree.from_dict(nodes)
    tree.name = f"{dataset.record.pid.ulid}@{dataset.record.version}"
    # Encoding is where xarray keeps what a tree was read from; it is not shown and not copied on.
    tree.encoding = {_KEY: dataset}
    return tree


def _variable(array: OpenedArray) -> xr.Variable:
    names = array.dimension_names or tuple(f"{array.path}.{n}" for n in range(len(array.shape)))
    return xr.Variable(names, lazy_array(array), attrs=_shown(array.attributes))


def lazy_array(array: OpenedArray) -> da.Array:
    """Give an array lazily, in blocks of whole inner chunks that never cross a shard."""
    whole = not array.shape or not all(array.shape)
    chunks = array.shape if whole else (_row_blocks(array), *array.shape[1:])
    lazy: da.Array = da.from_array(_Rows(array), chunks=chunks, asarray=False, name=False)
    return lazy


def _row_blocks(array: OpenedArray) -> tuple[int, ...]:
    """Give how many rows each block has."""
    itemsize = 64 if array.dtype == object else array.dtype.itemsize
    row = max(1, math.prod(array.shape[1:]) * itemsize)
    step = array.chunks[0] * max(1, _BLOCK_BYTES // (row * array.chunks[0]))
    blocks = []
    for start in range(0, array.shape[0], array.shards[0]):
        stop = min(start + array.shards[0], array.shape[0])
        blocks += [min(step, stop - at) for at in range(start, stop, step)]
    return tuple(blocks)


class _Rows:
    """An array as dask reads it: sliced by rows, then by the rest."""

    def __init__(self, array: OpenedArray) -> None:
        self._array = array
        self.shape = array.shape
        self.dtype = array.dtype
        self.ndim = len(array.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        parts = key if isinstance(key, tuple) else (key,)
        if not self.shape or not parts or not isinstance(parts[0], slice):
            return np.asarray(self._array.read()[key])
        start, stop, step = parts[0].indices(self.shape[0])
        if step != 1:
            return np.asarray(self._array.read()[key])
        return np.asarray(self._array.read(start, stop)[(slice(None), *parts[1:])])


def _shown(attributes: Any) -> dict[str, Any]:
    """Leave hsc's own notes out of what people see."""
    return {name: value for name, value in attributes.items() if not name.startswith("hsc:")}


@xr.register_datatree_accessor("hsc")
class HscAccessor:
    """What hsc knows of a tree beyond its arrays: ``tree.hsc``.

    Parameters
    ----------
    tree
        A tree that `hsc.open` gave, or a node of one.
    """

    def __init__(self, tree: xr.DataTree) -> None:
        dataset = tree.root.encoding.get(_KEY)
        if not isinstance(dataset, OpenedDataset):
            # xarray turns an AttributeError of an accessor into a readable one of its own.
            raise AttributeError("this tree was not opened by hsc")  # noqa: TRY004
        self._dataset = dataset

    @property
    def record(self) -> Dataset:
        """The dataset as the catalog keeps it."""
        return self._dataset.record

    @property
    def roles(self) -> Mapping[str, str]:
        """What arrays are for: role to path, as in ``frames``."""
        return self._dataset.roles

    def role(self, name: str) -> da.Array:
        """Give the array that has a role, lazily."""
        return lazy_array(self._dataset.role(name))

    def zarr(self) -> zarr.Group:
        """Give the same tree as zarr opens it, every byte checked."""
        return self._dataset.zarr()

    def cite(self) -> str:
        """Say how to cite the dataset."""
        record = self.record
        facility = find_facility_name(record.facility)
        return (
            f"{facility} ({record.created.year}): {record.title}. Version {record.version}. "
            f"{record.pid}"
        )


def find_facility_name(name: str) -> str:
    """Give a facility's full name; its id when no data file describes it."""
    known = facilities().get(name)
    return known.name if known else name
