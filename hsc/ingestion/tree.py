"""Writing a tree of new arrays, as reductions make them, through the same shards and manifest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.ingestion.batches import Work, write_pack, write_tree_metadata, written_keys
from hsc.ingestion.grid import inner_chunks, shard_shape
from hsc.ingestion.packing import Packing, arrange_tree, object_sizes
from hsc.model import ArraySummary, Way
from hsc.store import (
    DATA,
    ArraySpec,
    GroupSpec,
    Manifest,
    NewArray,
    NewTree,
    ObjectEntry,
    ShardBuilder,
    VersionWriter,
    blosc,
    digest_entry,
    metadata_objects,
    open_objects,
    store_names,
)
from hsc.transcode import encode_chunk

Explain = Callable[[Manifest, list[ArraySummary]], bytes]
"""Gives a version's crate, from its manifest and what was written."""


def write_tree(
    tree: NewTree, store: str, location: str, explain: Explain | None = None
) -> tuple[Manifest, list[ArraySummary]]:
    """Write and commit a tree of arrays in memory as one version.

    Parameters
    ----------
    explain
        Gives the version's crate; None: it gets none.

    Returns
    -------
    manifest
        The committed manifest.
    arrays
        What was written.
    """
    writer = VersionWriter(open_objects(store), location)
    keys = _keys(tree)
    specs = [_spec(array, keys) for array in tree.arrays]
    summaries = [summary(spec) for spec in specs]
    metadata = metadata_objects(_groups(tree, keys), specs)
    documents = {f"{DATA}/{key}": data for key, data in metadata.items()}
    arrays = list(zip(tree.arrays, specs, strict=True))
    sizes = {spec.key: _sizes(array, spec) for array, spec in arrays}
    packing = arrange_tree(documents, sizes)
    shards, others = written_keys(packing, documents, Work([], [], []))
    writer.begin([*shards, *(key for keys in sizes.values() for key in keys)], others)
    entries = _write_arrays(arrays, packing, writer)
    entries += write_tree_metadata(writer, packing, documents, entries)
    manifest = writer.commit(
        entries,
        source_id=None,
        files=(),
        gaps=(),
        explain=None if explain is None else lambda made: explain(made, summaries),
    )
    return manifest, summaries


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


def _keys(tree: NewTree) -> dict[str, str]:
    paths = {group.path for group in tree.groups} | {array.path for array in tree.arrays}
    for path in list(paths):
        parts = path.strip("/").split("/")
        paths |= {"/" + "/".join(parts[:n]) for n in range(1, len(parts))}
    children: dict[str, list[str]] = {}
    for path in paths - {"/"}:
        parent, _, name = path.rpartition("/")
        children.setdefault(parent or "/", []).append(name)
    keys = {"/": ""}
    for parent in sorted(children):
        for name, stored in store_names(children[parent]).items():
            keys[f"{parent.rstrip('/')}/{name}"] = f"{keys[parent]}/{stored}".lstrip("/")
    return keys


def _groups(tree: NewTree, keys: dict[str, str]) -> list[GroupSpec]:
    given = {group.path: dict(group.attributes) for group in tree.groups}
    arrays = {array.path for array in tree.arrays}
    if tree.roles:
        given.setdefault("/", {})["hsc:roles"] = dict(tree.roles)
    return [
        GroupSpec(path, key, given.get(path, {}))
        for path, key in sorted(keys.items())
        if path not in arrays
    ]


def _spec(array: NewArray, keys: dict[str, str]) -> ArraySpec:
    text = array.values.dtype.kind in "UO"
    itemsize = array.values.dtype.itemsize
    shape = array.values.shape
    chunks = array.chunks or inner_chunks(shape, None, itemsize, keep=False)
    compressor = (
        {"name": "zstd", "configuration": {"level": 3, "checksum": False}}
        if text
        else blosc("zstd", 1, itemsize)
    )
    return ArraySpec(
        path=array.path,
        key=keys[array.path],
        shape=shape,
        dtype="string" if text else array.values.dtype.name,
        chunks=chunks,
        shards=shard_shape(shape, chunks, itemsize, None, None),
        compressor=compressor,
        fill_value="" if text else _zero(array.values),
        way=Way.COMPUTED,
        dimension_names=array.dimension_names,
        attributes=dict(array.attributes),
    )


def _zero(values: NDArray[Any]) -> Any:
    if values.dtype.kind == "c":
        return [0.0, 0.0]
    return values.dtype.type(0).item()


def _sizes(array: NewArray, spec: ArraySpec) -> dict[str, int]:
    grid = [math.ceil(n / c) for n, c in zip(spec.shape, spec.chunks, strict=True)]
    places = np.array(list(np.ndindex(*grid)), np.int64).reshape(math.prod(grid), len(grid))
    return object_sizes(spec, array.values.dtype.itemsize, places, None)


def _write_arrays(
    arrays: Sequence[tuple[NewArray, ArraySpec]], packing: Packing | None, writer: VersionWriter
) -> list[ObjectEntry]:
    batches = packing.batches if packing else ()
    packed = {key for keys in batches for key in keys}
    small: dict[str, tuple[ObjectEntry, bytes]] = {}
    entries = []
    for array, spec in arrays:
        for entry, data in _objects(array, spec):
            if entry.key in packed:
                small[entry.key] = entry, data
            else:
                writer.put(entry, data)
                entries.append(entry)
    for number, keys in enumerate(batches, len(packing.documents) if packing else 0):
        entries += write_pack(writer, number, (small[key] for key in keys))
    return entries


def _objects(array: NewArray, spec: ArraySpec) -> Iterator[tuple[ObjectEntry, bytes]]:
    values = array.values.astype(object) if spec.dtype == "string" else array.values
    count = math.prod(spec.chunks_per_shard)
    for place, key in spec.objects():
        builder = ShardBuilder(count, indexed=spec.sharded)
        within = product(*(range(n) for n in spec.chunks_per_shard))
        for number, step in enumerate(within):
            at = tuple(
                a * n + b for a, n, b in zip(place, spec.chunks_per_shard, step, strict=True)
            )
            chunk = _chunk(values, spec, at)
            if chunk is not None:
                builder.add(number, encode_chunk(chunk, spec.compressor))
        data, table = builder.finish()
        yield digest_entry(f"{DATA}/{key}", data, chunks=table), data


def _chunk(values: NDArray[Any], spec: ArraySpec, at: tuple[int, ...]) -> NDArray[Any] | None:
    """Cut a chunk out, filled up at the array's edge; None when it lies wholly beyond."""
    start = [a * c for a, c in zip(at, spec.chunks, strict=True)]
    if any(a >= n for a, n in zip(start, spec.shape, strict=True)):
        return None
    # The ellipsis keeps a scalar an array of no dimensions.
    inside: tuple[Any, ...] = tuple(
        slice(a, a + c) for a, c in zip(start, spec.chunks, strict=True)
    )
    part = values[(*inside, ...)]
    if part.shape == spec.chunks:
        return part
    fill: Any = "" if spec.dtype == "string" else 0
    whole = np.full(spec.chunks, fill, part.dtype)
    whole[tuple(slice(0, n) for n in part.shape)] = part
    return whole
