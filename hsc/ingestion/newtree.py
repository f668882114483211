"""A tree of new arrays laid out: store keys, Zarr metadata, and each array's objects."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.ingestion.grid import inner_chunks, shard_shape
from hsc.ingestion.keys import told_name
from hsc.ingestion.packing import object_sizes
from hsc.model import ArraySummary, Way
from hsc.store import (
    DATA,
    ArraySpec,
    GroupSpec,
    NewArray,
    NewTree,
    ObjectEntry,
    ShardBuilder,
    blosc,
    digest_entry,
    read_fill,
    store_names,
)
from hsc.transcode import encode_chunk

_TEXT = {"name": "zstd", "configuration": {"level": 3, "checksum": False}}


def summary(spec: ArraySpec) -> ArraySummary:
    """Say what an array is, for its dataset's record."""
    return ArraySummary(
        path=spec.path,
        shape=spec.shape,
        dtype=spec.dtype,
        chunks=spec.chunks,
        shards=spec.shards,
        way=spec.way,
    )


def tree_keys(paths: Iterable[str]) -> dict[str, str]:
    """Give the store key of each group and array by its path, groups above them included."""
    every = set(paths)
    for path in list(every):
        parts = path.strip("/").split("/")
        every |= {"/" + "/".join(parts[:n]) for n in range(1, len(parts))}
    children: dict[str, list[str]] = {}
    for path in every - {"/"}:
        parent, _, name = path.rpartition("/")
        children.setdefault(parent or "/", []).append(name)
    keys = {"/": ""}
    for parent in sorted(children):
        for name, stored in store_names(children[parent]).items():
            keys[f"{parent.rstrip('/')}/{name}"] = f"{keys[parent]}/{stored}".lstrip("/")
    return keys


def named(path: str, key: str) -> dict[str, str]:
    """Give the attributes that tell a true name, where the store's key can't hold it."""
    name = path.rpartition("/")[2]
    return {} if name == key.rpartition("/")[2] else told_name(name)


def group_specs(
    tree: NewTree, keys: dict[str, str], arrays: Sequence[ArraySpec]
) -> list[GroupSpec]:
    """Give all groups of a tree, the root's roles among them."""
    given = {group.path: dict(group.attributes) for group in tree.groups}
    taken = {array.path for array in arrays}
    if tree.roles:
        given.setdefault("/", {})["hsc:roles"] = dict(tree.roles)
    return [
        GroupSpec(path, key, {**given.get(path, {}), **named(path, key)})
        for path, key in sorted(keys.items())
        if path not in taken
    ]


def array_spec(array: NewArray, key: str) -> ArraySpec:
    """Give the spec of an array in memory."""
    text = array.values.dtype.kind in "UO"
    itemsize = array.values.dtype.itemsize
    shape = array.values.shape
    chunks = array.chunks or inner_chunks(shape, None, itemsize, keep=False)
    return ArraySpec(
        path=array.path,
        key=key,
        shape=shape,
        dtype="string" if text else array.values.dtype.name,
        chunks=chunks,
        shards=shard_shape(shape, chunks, itemsize, None, None),
        compressor=_TEXT if text else blosc("zstd", 1, itemsize),
        fill_value="" if text else _zero(array.values),
        way=Way.COMPUTED,
        dimension_names=array.dimension_names,
        attributes={**array.attributes, **named(array.path, key)},
    )


def spec_sizes(array: NewArray, spec: ArraySpec) -> dict[str, int]:
    """Give key and bytes, at most, of each object of an array in memory."""
    grid = [math.ceil(n / c) for n, c in zip(spec.shape, spec.chunks, strict=True)]
    places = np.array(list(np.ndindex(*grid)), np.int64).reshape(math.prod(grid), len(grid))
    return object_sizes(spec, array.values.dtype.itemsize, places, None)


def array_objects(
    values: NDArray[Any], spec: ArraySpec, places: Iterable[Sequence[int]]
) -> Iterator[tuple[ObjectEntry, bytes]]:
    """Make objects of an array: entry and bytes of each.

    Parameters
    ----------
    values
        The array.
    places
        Places of the objects in the grid of shards.
    """
    values = values.astype(object) if spec.dtype == "string" else values
    for place in places:
        yield shard_object(spec, place, partial(encoded_chunk, values, spec))


def shard_object(
    spec: ArraySpec, place: Sequence[int], payload: Callable[[tuple[int, ...]], bytes | None]
) -> tuple[ObjectEntry, bytes]:
    """Put an object of an array together: its entry and bytes.

    Parameters
    ----------
    place
        Its place in the grid of shards.
    payload
        Gives an inner chunk, encoded, by its place in the grid of chunks; None beyond the array.
    """
    per_shard = spec.chunks_per_shard
    builder = ShardBuilder(math.prod(per_shard), indexed=spec.sharded)
    for number, step in enumerate(product(*(range(n) for n in per_shard))):
        encoded = payload(tuple(a * n + b for a, n, b in zip(place, per_shard, step, strict=True)))
        if encoded is not None:
            builder.add(number, encoded)
    data, table = builder.finish()
    return digest_entry(f"{DATA}/{spec.object_key(place)}", data, chunks=table), data


def encoded_chunk(
    values: NDArray[Any], spec: ArraySpec, at: tuple[int, ...], first_row: int = 0
) -> bytes | None:
    """Encode an inner chunk of rows of an array, the first of which is given; None beyond it."""
    chunk = _chunk(values, spec, at, first_row)
    return None if chunk is None else encode_chunk(chunk, spec.compressor)


def _chunk(
    values: NDArray[Any], spec: ArraySpec, at: tuple[int, ...], first_row: int
) -> NDArray[Any] | None:
    """Cut a chunk out, filled up at the array's edge; None when it lies wholly beyond."""
    start = [a * c for a, c in zip(at, spec.chunks, strict=True)]
    if any(a >= n for a, n in zip(start, spec.shape, strict=True)):
        return None
    if start:
        start[0] -= first_row
    # The ellipsis keeps a scalar an array of no dimensions.
    inside: tuple[Any, ...] = tuple(
        slice(a, a + c) for a, c in zip(start, spec.chunks, strict=True)
    )
    part = values[(*inside, ...)]
    if part.shape == spec.chunks:
        return part
    whole = np.full(spec.chunks, read_fill(spec.fill_value, spec.dtype), part.dtype)
    whole[tuple(slice(0, n) for n in part.shape)] = part
    return whole


def _zero(values: NDArray[Any]) -> Any:
    if values.dtype.kind == "c":
        return [0.0, 0.0]
    return values.dtype.type(0).item()
