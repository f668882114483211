"""A dataset as an xarray.DataTree of lazy dask arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hsc.errors import HscError
from hsc.layouts import facilities
from hsc.model import Dataset
from hsc.reading.array import OpenedArray
from hsc.reading.carried import CarriedFile
from hsc.reading.opened import OpenedDataset

if TYPE_CHECKING:
    import zarr

_BLOCK_BYTES = 128 * 10**6
_KEY = "hsc"


def open_tree(dataset: OpenedDataset) -> xr.DataTree:
    """Open a dataset as a tree.

    Each group is a node, each array a variable of its group under its own name. An array's
    blocks are at most 128 MB decoded, or one inner chunk, and never cross a shard. Nothing is
    decoded before it is computed, except an array that bears the name of its only dimension,
    which xarray makes an index of. A group named ``..`` stands under its store name, for xarray
    takes that name as the parent.

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
        _node_path(dataset, path): xr.Dataset(variables, attrs=attributes.get(path, {}))
        for path, variables in groups.items()
    }
    tree = xr.DataTree.from_dict(nodes)
    tree.name = f"{dataset.record.pid.ulid}@{dataset.record.version}"
    # Encoding is where xarray keeps what a tree was read from; it is not shown and not copied on.
    tree.encoding = {_KEY: dataset}
    return tree


def _node_path(dataset: OpenedDataset, path: str) -> str:
    key: str = dataset.documents[path]["key"]
    return f"/{key}" if {".", ".."} & set(path.split("/")) else path


def _variable(array: OpenedArray) -> xr.Variable:
    names = array.dimension_names or tuple(f"{array.path}.{n}" for n in range(len(array.shape)))
    return xr.Variable(names, lazy_array(array), attrs=_shown(array.attributes))


def lazy_array(array: OpenedArray) -> da.Array:
    """Give an array lazily, in blocks of whole inner chunks that never cross a shard."""
    lazy: da.Array = da.from_array(
        _Region(array), chunks=_blocks(array), asarray=False, name=False, meta=_meta(array)
    )
    return lazy


def _meta(array: OpenedArray) -> NDArray[Any]:
    return np.empty((0,) * len(array.shape), array.dtype)


def _blocks(array: OpenedArray) -> tuple[tuple[int, ...], ...]:
    """Give how long the blocks are along each dimension."""
    itemsize = 64 if array.dtype == object else array.dtype.itemsize
    steps = [
        min(shard, -(-max(1, length) // chunk) * chunk)
        for shard, chunk, length in zip(array.shards, array.chunks, array.shape, strict=True)
    ]
    for axis, chunk in enumerate(array.chunks):
        rest = math.prod(steps) // steps[axis] * itemsize * chunk
        steps[axis] = min(steps[axis], chunk * max(1, _BLOCK_BYTES // rest))
    return tuple(
        tuple(_lengths(length, shard, step))
        for length, shard, step in zip(array.shape, array.shards, steps, strict=True)
    )


def _lengths(length: int, shard: int, step: int) -> Iterator[int]:
    if not length:
        yield 0
    for start in range(0, length, shard):
        stop = min(start + shard, length)
        yield from (min(step, stop - at) for at in range(start, stop, step))


class _Region:
    """An array as dask reads it, by slices."""

    def __init__(self, array: OpenedArray) -> None:
        self._array = array
        self.shape = array.shape
        self.dtype = array.dtype
        self.ndim = len(array.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        given = key if isinstance(key, tuple) else (key,)
        parts = (*given, *[slice(None)] * (self.ndim - len(given)))
        start, stop, rest = [], [], []
        for part, length in zip(parts, self.shape, strict=True):
            low, high, step = part.indices(length) if isinstance(part, slice) else (0, length, 0)
            plain = step == 1
            start.append(low if plain else 0)
            stop.append(max(low, high) if plain else length)
            rest.append(slice(None) if plain else part)
        # The ellipsis keeps a scalar an array of no dimensions.
        return self._array.region(start, stop)[(*rest, ...)]


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
            # An AttributeError would come out as xarray's own, without these words.
            raise HscError(
                "this tree was not opened by hsc, or is a copy that forgot where it came from",
                next_step="use the tree that hsc.open(pid) gave",
            )
        self._dataset = dataset

    @property
    def record(self) -> Dataset:
        """The dataset as the catalog keeps it."""
        return self._dataset.record

    @property
    def roles(self) -> Mapping[str, str]:
        """What arrays are for: role to path, as in ``frames``."""
        return self._dataset.roles

    @property
    def files(self) -> Mapping[str, CarriedFile]:
        """What lay in the run's folder and is no array, by name: scripts, notes, geometry ..."""
        return self._dataset.files

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
