"""The plan of an ingest: every group, array and shard that will be written; nothing is written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import IncompleteRunError, UnsupportedObjectError
from hsc.hdf5 import SourceDataset, SourceGroup
from hsc.ingestion.grid import MAX_CHUNK_BYTES, inner_chunks, shard_shape
from hsc.ingestion.identity import source_id
from hsc.layouts import Run, RunArray
from hsc.model import Gap, Way, plain_text
from hsc.store import ArraySpec, GroupSpec, store_names
from hsc.transcode import choose_travel

_NAMED_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class PlannedArray:
    """An array, and which of its inner chunks were written at the source."""

    spec: ArraySpec
    """What will stand in the store."""
    source: RunArray
    """Where it comes from."""
    itemsize: int
    """Bytes of an element in memory; for text those of a pointer."""
    places: NDArray[np.int64]
    """(n, dimensions): places of written HDF5 chunks in the grid of inner chunks (kept chunks), or
    of inner chunks that any written HDF5 chunk touches (others). In C order."""
    columns: NDArray[np.int64] | None
    """(n, 4): piece, offset, bytes and filter mask of each kept chunk; None when encoded anew."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that an ingest will write, and why something will be missing."""

    run: Run
    """The run's files."""
    source_id: str
    """Identity of the files."""
    groups: tuple[GroupSpec, ...]
    """Groups of the tree."""
    arrays: tuple[PlannedArray, ...]
    """Arrays of the tree."""
    gaps: tuple[Gap, ...]
    """What can't be carried over."""

    @property
    def bytes_in(self) -> int:
        """Bytes of the source files."""
        return sum(file.state.nbytes for file in self.run.files)


def make_plan(run: Run, *, policy: str) -> Plan:
    """Plan an ingest.

    Parameters
    ----------
    run
        The run's files.
    policy
        ``strict`` refuses what can't be carried over, ``quarantine`` makes gaps of it.

    Raises
    ------
    IncompleteRunError
        Something of the run is missing, and the policy is strict.
    UnsupportedObjectError
        Some objects can't be carried over, and the policy is strict.
    """
    gaps = [Gap(path=plain_text(p.path), reason=plain_text(p.reason)) for p in run.problems]
    gaps += [Gap(path="/", reason=f"missing in the run: {what}") for what in run.missing]
    if policy == "strict":
        _refuse(run)
    keys, names = _keys(run)
    return Plan(
        run=run,
        source_id=source_id(run),
        groups=tuple(_group(run, group, keys, names) for group in run.groups),
        arrays=tuple(_array(array, keys, names) for array in run.arrays),
        gaps=tuple(gaps),
    )


def _refuse(run: Run) -> None:
    where = str(run.files[0].path)
    if run.missing:
        raise IncompleteRunError(
            f"the run is not complete: {'; '.join(run.missing)}",
            where=where,
            next_step="wait until it is, or take in what is there with --policy quarantine",
        )
    if run.problems:
        named = [plain_text(f"{p.path}: {p.reason}") for p in run.problems[:_NAMED_PROBLEMS]]
        more = len(run.problems) - len(named)
        listed = "\n    ".join(named + ([f"and {more} more"] if more else []))
        raise UnsupportedObjectError(
            f"{len(run.problems)} objects can't be carried over exactly:\n    {listed}",
            where=where,
            next_step="take in the rest with --policy quarantine, which records them as gaps",
        )


def _keys(run: Run) -> tuple[dict[str, str], dict[str, str]]:
    """Give the store key of each path, and the true last name of those that were escaped."""
    children: dict[str, list[str]] = {group.path: [] for group in run.groups}
    for path in [group.path for group in run.groups if group.path != "/"] + [
        array.path for array in run.arrays
    ]:
        parent, name = _split(path)
        children[parent].append(name)
    keys, names = {"/": ""}, {}
    for parent in sorted(children):
        for name, stored in store_names(children[parent]).items():
            path = f"{parent.rstrip('/')}/{name}"
            keys[path] = f"{keys[parent]}/{stored}".lstrip("/")
            if stored != name:
                names[path] = name
    return keys, names


def _split(path: str) -> tuple[str, str]:
    parent, _, name = path.rpartition("/")
    return parent or "/", name


def _group(
    run: Run, group: SourceGroup, keys: Mapping[str, str], names: Mapping[str, str]
) -> GroupSpec:
    path = group.path
    attributes = dict(group.attributes)
    if group.links:
        attributes["hsc:links"] = {
            plain_text(name): {kind: plain_text(text) for kind, text in link.items()}
            for name, link in group.links.items()
        }
    if path in names:
        attributes["hsc:name"] = plain_text(names[path])
    if path == "/":
        attributes["hsc:layout"] = run.layout
        if run.roles:
            attributes["hsc:roles"] = dict(run.roles)
    return GroupSpec(plain_text(path), keys[path], attributes)


def _array(array: RunArray, keys: Mapping[str, str], names: Mapping[str, str]) -> PlannedArray:
    first = array.pieces[0].dataset
    dtype = first.element.zarr or ""
    travel = choose_travel(
        first.filters,
        dtype=dtype,
        itemsize=first.itemsize,
        little_endian=first.element.little_endian,
    )
    keep = travel.way is Way.REWRAP and _alike(array)
    if travel.way is Way.REWRAP and not keep:
        travel = choose_travel((), dtype=dtype, itemsize=first.itemsize, little_endian=True)
    chunks = inner_chunks(array.shape, first.index.chunks, first.itemsize, keep=keep)
    places, columns = _kept(array) if keep else (_touched(array, chunks), None)
    stored = columns[:, 2].astype(np.uint64) if columns is not None else None
    shards = shard_shape(array.shape, chunks, first.itemsize, stored, places)
    attributes = dict(array.attributes)
    attributes["hsc:hdf5"] = _hdf5_facts(first)
    if array.path in names:
        attributes["hsc:name"] = plain_text(names[array.path])
    spec = ArraySpec(
        path=plain_text(array.path),
        key=keys[array.path],
        shape=array.shape,
        dtype=dtype,
        chunks=chunks,
        shards=shards,
        compressor=travel.compressor,
        fill_value=_fill(first.fill_value, dtype),
        way=travel.way,
        dimension_names=array.dimension_names or _dimension_names(array),
        attributes=attributes,
    )
    return PlannedArray(spec, array, first.itemsize, places, columns)


def _alike(array: RunArray) -> bool:
    """Tell whether all pieces are chunked alike and fill whole chunks along the stack."""
    first = array.pieces[0].dataset
    if first.index.chunks is None:
        return False
    rows = first.index.chunks[0]
    whole = all(piece.dataset.shape[0] % rows == 0 for piece in array.pieces[:-1])
    nbytes = math.prod(first.index.chunks) * first.itemsize
    return (
        whole
        and nbytes <= MAX_CHUNK_BYTES
        and all(
            piece.dataset.index.chunks == first.index.chunks
            and piece.dataset.filters == first.filters
            for piece in array.pieces
        )
    )


def _kept(array: RunArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give place and source of every written chunk, all pieces in one grid."""
    places, columns, start = [], [], 0
    for number, piece in enumerate(array.pieces):
        index = piece.dataset.index
        moved = index.places.copy()
        moved[:, 0] += start
        places.append(moved)
        columns.append(
            np.column_stack(
                [
                    np.full(len(index), number, np.int64),
                    index.offsets.astype(np.int64),
                    index.sizes.astype(np.int64),
                    index.masks.astype(np.int64),
                ]
            )
        )
        start += piece.dataset.shape[0] // (index.chunks or (1,))[0]
    return np.concatenate(places), np.concatenate(columns)


def _touched(array: RunArray, chunks: Sequence[int]) -> NDArray[np.int64]:
    """Give the places of inner chunks that some written HDF5 chunk touches."""
    grid = [math.ceil(n / c) for n, c in zip(array.shape, chunks, strict=True)]
    touched = np.zeros(grid or (1,), bool)
    start = 0
    for piece in array.pieces:
        dataset = piece.dataset
        extent = dataset.index.chunks or tuple(max(1, n) for n in dataset.shape)
        for place in dataset.index.places:
            touched[_covered(place, extent, dataset.shape, chunks, start)] = True
        start += dataset.shape[0] if dataset.shape else 0
    return np.argwhere(touched) if grid else np.zeros((int(touched.sum()), 0), np.int64)


def _covered(
    place: NDArray[np.int64],
    extent: Sequence[int],
    shape: Sequence[int],
    chunks: Sequence[int],
    start: int,
) -> tuple[slice, ...]:
    parts = []
    for axis, (at, length, end, chunk) in enumerate(zip(place, extent, shape, chunks, strict=True)):
        shift = start if axis == 0 else 0
        first = int(at) * length + shift
        last = min((int(at) + 1) * length, end) + shift - 1
        parts.append(slice(first // chunk, last // chunk + 1))
    return tuple(parts)


def _hdf5_facts(dataset: SourceDataset) -> dict[str, Any]:
    facts: dict[str, Any] = {**dataset.element.record, "storage": dataset.storage}
    if dataset.index.chunks is not None:
        facts["chunks"] = list(dataset.index.chunks)
    if dataset.maxshape != dataset.shape:
        facts["maxshape"] = list(dataset.maxshape)
    if dataset.filters:
        facts["filters"] = [[stage.id, list(stage.values)] for stage in dataset.filters]
    return facts


def _dimension_names(array: RunArray) -> tuple[str, ...]:
    # Unique to the path: xarray refuses equal names of other lengths between parent and child.
    # A dot inside a name is escaped, for /a.b and /a/b are two paths.
    parts = plain_text(array.path.strip("/")).replace("%", "%25").replace(".", "%2E")
    stem = parts.replace("/", ".")
    return tuple(f"{stem}.{axis}" for axis in range(len(array.shape)))


def _fill(value: Any, dtype: str) -> Any:
    """Word a fill value as Zarr v3 does."""
    if dtype.startswith("complex"):
        return [_fill(value.real, "float64"), _fill(value.imag, "float64")]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if dtype == "bool":
        return bool(value)
    return value
